import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copyConfig } from "./copy-config.js";
import type { CopyFlags } from "./copy-options.js";
import { temporaryFolder } from "./test-copy.js";

const defaults = { videos: true, json: false, progress: true, logLevel: "warn" };
const read = (flags: Partial<CopyFlags>, environment: NodeJS.ProcessEnv = {}) =>
	copyConfig({ ...defaults, ...flags }, environment);
const DB = "postgres://reelkeep@db:5433/main";

describe("reelkeep copy is called in a wrong way", () => {
	test.each<[Partial<CopyFlags>, string]>([
		[{}, "which store is copied? Give --from"],
		[{ from: "a" }, "where to? Give --to"],
		[{ from: "a", to: "" }, "where to? Give --to"],
		[{ from: "s3://bucket/x", to: "b" }, "--from takes a data directory or postgres://"],
		[{ from: "a", to: "mysql://db/x" }, "--to takes a data directory or postgres://"],
		[{ from: DB, to: "b", fromVideos: "v" }, "needs --from-key-file"],
		[{ from: "a", to: DB, toVideos: "v" }, "needs --to-key-file"],
		[{ from: DB, to: "b", fromKeyFile: "k" }, "give --from-videos DIR or s3://…, or --no-videos"],
		[{ from: "a", to: DB, toKeyFile: "k" }, "give --to-videos DIR or s3://…, or --no-videos"],
		[{ from: "a", to: "b", toVideos: "ftp://x/y" }, "--to-videos takes a data directory"],
		[{ from: "a", to: "./a/" }, "are the same store"],
		[{ from: DB, to: DB, videos: false, fromKeyFile: "k", toKeyFile: "k" }, "are the same store"],
		[{ from: "a", to: DB, toKeyFile: "k", toVideos: "a" }, "give --no-videos"],
	])("%j", (flags, says) => {
		expect(() => read(flags)).toThrow(says);
	});

	test("with one store by two names", () => {
		const folder = temporaryFolder();
		const [real, link] = [join(folder, "real"), join(folder, "link")];
		mkdirSync(real);
		symlinkSync(real, link);
		expect(() => read({ from: real, to: link })).toThrow("are the same store");
		expect(() => read({ from: real, to: join(link, "new", "copy") })).toThrow("lies in the data directory");
		expect(read({ from: real, to: join(folder, "real-2") }).to.name).toBe(join(folder, "real-2"));
	});

	test.each(["postgres://reelkeep:hush-hush@db/x", "postgres://reelkeep@db/x?password=hush-hush"])(
		"with a password where others can read it, which it quotes nowhere",
		(secret) => {
			const flags = { videos: false, toKeyFile: "k", fromKeyFile: "k" };
			for (const [given, variable] of [
				[{ from: "a", to: secret }, "REELKEEP_TO"],
				[{ from: secret, to: "b" }, "REELKEEP_FROM"],
			] as const) {
				expect(() => read({ ...flags, ...given })).toThrow(`put the URL into ${variable}`);
				expect(() => read({ ...flags, ...given })).not.toThrow("hush");
				const config = read({ ...flags, ...given }, { [variable]: secret });
				expect(config.from.name + config.to.name).not.toContain("hush");
				expect(config.from.name + config.to.name).toContain("postgres://db/x");
			}
		},
	);
});

describe("what reelkeep copy is asked for", () => {
	test("keys and videos go along from one directory to another", () => {
		const folder = temporaryFolder();
		const [from, to] = [join(folder, "from"), join(folder, "to")];
		mkdirSync(from);
		expect(read({ from, to }).keys).toBeUndefined();
		writeFileSync(join(from, "keys.json"), "{}");
		expect(read({ from, to })).toEqual({
			from: {
				name: from,
				events: { _tag: "Directory", directory: from },
				videos: { _tag: "Directory", directory: from },
			},
			to: {
				name: to,
				events: { _tag: "Directory", directory: to },
				videos: { _tag: "Directory", directory: to },
			},
			keys: { from: join(from, "keys.json"), to: join(to, "keys.json") },
			allowNetworkFileSystem: false,
		});
	});

	test("PostgreSQL has keys and videos elsewhere", () => {
		const folder = temporaryFolder();
		const config = read({
			from: folder,
			fromKeyFile: "old.json",
			to: DB,
			toKeyFile: "new.json",
			toVideos: "videos-of-db",
		});
		expect(config.to).toMatchObject({ name: "postgres://db:5433/main", events: { connectionString: DB } });
		expect(config.to.videos).toMatchObject({ directory: expect.stringMatching(/videos-of-db$/) });
		expect(config.keys?.from).toMatch(/old\.json$/);
		expect(config.keys?.to).toMatch(/new\.json$/);
	});
});
