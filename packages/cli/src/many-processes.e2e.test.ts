// Four `reelkeep serve` on one PostgreSQL, 64 reporters at each, one of them killed every second: what was acknowledged is
// there, once, and who follows the log sees all of it in its order.
//
// REELKEEP_PROCESS_KILLS: how many (default 10).

import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { followLog, type RecordedEvent, silentLogger } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { freePort } from "@reelkeep/harness/free-port";
import { createDraw } from "@reelkeep/harness/hostile-random";
import { type KillableServe, serveCommand, startKillable } from "@reelkeep/harness/killable-serve";
import { contradictions } from "@reelkeep/harness/log-witness";
import { postgresMissing, startPostgres, type TestPostgres } from "@reelkeep/harness/postgres";
import { createReporters } from "@reelkeep/harness/reporters";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { createPostgresEventStore } from "@reelkeep/storage-postgres";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

const KILLS = Number(process.env.REELKEEP_PROCESS_KILLS ?? 10);
const PROCESSES = 4;
const REPORTERS = 64;
const BETWEEN_KILLS_MS = 1_000;
const missing = postgresMissing();
if (missing !== undefined && process.env.CI !== undefined) throw new Error(missing);

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const receiver = temporaryReceiver(entry);
const running = new Map<number, KillableServe>();
const ports = new Map<number, number>();
let postgres: TestPostgres | undefined;

// The link is expired: a recording comes to rest at the archiver's first look.
const reporters = createReporters({
	count: REPORTERS,
	linkOf: (track) => ({ url: `http://127.0.0.1:1/${track}.mp4?Expires=1`, expiresAtMs: 1 }),
});

beforeAll(async () => {
	if (missing === undefined) postgres = await startPostgres();
}, 60_000);
afterAll(async () => {
	for (const serve of running.values()) serve.signal("SIGKILL");
	await Promise.all([...running.values()].map(({ ended }) => ended));
	await receiver.dispose();
	await postgres?.stop();
}, 60_000);

async function start(index: number): Promise<KillableServe> {
	const port = ports.get(index) ?? (await freePort());
	ports.set(index, port);
	const command = serveCommand(entry, join(receiver.directory, `process-${index}`)).map((word) =>
		word === "127.0.0.1:0" ? `127.0.0.1:${port}` : word,
	);
	const serve = startKillable({ command: [...command, ...sharing("keys.json")] });
	running.set(index, serve);
	return serve;
}

function sharing(keyFile: string): readonly string[] {
	return ["--key-file", join(receiver.directory, keyFile), "--events", postgres?.connectionString ?? ""];
}

/** New tracks, and now and then one that another process is just told of. */
function* tracks(isOver: () => boolean): Generator<string> {
	for (let serial = 1; !isOver(); serial += 1) {
		yield `track-${serial}`;
		if (serial % 5 === 0) yield `track-${serial}`;
	}
}

test.skipIf(missing !== undefined)(
	`loses nothing acknowledged, doubles nothing and hides nothing in ${KILLS} kills of ${PROCESSES} processes`,
	async () => {
		// The first makes the keys for all.
		expect(await (await start(0)).ready).toBeDefined();
		for (let index = 1; index < PROCESSES; index += 1) await start(index);
		const ready = await Promise.all([...running.values()].map((serve) => serve.ready));
		expect(ready.every((address) => address !== undefined)).toBe(true);

		const stranger = serveCommand(entry, join(receiver.directory, "stranger"));
		const refused = startKillable({ command: [...stranger, ...sharing("other-keys.json")] });
		expect(await refused.ended).toBe(1);
		expect(refused.log()).toContain("give the same key file to all of them");

		const pool = new pg.Pool({ connectionString: postgres?.connectionString });
		pool.on("error", () => undefined);
		const store = createPostgresEventStore({
			pool,
			schema: "reelkeep",
			clock: systemClock,
			logger: silentLogger,
		});
		store.open();
		const followed: string[] = [];
		const stopping = new AbortController();
		const following = (async () => {
			const deps = { store, clock: systemClock, logger: silentLogger };
			for await (const one of followLog(deps, { signal: stopping.signal, pollIntervalMs: 20 })) {
				if (one._tag === "Event") followed.push(one.event.id);
			}
		})();

		let isOver = false;
		const shared = tracks(() => isOver);
		const reporting = [...ports.values()].map((port) =>
			reporters.report(`http://127.0.0.1:${port}`, { [Symbol.iterator]: () => shared }),
		);
		const draw = createDraw(1, 9);
		for (let kill = 0; kill < KILLS; kill += 1) {
			await pause(BETWEEN_KILLS_MS);
			const victim = draw.int(PROCESSES);
			const serve = running.get(victim);
			serve?.signal("SIGKILL");
			expect(await serve?.ended).toBeNull();
			expect(serve?.log()).toBe("");
			await start(victim);
		}
		await Promise.all([...running.values()].map((serve) => serve.ready));
		await pause(BETWEEN_KILLS_MS);
		isOver = true;
		await Promise.all(reporting.map(({ finished }) => finished));
		for (const serve of running.values()) serve.signal("SIGTERM");
		expect(await Promise.all([...running.values()].map(({ ended }) => ended))).toEqual(
			Array(PROCESSES).fill(0),
		);

		const log: RecordedEvent[] = [];
		for await (const event of store.readAll()) log.push(event);
		await expect.poll(() => followed.length, { timeout: 20_000 }).toBe(log.length);
		stopping.abort();
		await following;
		await store.close();
		await pool.end();
		const reports = new Map<string, number>();
		for (const { type, data } of log) {
			const track = String((data as { readonly trackInfo?: unknown }).trackInfo);
			if (type === "RecordingReported") reports.set(track, (reports.get(track) ?? 0) + 1);
		}
		console.log(
			`${reporters.acknowledged.size} recordings acknowledged, ${reporters.duplicates()} of them reported twice, ${log.length} events`,
		);
		expect(reporters.acknowledged.size).toBeGreaterThan(KILLS * 20);
		expect(contradictions({ reports }, reporters)).toEqual([]);
		expect(reporters.unanswered()).toEqual([]);
		expect([...reporters.refusals.keys()].filter((word) => word !== "unavailable")).toEqual([]);
		expect(followed).toEqual(log.map(({ id }) => id));
	},
	KILLS * 15_000 + 120_000,
);
