// `reelkeep copy` that is killed again and again: the next run goes on, and in the end the copy is the same log, once.
//
// REELKEEP_COPY_KILLS: how many for each test (default 5).

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { silentLogger } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { toPosition } from "@reelkeep/core/ports";
import { createDraw } from "@reelkeep/harness/hostile-random";
import { postgresMissing, startPostgres, type TestPostgres } from "@reelkeep/harness/postgres";
import { runCommand } from "@reelkeep/harness/reelkeep-process";
import { transcribe } from "@reelkeep/harness/transcript";
import {
	createFileKeyring,
	createFsEventStore,
	createFsVideoStore,
	listFsCheckpoints,
} from "@reelkeep/storage-fs";
import { openPostgresStores } from "@reelkeep/storage-postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { appendMany, keptIn, keptOf, positionsIn, saveIn, temporaryFolder } from "./test-copy.js";

const KILLS = Number(process.env.REELKEEP_COPY_KILLS ?? 5);
const EVENTS = 20_000;
const VIDEOS = 12;
const VIDEO_BYTES = 3 * 1024 * 1024;
/** A run that is let alone takes several seconds. */
const LONGEST_LIFE_MS = 1_500;
const missing = postgresMissing();
if (missing !== undefined && process.env.CI !== undefined) throw new Error(missing);
const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));

