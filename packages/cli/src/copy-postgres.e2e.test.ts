// `reelkeep copy` from a disk to PostgreSQL and back, with a real server for both.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { foldProjection, recordingsProjection, silentLogger } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { comparePositions, type Position, toPosition } from "@reelkeep/core/ports";
import { postgresMissing, startPostgres, type TestPostgres } from "@reelkeep/harness/postgres";
import { runCommand, startServe } from "@reelkeep/harness/reelkeep-process";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { listFsCheckpoints } from "@reelkeep/storage-fs";
import { openPostgresStores } from "@reelkeep/storage-postgres";
import { type ObjectStore, startObjectStore } from "@reelkeep/testing";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { appendMany, keptIn, keptOf, positionsIn, saveIn, temporaryFolder } from "./test-copy.js";
import { leavePending, reportLinks } from "./test-pending.js";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LOOPBACK = ["--allow-host", "127.0.0.1", "--allow-private-network"];
const HOUR_MS = 3_600_000;
const missing = postgresMissing();
if (missing !== undefined && process.env.CI !== undefined) throw new Error(missing);

let postgres: TestPostgres | undefined;
let origin: ObjectStore;
let receiver: TemporaryReceiver;
let database = 0;
beforeAll(async () => {
	if (missing === undefined) postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres?.stop(), 60_000);
beforeEach(async () => {
	origin = await startObjectStore();
	receiver = temporaryReceiver(entry);
});
afterEach(async () => {
	await receiver.dispose();
	await origin.close();
});

/** A database of its own. */
async function newDatabase(): Promise<string> {
	const connectionString = postgres?.connectionString ?? "";
	database += 1;
	const client = new pg.Client({ connectionString });
	await client.connect();
	await client.query(`CREATE DATABASE copy_${database}`);
	await client.end();
	return connectionString.replace(/\/postgres$/, `/copy_${database}`);
}
const storesOf = (connectionString: string, access: "read" | "write" = "read") =>
	openPostgresStores({ connectionString, access, clock: systemClock, logger: silentLogger });
const copy = (...flags: readonly string[]) => runCommand(entry, ["copy", ...flags]);
const linkTo = (name: string) => {
	origin.put(name, Buffer.from(`video ${name} `.repeat(20_000)));
	return { url: origin.presign(name, Date.now() + HOUR_MS), expiresAtMs: Date.now() + HOUR_MS };
};
async function givenStore(...names: readonly string[]): Promise<void> {
	await leavePending(entry, receiver.directory, names.map(linkTo));
	expect((await receiver.run("archive", ...LOOPBACK)).code).toBe(0);
}

/** A log of events of no meaning, and the keys of a server that has never received anything. */
async function givenLog(count: number): Promise<void> {
	expect(await (await receiver.serve()).stop()).toBe(0);
	await appendMany(receiver.directory, count);
}

/** Checkpoints in a database, and how many events are not behind each. */
async function checkpointsIn(url: string) {
	const stores = await storesOf(url);
	const listed = await stores.checkpoints.list();
	const positions: Position[] = [];
	for await (const { position } of stores.events.readAll()) positions.push(position);
	await stores.close();
	return {
		positions,
		finished: Object.fromEntries(
			listed.map(({ name, position }) => [
				name,
				positions.filter((each) => comparePositions(each, position) <= 0).length,
			]),
		),
		listed: new Map(listed.map(({ name, position }) => [name, position])),
	};
}

describe.skipIf(missing !== undefined)("reelkeep copy and PostgreSQL", () => {
	test("moves a store to PostgreSQL, where a server goes on, and back", async () => {
		await givenStore("a.mp4", "b.mp4");
		const url = await newDatabase();
		const folder = temporaryFolder();
		const [data, keys] = [join(folder, "data"), join(folder, "keys.json")];
		const target = ["--to", url, "--to-key-file", keys, "--to-videos", data];
		const there = await copy("--from", receiver.directory, ...target);
		expect([there.code, there.stderr]).toEqual([0, ""]);
		expect(there.stdout).toContain("2 videos (2 copied now");

		const stores = await storesOf(url);
		expect(await keptOf(stores.events)).toEqual(await keptIn(receiver.directory));
		const model = await foldProjection(recordingsProjection, stores.events.readAll());
		expect(model.query({ limit: 10 }).rows.map(({ state }) => state)).toEqual(["archived", "archived"]);
		await stores.close();

		const app = ["--app", `${TEST_APP_KEY}=${TEST_SECRET}`, "--http", "127.0.0.1:0", ...LOOPBACK];
		const flags = ["--events", url, "--data", data, "--key-file", keys, ...app];
		const serve = await startServe({ entry, flags });
		await reportLinks(serve.address, [linkTo("c.mp4")]);
		const running = await storesOf(url);
		const archived = async () =>
			(await keptOf(running.events)).filter(({ type }) => type === "RecordingArchived").length;
		await expect.poll(archived, { timeout: 15_000 }).toBe(3);
		const log = await keptOf(running.events);
		await running.close();
		expect(await serve.stop()).toBe(0);

		const back = join(folder, "back");
		const source = ["--from", url, "--from-key-file", keys, "--from-videos", data];
		const returned = await copy(...source, "--to", back);
		expect([returned.code, returned.stderr]).toEqual([0, ""]);
		expect(returned.stdout).toContain("if a server runs on the source, what it takes from now on is not in");
		expect(await keptIn(back)).toEqual(log);
		expect(readFileSync(join(back, "keys.json"), "utf8")).toBe(readFileSync(keys, "utf8"));
		for (const command of [["verify"], ["doctor", "--hashes"]]) {
			expect((await runCommand(entry, [...command, "--data", back])).code).toBe(0);
		}
		const { stdout } = await runCommand(entry, ["recordings", "--json", "--data", back]);
		expect(stdout.match(/"state":"archived"/g)).toHaveLength(3);
	});

	test("leaves videos and keys where they are, for a server that only gets another log", async () => {
		await givenStore("a.mp4");
		const url = await newDatabase();
		const keys = join(receiver.directory, "keys.json");
		const { code } = await copy(
			"--from",
			receiver.directory,
			"--to",
			url,
			"--to-key-file",
			keys,
			"--no-videos",
		);
		expect(code).toBe(0);
		const app = ["--app", `${TEST_APP_KEY}=${TEST_SECRET}`, "--http", "127.0.0.1:0", ...LOOPBACK];
		const flags = ["--events", url, "--data", receiver.directory, "--key-file", keys, ...app];
		const serve = await startServe({ entry, flags });
		await reportLinks(serve.address, [linkTo("a.mp4")]);
		const stores = await storesOf(url);
		const types = (await keptOf(stores.events)).map(({ type }) => type);
		await stores.close();
		expect(await serve.stop()).toBe(0);
		// The same callback, and another link of the same object at most: no recording more.
		expect(types.filter((type) => type === "RecordingReported")).toHaveLength(1);
	});

	test("moves checkpoints to the last event that they had finished, and never past or back", async () => {
		await givenLog(500);
		const saved: Record<string, Position> = {
			none: toPosition(0),
			first: toPosition(1),
			middle: toPosition(321),
			last: toPosition(500),
			beyond: toPosition(10_000),
		};
		await saveIn(receiver.directory, saved);
		const url = await newDatabase();
		const keys = join(temporaryFolder(), "keys.json");
		const flags = ["--to", url, "--to-key-file", keys, "--no-videos"];
		expect((await copy("--from", receiver.directory, ...flags)).code).toBe(0);
		const before = await checkpointsIn(url);
		expect(before.finished).toEqual({
			none: 0,
			first: 1,
			middle: 321,
			last: 500,
			beyond: (await positionsIn(receiver.directory)).length,
		});
		expect(before.listed.get("middle")).toBe(before.positions[320]);

		// The subscription goes on at the source, and another one on the copy.
		await saveIn(receiver.directory, { middle: toPosition(400) });
		const stores = await storesOf(url, "write");
		const ahead = before.positions[99] as Position;
		await stores.checkpoints.save("first", ahead, before.listed.get("first"));
		await stores.close();
		const again = await copy("--from", receiver.directory, ...flags);
		expect(again.stdout).toContain("further in the copy already, and left there: first");
		expect((await checkpointsIn(url)).finished).toMatchObject({ first: 100, middle: 400, last: 500 });

		const back = join(temporaryFolder(), "back");
		const from = ["--from", url, "--from-key-file", keys];
		expect((await copy(...from, "--to", back, "--no-videos")).code).toBe(0);
		const listed = await listFsCheckpoints({ directory: back });
		expect(Object.fromEntries(listed.map(({ name, position }) => [name, Number(position)]))).toEqual(
			(await checkpointsIn(url)).finished,
		);
	});

	test("moves a store from one database to another, and what has come since with the next run", async () => {
		await givenLog(300);
		await saveIn(receiver.directory, { middle: toPosition(200) });
		const [one, two] = [await newDatabase(), await newDatabase()];
		const [here, there] = [join(temporaryFolder(), "keys.json"), join(temporaryFolder(), "keys.json")];
		const first = ["--from", receiver.directory, "--to", one, "--to-key-file", here, "--no-videos"];
		expect((await copy(...first)).code).toBe(0);
		const flags = [
			"--from",
			one,
			"--from-key-file",
			here,
			"--to",
			two,
			"--to-key-file",
			there,
			"--no-videos",
		];
		for (const count of [0, 70]) {
			const source = await storesOf(one, "write");
			for (let nth = 0; nth < count; nth += 1) {
				const event = { id: `later-${nth}`, type: "Noted", schemaVersion: 1, data: { nth }, metadata: {} };
				await source.events.append("later", [event], nth);
			}
			const copied = await copy(...flags);
			expect([copied.code, copied.stderr]).toEqual([0, ""]);
			const target = await storesOf(two);
			expect(await keptOf(target.events)).toEqual(await keptOf(source.events));
			expect((await checkpointsIn(two)).finished).toEqual({ middle: 200 });
			await target.close();
			await source.close();
		}
		expect(readFileSync(there, "utf8")).toBe(readFileSync(here, "utf8"));
	});

	test("refuses a database with another log, and tells no password", async () => {
		await appendMany(receiver.directory, 50);
		const url = await newDatabase();
		const other = join(temporaryFolder(), "other");
		await appendMany(other, 5, 1_000);
		const flags = ["--to-key-file", join(temporaryFolder(), "keys.json"), "--no-videos"];
		expect((await copy("--from", other, "--to", url, ...flags)).code).toBe(0);
		const refused = await copy("--from", receiver.directory, "--to", url, ...flags);
		expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("it is another store")]);

		const secret = url.replace("reelkeep@", "reelkeep:hush-hush@");
		const open = await copy("--from", receiver.directory, "--to", secret, ...flags);
		expect([open.code, open.stderr]).toEqual([2, expect.stringContaining("put the URL into REELKEEP_TO")]);
		const hidden = await runCommand(entry, ["copy", "--from", other, ...flags], {
			environment: { REELKEEP_TO: secret },
		});
		expect(hidden.code).toBe(0);
		for (const { stdout, stderr } of [open, hidden]) expect(stdout + stderr).not.toContain("hush");
	});

	test("waits for what an open transaction hides, and says so when it stays open", async () => {
		const url = await newDatabase();
		await givenLog(5);
		const keys = join(temporaryFolder(), "keys.json");
		const to = ["--to", url, "--to-key-file", keys, "--no-videos"];
		expect((await copy("--from", receiver.directory, ...to)).code).toBe(0);
		const stores = await storesOf(url, "write");
		const client = new pg.Client({ connectionString: url });
		await client.connect();
		await client.query("BEGIN; SELECT pg_current_xact_id()");
		const event = { id: "hidden", type: "Noted", schemaVersion: 1, data: {}, metadata: {} };
		await stores.events.append("hidden", [event], "any");
		const back = join(temporaryFolder(), "back");
		const from = ["--from", url, "--from-key-file", keys, "--to", back, "--no-videos"];
		const hidden = await copy(...from);
		expect([hidden.code, hidden.stderr]).toEqual([1, expect.stringContaining("stays open")]);
		await client.end();
		const seen = await copy(...from);
		expect([seen.code, (await keptIn(back)).at(-1)?.id]).toEqual([0, "hidden"]);
		await stores.close();
	});
});
