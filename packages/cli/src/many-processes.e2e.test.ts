// Four `reelkeep serve` on one PostgreSQL and one bucket, 64 reporters at each, one of them killed every second: what was
// acknowledged is there, once, its video too, and who follows the log sees all of it in its order.
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
import { createReporters, type StatedLink } from "@reelkeep/harness/reporters";
import { s3Missing, startS3, type TestS3 } from "@reelkeep/harness/swift";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { createPostgresEventStore } from "@reelkeep/storage-postgres";
import { openS3Videos } from "@reelkeep/storage-s3";
import { type ObjectStore, startObjectStore } from "@reelkeep/testing";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

const KILLS = Number(process.env.REELKEEP_PROCESS_KILLS ?? 10);
const PROCESSES = 4;
/** At once from one host, in each process. */
const MAX_DOWNLOADS = 4;
const HOUR_MS = 3_600_000;
const REPORTERS = 64;
const BETWEEN_KILLS_MS = 1_000;
/** Of so many recordings one has a video that is there. */
const LIVE_EVERY = 64;
/** A dead process's lease is over by then, and who stands by has asked for it. */
const TAKEOVER_MS = 45_000;
const missing = postgresMissing() ?? s3Missing();
if (missing !== undefined && process.env.CI !== undefined) throw new Error(missing);

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const receiver = temporaryReceiver(entry);
const running = new Map<number, KillableServe>();
const ports = new Map<number, number>();
let postgres: TestPostgres | undefined;
let s3: TestS3 | undefined;
let origin: ObjectStore | undefined;
const links = new Map<string, StatedLink>();

/** Most links are expired: such a recording comes to rest at the archiver's first look. */
function linkOf(track: string): StatedLink {
	if (!isLive(track) || origin === undefined) {
		return { url: `http://127.0.0.1:1/${track}.mp4?Expires=1`, expiresAtMs: 1 };
	}
	const known = links.get(track);
	if (known !== undefined) return known;
	origin.put(track, videoOf(track));
	const expiresAtMs = Date.now() + HOUR_MS;
	const link = { url: origin.presign(track, expiresAtMs), expiresAtMs };
	links.set(track, link);
	return link;
}
const isLive = (track: string): boolean => Number(track.slice("track-".length)) % LIVE_EVERY === 0;
const videoOf = (track: string): Buffer => Buffer.from(`video of ${track} `.repeat(10_000));
const reporters = createReporters({ count: REPORTERS, linkOf });

beforeAll(async () => {
	if (missing !== undefined) return;
	[postgres, s3, origin] = await Promise.all([startPostgres(), startS3(), startObjectStore()]);
}, 90_000);
afterAll(async () => {
	for (const serve of running.values()) serve.signal("SIGKILL");
	await Promise.all([...running.values()].map(({ ended }) => ended));
	await receiver.dispose();
	await Promise.all([postgres?.stop(), s3?.stop(), origin?.close()]);
}, 60_000);

async function start(index: number): Promise<KillableServe> {
	const port = ports.get(index) ?? (await freePort());
	ports.set(index, port);
	const command = serveCommand(entry, join(receiver.directory, `process-${index}`)).map((word) =>
		word === "127.0.0.1:0" ? `127.0.0.1:${port}` : word,
	);
	const serve = startKillable({
		command: [...command, ...sharing("keys.json")],
		environment: keysOfBucket(),
	});
	running.set(index, serve);
	return serve;
}

function keysOfBucket(): Readonly<Record<string, string>> {
	const { accessKeyId = "", secretAccessKey = "" } = s3?.credentials ?? {};
	return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

function sharing(keyFile: string): readonly string[] {
	const keys = ["--key-file", join(receiver.directory, "..", keyFile)];
	const { endpoint = "", region = "", bucket = "" } = s3 ?? {};
	const place = `region=${region}&endpoint=${endpoint}&path-style=true&create-only=look-first`;
	const videos = ["--videos", `s3://${bucket}/reelkeep?${place}`];
	return [...keys, "--events", postgres?.connectionString ?? "", ...videos];
}

/** Every video once, in the log and in the bucket, and its bytes. */
async function expectVideos(
	archived: readonly RecordedEvent[],
	trackOf: ReadonlyMap<string, string>,
	live: readonly string[],
): Promise<void> {
	if (s3 === undefined || origin === undefined) throw new Error("nothing runs");
	const tracks = archived.map(({ stream }) => trackOf.get(stream) ?? "").sort();
	expect(tracks).toEqual([...live].sort());
	const { endpoint, region, credentials, bucket, pathStyle } = s3;
	const place = { endpoint, region, credentials, bucket, pathStyle, prefix: "reelkeep" };
	const { videos, close } = await openS3Videos({ ...place, logger: silentLogger });
	for (const { stream, data } of archived) {
		const receipt = data.receipt as { readonly location: string; readonly sha256: string };
		expect(await videos.stat(stream)).toMatchObject({ location: receipt.location, sha256: receipt.sha256 });
		const bytes: Uint8Array[] = [];
		for await (const chunk of videos.open(receipt.location)) bytes.push(chunk);
		expect(Buffer.concat(bytes).equals(videoOf(trackOf.get(stream) ?? ""))).toBe(true);
		expect(await videos.findPartial(stream)).toBeUndefined();
	}
	await close();
	const downloads = live.map((track) => origin?.requests(track) ?? 0);
	const again = downloads.filter((times) => times > 1).length;
	console.log(`${live.length} videos kept, each once; ${again} asked for more than once, ${KILLS} kills`);
	// What a killed process was at, another asks for again; and each may change hands between those that live.
	expect(downloads.reduce((sum, times) => sum + times - 1, 0)).toBeLessThanOrEqual(
		KILLS * MAX_DOWNLOADS * PROCESSES,
	);
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
		const refused = startKillable({
			command: [...stranger, ...sharing("other-keys.json")],
			environment: keysOfBucket(),
		});
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
		const archived = new Set<string>();
		const stopping = new AbortController();
		const following = (async () => {
			const deps = { store, clock: systemClock, logger: silentLogger };
			for await (const one of followLog(deps, { signal: stopping.signal, pollIntervalMs: 20 })) {
				if (one._tag !== "Event") continue;
				followed.push(one.event.id);
				if (one.event.type === "RecordingArchived") archived.add(one.event.stream);
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
		const live = [...reporters.acknowledged].filter(isLive);
		await expect
			.poll(() => archived.size, { timeout: TAKEOVER_MS + live.length * 200, interval: 500 })
			.toBe(live.length);
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
		const trackOf = new Map<string, string>();
		for (const { type, stream, data } of log) {
			const track = String((data as { readonly trackInfo?: unknown }).trackInfo);
			if (type !== "RecordingReported") continue;
			reports.set(track, (reports.get(track) ?? 0) + 1);
			trackOf.set(stream, track);
		}
		await expectVideos(
			log.filter(({ type }) => type === "RecordingArchived"),
			trackOf,
			live,
		);
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