let postgres: TestPostgres | undefined;
beforeAll(async () => {
	if (missing === undefined) postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres?.stop(), 60_000);

/** Events, checkpoints, keys and archived videos. */
async function givenStore(): Promise<string> {
	const directory = join(temporaryFolder(), "source");
	mkdirSync(directory);
	await createFileKeyring({ file: join(directory, "keys.json") }).load({ createIfMissing: true });
	await appendMany(directory, EVENTS);
	const store = createFsEventStore({ directory, clock: systemClock });
	await store.open();
	const videos = createFsVideoStore({ directory });
	await videos.start();
	for (let at = 0; at < VIDEOS; at += 1) {
		const upload = await videos.begin(`recording-${at}`);
		await upload.write(createHash("sha256").update(String(at)).digest());
		await upload.write(Buffer.alloc(VIDEO_BYTES, at));
		const { video } = await upload.commit();
		const data = { receipt: { ...video, lengthVerified: true }, attempts: 1, adopted: false };
		const event = { id: `archived-${at}`, type: "RecordingArchived", schemaVersion: 1, data, metadata: {} };
		await store.append(`recording-${at}`, [event], "no-stream");
	}
	await videos.close();
	await store.close();
	await saveIn(directory, { billing: toPosition(EVENTS / 2), mail: toPosition(7) });
	return directory;
}

function startCopy(flags: readonly string[]): {
	readonly child: ChildProcess;
	readonly ended: Promise<number | null>;
} {
	const child = spawn(process.execPath, [entry, "copy", ...flags], { stdio: ["ignore", "ignore", "pipe"] });
	child.stderr?.on("data", (chunk: Buffer) => transcribe("cli", chunk.toString("utf8")));
	return { child, ended: new Promise((resolve) => child.once("close", resolve)) };
}

/**
 * Kills runs, by turns at a random moment and while events are being added, then lets one come to its end. `held`: how many
 * events the copy has. Resolves with how many runs were killed while the copy had some of them.
 */
async function killAndFinish(flags: readonly string[], held: () => Promise<number>): Promise<number> {
	const draw = createDraw(3, 11);
	let halfway = 0;
	for (let run = 0; run < KILLS; run += 1) {
		const before = await held();
		const { child, ended } = startCopy(flags);
		const isOver = ended.then(() => true);
		if (run % 2 === 0) {
			while ((await held()) <= before && !(await Promise.race([isOver, pause(20, false)])));
		} else await Promise.race([ended, pause(draw.int(LONGEST_LIFE_MS))]);
		child.kill("SIGKILL");
		await ended;
		const after = await held();
		if (after > 0 && after < EVENTS) halfway += 1;
	}
	const last = await runCommand(entry, ["copy", ...flags, "--json"]);
	expect([last.code, JSON.parse(last.stdout)]).toMatchObject([
		0,
		{ videos: { archived: VIDEOS, lacking: 0 } },
	]);
	return halfway;
}

describe("a copy that is killed", () => {
	test(`is the same store after ${KILLS} kills, in another directory`, async () => {
		const from = await givenStore();
		const to = join(temporaryFolder(), "copy");
		const held = () =>
			keptIn(to).then(
				({ length }) => length,
				() => 0,
			);
		expect(await killAndFinish(["--from", from, "--to", to], held)).toBeGreaterThanOrEqual(
			Math.floor(KILLS / 3),
		);
		expect(await keptIn(to)).toEqual(await keptIn(from));
		expect((await positionsIn(to)).map(Number)).toEqual(
			Array.from({ length: (await keptIn(from)).length }, (_, at) => at + 1),
		);
		const byName = async (directory: string) =>
			new Map((await listFsCheckpoints({ directory })).map(({ name, position }) => [name, position]));
		expect(await byName(to)).toEqual(await byName(from));
		for (const command of [["verify"], ["doctor", "--hashes"]]) {
			expect((await runCommand(entry, [...command, "--data", to])).code).toBe(0);
		}
	}, 240_000);

	test.skipIf(missing !== undefined)(
		`is the same store after ${KILLS} kills, in PostgreSQL`,
		async () => {
			const from = await givenStore();
			const to = postgres?.connectionString ?? "";
			const folder = temporaryFolder();
			const target = [
				"--to",
				to,
				"--to-key-file",
				join(folder, "keys.json"),
				"--to-videos",
				join(folder, "data"),
			];
			const client = new pg.Client({ connectionString: to });
			await client.connect();
			const held = async () => {
				const { rows } = await client
					.query("SELECT count(*) AS held FROM reelkeep.events")
					.catch(() => ({ rows: [{ held: 0 }] }));
				return Number(rows[0]?.held);
			};
			expect(await killAndFinish(["--from", from, ...target], held)).toBeGreaterThanOrEqual(
				Math.floor(KILLS / 3),
			);
			await client.end();
			const { events, checkpoints, close } = await openPostgresStores({
				connectionString: to,
				access: "read",
				clock: systemClock,
				logger: silentLogger,
			});
			expect(await keptOf(events)).toEqual(await keptIn(from));
			const places: string[] = [];
			for await (const { position } of events.readAll()) places.push(position);
			const listed = new Map((await checkpoints.list()).map(({ name, position }) => [name, position]));
			expect(listed).toEqual(
				new Map([
					["billing", places[EVENTS / 2 - 1]],
					["mail", places[6]],
				]),
			);
			await close();
		},
		240_000,
	);

	test("says on Ctrl-C that it goes on when it runs again", async () => {
		const from = await givenStore();
		const to = join(temporaryFolder(), "copy");
		const child = spawn(process.execPath, [entry, "copy", "--from", from, "--to", to], {
			stdio: ["ignore", "ignore", "pipe"],
		});
		let said = "";
		child.stderr.on("data", (chunk: Buffer) => {
			said += chunk.toString("utf8");
		});
		const ended = new Promise((resolve) => child.once("close", resolve));
		await expect
			.poll(
				() =>
					keptIn(to).then(
						({ length }) => length,
						() => 0,
					),
				{ timeout: 20_000 },
			)
			.toBeGreaterThan(0);
		child.kill("SIGINT");
		expect(await ended).toBe(130);
		expect(said).toMatch(/reelkeep: the copy is not whole; run the same command again, and it goes on\n$/);
		const { length } = await keptIn(to);
		expect(length).toBeLessThan((await keptIn(from)).length);
		expect((await runCommand(entry, ["copy", "--from", from, "--to", to])).code).toBe(0);
		expect(await keptIn(to)).toEqual(await keptIn(from));
	}, 120_000);
});
