// `reelkeep copy` from one data directory to another, with what a server has received and archived.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand, startServe } from "@reelkeep/harness/reelkeep-process";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { type ObjectStore, startObjectStore } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { appendMany, keptIn, temporaryFolder } from "./test-copy.js";
import { leavePending, reportLinks } from "./test-pending.js";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LOOPBACK = ["--allow-host", "127.0.0.1", "--allow-private-network"];
const HOUR_MS = 3_600_000;

let origin: ObjectStore;
let receiver: TemporaryReceiver;
beforeEach(async () => {
	origin = await startObjectStore();
	receiver = temporaryReceiver(entry);
});
afterEach(async () => {
	await receiver.dispose();
	await origin.close();
});

const linkTo = (name: string) => {
	origin.put(name, Buffer.from(`video ${name} `.repeat(20_000)));
	return { url: origin.presign(name, Date.now() + HOUR_MS), expiresAtMs: Date.now() + HOUR_MS };
};
/** A store whose server has ended, with so many videos. */
async function givenStore(...names: readonly string[]): Promise<void> {
	await leavePending(entry, receiver.directory, names.map(linkTo));
	expect((await receiver.run("archive", ...LOOPBACK)).code).toBe(0);
}
const copy = (to: string, ...flags: readonly string[]) =>
	runCommand(entry, ["copy", "--from", receiver.directory, "--to", to, ...flags]);
async function recordingsIn(directory: string): Promise<readonly Record<string, unknown>[]> {
	const { stdout } = await runCommand(entry, ["recordings", "--json", "--data", directory]);
	const lines = stdout.split("\n").filter((line) => line !== "");
	return lines.map((line) => {
		const { video, cursor: _, ...rest } = JSON.parse(line);
		return { ...rest, video: String(video).replace(directory, "") };
	});
}
const videoFiles = (directory: string): readonly string[] =>
	readdirSync(join(directory, "videos"), { recursive: true, withFileTypes: true })
		.filter((each) => each.isFile())
		.map(({ parentPath, name }) => join(parentPath, name))
		.sort();

describe("reelkeep copy refuses, and changes nothing", () => {
	test("a directory that is no store, on either side", async () => {
		const folder = temporaryFolder();
		const none = await runCommand(entry, [
			"copy",
			"--from",
			join(folder, "none"),
			"--to",
			join(folder, "to"),
		]);
		expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("there is no event store in")]);
		expect(readdirSync(folder)).toEqual([]);
		await givenStore();
		const home = join(folder, "home");
		mkdirSync(home);
		writeFileSync(join(home, "letters.txt"), "dear");
		const other = await copy(home);
		expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("neither empty nor a store")]);
		expect(readdirSync(home)).toEqual(["letters.txt"]);
	});

	test("another store, and a copy that has gone its own way", async () => {
		await givenStore();
		await appendMany(receiver.directory, 10);
		const folder = temporaryFolder();
		const [other, parted] = [join(folder, "other"), join(folder, "parted")];
		await appendMany(other, 3, 500);
		const before = await keptIn(other);
		const refused = await copy(other);
		expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("it is another store")]);
		expect(await keptIn(other)).toEqual(before);
		expect(existsSync(join(other, "keys.json"))).toBe(false);

		expect((await copy(parted)).code).toBe(0);
		await appendMany(parted, 1, 700);
		expect((await copy(parted)).stderr).toContain("has gone its own way");
		// As far as it goes the source has more, and what comes behind is another event.
		await appendMany(receiver.directory, 5, 20);
		expect((await copy(parted)).stderr).toContain("has gone its own way");
	});

	test("a directory with other keys, or in which a server runs", async () => {
		await givenStore("a.mp4");
		const folder = temporaryFolder();
		const [keyed, served] = [join(folder, "keyed"), join(folder, "served")];
		mkdirSync(keyed);
		const keys = '{"current":"k","keys":{"k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}';
		writeFileSync(join(keyed, "keys.json"), keys, { mode: 0o600 });
		expect((await copy(keyed)).stderr).toContain("nothing is written over it");
		expect(readFileSync(join(keyed, "keys.json"), "utf8")).toBe(keys);
		const app = ["--app", `${TEST_APP_KEY}=${TEST_SECRET}`];
		const sameKeys = ["--key-file", join(receiver.directory, "keys.json")];
		const flags = ["--data", served, "--http", "127.0.0.1:0", ...app, ...sameKeys];
		const serve = await startServe({ entry, flags });
		const refused = await copy(served);
		expect(await serve.stop()).toBe(0);
		expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("is in use by process")]);
	});
});

describe("reelkeep copy", () => {
	test("makes a copy on which every command shows the same, and a server goes on", async () => {
		await givenStore("a.mp4", "b.mp4", "c.mp4");
		const to = join(temporaryFolder(), "deep", "copy");
		const { code, stdout, stderr } = await copy(to);
		expect([code, stderr]).toEqual([0, ""]);
		expect(stdout).toMatch(
			/^\S+ is a copy of \S+\n(\d+) events \(\1 copied now\), the same on both sides: SHA-256 [0-9a-f]{64}\n.*3 videos \(3 copied now, [\d.]+ KiB\)\n$/s,
		);
		expect(await keptIn(to)).toEqual(await keptIn(receiver.directory));
		expect(await recordingsIn(to)).toEqual(await recordingsIn(receiver.directory));
		for (const command of ["verify", "doctor"]) {
			const hashes = command === "doctor" ? ["--hashes"] : [];
			expect((await runCommand(entry, [command, "--data", to, ...hashes])).code).toBe(0);
		}
		const reveal = ["events", "--reveal-links", "--data"];
		const links = async (data: string) =>
			(await runCommand(entry, [...reveal, data], { secret: true })).stdout;
		expect(await links(to)).toContain("Signature=");
		expect((await links(to)).replaceAll(to, "")).toBe(
			(await links(receiver.directory)).replaceAll(receiver.directory, ""),
		);
		const app = ["--app", `${TEST_APP_KEY}=${TEST_SECRET}`];
		const flags = ["--data", to, "--http", "127.0.0.1:0", ...app, ...LOOPBACK];
		const serve = await startServe({ entry, flags });
		await reportLinks(serve.address, [linkTo("d.mp4")]);
		await expect
			.poll(async () => (await recordingsIn(to)).map(({ state }) => state), { timeout: 15_000 })
			.toEqual(Array(4).fill("archived"));
		expect(await serve.stop()).toBe(0);
	});

	test("runs beside a server, says that more may come, and copies the rest when it runs again", async () => {
		await givenStore("a.mp4");
		const to = join(temporaryFolder(), "copy");
		const serve = await receiver.serve();
		const beside = await copy(to);
		expect([beside.code, beside.stdout]).toEqual([0, expect.stringContaining("a server runs on the source")]);
		await reportLinks(serve.address, [linkTo("b.mp4")]);
		await expect
			.poll(async () => (await receiver.recordings()).map(({ state }) => state), { timeout: 15_000 })
			.toEqual(["archived", "archived"]);
		expect(await serve.stop()).toBe(0);
		const { code, stdout } = await copy(to, "--json");
		expect(code).toBe(0);
		const report = JSON.parse(stdout);
		expect(report).toMatchObject({ copiedEvents: 2, keys: "there", sourceInUse: false });
		expect(report.videos).toMatchObject({ archived: 2, copied: 1, lacking: 0 });
		expect(await recordingsIn(to)).toEqual(await recordingsIn(receiver.directory));
	});

	test("tells of videos that are missing or damaged, copies the others, and them once they are mended", async () => {
		await givenStore("a.mp4", "b.mp4", "c.mp4");
		const to = join(temporaryFolder(), "copy");
		const [missing = "", damaged = ""] = videoFiles(receiver.directory);
		const [missed, whole] = [readFileSync(missing), readFileSync(damaged)];
		rmSync(missing);
		const wrong = Buffer.from(whole);
		wrong[100] = 1;
		writeFileSync(damaged, wrong);
		for (const copied of [1, 0]) {
			const { code, stdout } = await copy(to);
			expect(code).toBe(1);
			expect(stdout).toMatch(new RegExp(`\n3 videos \\(${copied} copied now.*\n2 videos not in the copy`));
			expect(stdout).toMatch(/\nunreadable: videos\/.*: there is no video at/);
			expect(stdout).toMatch(/\ndamaged: videos\/.*its receipt says 2\d+ bytes with SHA-256/);
			expect(videoFiles(to)).toHaveLength(1);
		}
		writeFileSync(missing, missed);
		writeFileSync(damaged, whole);
		expect((await copy(to)).code).toBe(0);
		expect(videoFiles(to).map((file) => readFileSync(file))).toEqual(
			videoFiles(receiver.directory).map((file) => readFileSync(file)),
		);
	});

	test("leaves a video alone that is another one than the log says, and tells of it", async () => {
		await givenStore("a.mp4");
		const to = join(temporaryFolder(), "copy");
		expect((await copy(to)).code).toBe(0);
		const [file = ""] = videoFiles(to);
		writeFileSync(file, "something else");
		const { code, stdout } = await copy(to);
		expect([code, stdout]).toEqual([1, expect.stringMatching(/\nother: videos\/.*remove it there/)]);
		expect(readFileSync(file, "utf8")).toBe("something else");
		rmSync(file);
		expect((await copy(to)).code).toBe(0);
	});

	test("takes the last batch along that a killed server had acknowledged", async () => {
		const serve = await receiver.serve("--allow-host", "no.invalid");
		await reportLinks(serve.address, [linkTo("a.mp4"), linkTo("b.mp4")]);
		await serve.stop("SIGKILL");
		rmSync(join(receiver.directory, "events", "durable"), { force: true });
		const to = join(temporaryFolder(), "copy");
		expect((await copy(to)).code).toBe(0);
		const types = (await keptIn(to)).map(({ type }) => type);
		expect(types.filter((type) => type === "RecordingReported")).toHaveLength(2);
	});

	test("leaves videos where they are when it is told to", async () => {
		await givenStore("a.mp4");
		const to = join(temporaryFolder(), "copy");
		const { code, stdout } = await copy(to, "--no-videos");
		expect([code, stdout]).toEqual([0, expect.stringContaining("the videos were left where they are")]);
		expect(existsSync(join(to, "videos"))).toBe(false);
		// It may be asked for them later.
		expect((await copy(to)).stdout).toContain("1 video (1 copied now");
	});
});
