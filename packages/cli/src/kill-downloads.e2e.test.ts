// `kill -9` in the middle of downloads: what was marked as durable is not downloaded again, no two objects are mixed, and
// what was committed is adopted. The origin lives in another process than the one that dies: what it was asked counts.
//
// REELKEEP_KILLS: how many hit several downloads at once, five times over (default 50, so 10).

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type KillableServe, serveCommand, startKillable } from "@reelkeep/testing/killable-serve";
import type { ObjectFault } from "@reelkeep/testing/object-fault";
import { type AskedRequest, type ObjectStore, startObjectStore } from "@reelkeep/testing/object-store";
import { putSlowVideo, type SlowVideo } from "@reelkeep/testing/slow-videos";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/testing/temporary-receiver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leavePending, reportLinks } from "./test-pending.js";

const _KILLS = Math.ceil(Number(process.env.REELKEEP_KILLS ?? 50) / 5);
const MIB = 1024 * 1024;
/** 4 MiB a second at most. */
const DRIP: ObjectFault = { _tag: "Drip", chunkBytes: 64 * 1024, delayMs: 15 };
const _BYTES_PER_SECOND = 4 * MIB;
const VIDEO_BYTES = 28 * MIB;
/** Four seconds: a few marks. */
const KILL_AT_BYTES = 16 * MIB;
/** Marks are made every second; three syncs of a busy disk come on top. */
const DURABLE_AFTER_MS = 3_000;
/** Between the origin and the file. */
const ON_THE_WAY_BYTES = 4 * MIB;
const PATIENCE_MS = 30_000;
const AT_ONCE = 6;

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LOOPBACK = ["--allow-host", "127.0.0.1", "--allow-private-network"];
const running = new Set<KillableServe>();
const receivers: TemporaryReceiver[] = [];
let origin: ObjectStore;

beforeAll(async () => {
	// Only the ETag tells one object from another: a mixture would be found by nothing else.
	origin = await startObjectStore({ habits: { etag: "parts" } });
});
afterAll(async () => {
	for (const { signal } of running) signal("SIGKILL");
	await Promise.all([...running].map(({ ended }) => ended));
	await Promise.all(receivers.map((receiver) => receiver.dispose()));
	await origin.close();
});

function newReceiver(): TemporaryReceiver {
	const receiver = temporaryReceiver(entry);
	receivers.push(receiver);
	return receiver;
}

async function start({ directory }: TemporaryReceiver) {
	const flags = ["--concurrency", String(AT_ONCE), "--concurrency-per-host", String(AT_ONCE)];
	const serve = startKillable({ command: [...serveCommand(entry, directory), ...flags] });
	running.add(serve);
	const address = await serve.ready;
	if (address === undefined) throw new Error(`the receiver does not start any more: ${serve.log()}`);
	return { serve, address };
}

async function end(serve: KillableServe, signal: NodeJS.Signals): Promise<void> {
	serve.signal(signal);
	const code = await serve.ended;
	running.delete(serve);
	expect([code, serve.log()]).toEqual([signal === "SIGKILL" ? null : 0, ""]);
}

interface Partial {
	readonly bytes: number;
	/** By the last line of its note; 0 without one. */
	readonly marked: number;
}

function partialsIn({ directory }: TemporaryReceiver): readonly Partial[] {
	const folder = join(directory, "videos", "partial");
	return readdirSync(folder)
		.filter((name) => name.endsWith(".part"))
		.map((name) => {
			const note = join(folder, name.replace(/part$/, "note"));
			const lines = existsSync(note) ? readFileSync(note, "utf8").split("\n").slice(1, -1) : [];
			return {
				bytes: statSync(join(folder, name)).size,
				marked: Number(lines.at(-1)?.split(" ")[0] ?? 0),
			};
		});
}

const served = (requests: readonly AskedRequest[]): number =>
	requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);

/** What was served of an object by when. */
async function watchServed(name: string, toBytes: number) {
	const history: { readonly at: number; readonly bytes: number }[] = [];
	for (const giveUpAt = Date.now() + PATIENCE_MS; Date.now() < giveUpAt; await pause(20)) {
		history.push({ at: Date.now(), bytes: served(origin.asked(name)) });
		if ((history.at(-1)?.bytes ?? 0) >= toBytes) break;
	}
	const last = history.at(-1)?.at ?? 0;
	return (agoMs: number): number => history.findLast(({ at }) => at <= last - agoMs)?.bytes ?? 0;
}

/** A download that has come so far; resolves with what its origin had served how long ago. */
async function downloadSome(receiver: TemporaryReceiver, name: string) {
	const video = await putSlowVideo(origin, { name, extraBytes: VIDEO_BYTES, slowTimes: 0 });
	origin.fault(name, DRIP);
	const { serve, address } = await start(receiver);
	await reportLinks(address, [video.link]);
	const servedAgo = await watchServed(name, KILL_AT_BYTES);
	return { serve, video, servedAgo };
}

/** All of them, whole, said once, and nothing besides. */
async function expectKept(
	receiver: TemporaryReceiver,
	videos: readonly Pick<SlowVideo, "bytes" | "sha256">[],
	adopted: readonly boolean[] = [false],
): Promise<void> {
	// On a busy machine a try may fail by itself: the next one counts.
	const isOutcome = ({ type }: { readonly type: string }): boolean =>
		type !== "RecordingReported" && type !== "ArchiveAttemptFailed";
	const said = async () => (await receiver.events()).filter(isOutcome);
	const isDone = async (): Promise<boolean> => (await said()).length >= videos.length;
	for (const giveUpAt = Date.now() + PATIENCE_MS; !(await isDone()) && Date.now() < giveUpAt; )
		await pause(100);
	const events = await said();
	expect(events.map(({ type }) => type)).toEqual(videos.map(() => "RecordingArchived"));
	const receipts = events.map(({ data }) => data.receipt as Record<string, unknown>);
	const bySha256 = (one: { sha256?: unknown }, other: { sha256?: unknown }): number =>
		String(one.sha256) < String(other.sha256) ? -1 : 1;
	expect(receipts.map(({ bytes, sha256 }) => ({ bytes, sha256 })).sort(bySha256)).toEqual(
		videos.map(({ bytes, sha256 }) => ({ bytes, sha256 })).sort(bySha256),
	);
	for (const { data } of events) {
		expect(adopted).toContain(data.adopted);
		expect(data.receipt).toMatchObject({ lengthVerified: !data.adopted });
	}
	for (const { location, sha256 } of receipts) {
		const file = readFileSync(join(receiver.directory, String(location)));
		expect(createHash("sha256").update(file).digest("hex")).toBe(sha256);
	}
	const files = readdirSync(join(receiver.directory, "videos"), { recursive: true, withFileTypes: true });
	expect(files.filter((file) => file.isFile()).length).toBe(videos.length);
	expect(readdirSync(join(receiver.directory, "videos", "partial"))).toEqual([]);
}

describe.concurrent("a download that is interrupted", () => {
	test("by kill -9 is gone on with from what was durable", async ({ expect }) => {
		const receiver = newReceiver();
		const { serve, video, servedAgo } = await downloadSome(receiver, "killed.mp4");
		await end(serve, "SIGKILL");
		const [left, ...others] = partialsIn(receiver);
		expect(others).toEqual([]);
		const { marked = 0, bytes = 0 } = left ?? {};
		expect(marked).toBeGreaterThan(0);
		expect(bytes).toBeGreaterThanOrEqual(marked);
		expect(marked).toBeGreaterThanOrEqual(servedAgo(DURABLE_AFTER_MS) - ON_THE_WAY_BYTES);

		const again = await start(receiver);
		await expectKept(receiver, [video]);
		const [first, second, ...more] = origin.asked("killed.mp4");
		expect(more).toEqual([]);
		expect(first).toMatchObject({ status: 200 });
		expect(second).toMatchObject({
			status: 206,
			range: `bytes=${marked}-`,
			bodyBytes: video.bytes - marked,
		});
		const lost = (first?.bodyBytes ?? 0) - marked;
		expect(served(origin.asked("killed.mp4"))).toBe(video.bytes + lost);
		expect(lost).toBeLessThan(video.bytes / 2);
		await end(again.serve, "SIGTERM");
	});

	test("by a stop in good order is gone on with from where it was", async ({ expect }) => {
		const receiver = newReceiver();
		const { serve, video } = await downloadSome(receiver, "stopped.mp4");
		await end(serve, "SIGTERM");
		const [left] = partialsIn(receiver);
		const { marked = 0, bytes } = left ?? {};
		expect(bytes).toBe(marked);
		expect(marked).toBeGreaterThan(KILL_AT_BYTES - ON_THE_WAY_BYTES);

		const again = await start(receiver);
		await expectKept(receiver, [video]);
		expect(origin.asked("stopped.mp4").slice(1)).toMatchObject([
			{ status: 206, range: `bytes=${marked}-`, bodyBytes: video.bytes - marked },
		]);
		expect(served(origin.asked("stopped.mp4"))).toBeLessThan(video.bytes + ON_THE_WAY_BYTES);
		await end(again.serve, "SIGTERM");
	});

	test("is begun anew when the object is another one by then, though as long", async ({ expect }) => {
		const receiver = newReceiver();
		const { serve, video } = await downloadSome(receiver, "changed.mp4");
		await end(serve, "SIGKILL");
		expect(partialsIn(receiver)[0]?.marked).toBeGreaterThan(0);
		const other = await putSlowVideo(origin, { name: "changed.mp4", extraBytes: VIDEO_BYTES, slowTimes: 0 });
		expect(other.bytes).toBe(video.bytes);

		const again = await start(receiver);
		await expectKept(receiver, [other]);
		const [, ...later] = origin.asked("changed.mp4");
		expect(later[0]).toMatchObject({
			range: expect.stringMatching(/^bytes=[1-9]/),
			status: 412,
			bodyBytes: 0,
		});
		expect(later.slice(1)).toMatchObject([{ status: 200, bodyBytes: other.bytes }]);
		expect(later[1]?.range).toBeUndefined();
		await end(again.serve, "SIGTERM");
	});
});

// The library's own parts, but for one thing: when it comes to a certain point, it is dead.
const SUICIDE = `
	import { archiver } from "@reelkeep/archiver";
	import { createReelkeep } from "@reelkeep/core/container";
	import { EVENT_STORE } from "@reelkeep/core/ports";
	import { createNodeFileSystem, fsStorage } from "@reelkeep/storage-fs";

	const [directory, point] = process.argv.slice(1);
	const reach = (here) => {
		if (here === point) process.kill(process.pid, "SIGKILL");
	};
	const disk = createNodeFileSystem();
	let isLinked = false;
	const fileSystem = {
		...disk,
		async link(existing, added) {
			await disk.link(existing, added);
			if (!existing.endsWith(".part")) return;
			isLinked = true;
			reach("linked");
		},
		async unlink(path) {
			await disk.unlink(path);
			if (isLinked && path.endsWith(".note")) reach("half removed");
		},
	};
	const watched = (events) => ({
		...events,
		async append(stream, added, ...more) {
			if (added.some(({ type }) => type === "RecordingArchived")) reach("event");
			return events.append(stream, added, ...more);
		},
	});
	const storage = fsStorage({ directory, fileSystem });
	const wrapped = {
		...storage,
		register(registry) {
			const provide = (token, make) =>
				registry.provide(token, token === EVENT_STORE ? (get) => watched(make(get)) : make);
			storage.register({ ...registry, provide });
		},
	};
	const archiving = archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
	const reelkeep = createReelkeep({ plugins: [wrapped, archiving] });
	await reelkeep.start();
	await archiving.whenIdle();
	console.error("still alive");
	await reelkeep.stop();
`;

describe.concurrent("a video that is committed, but not told of", () => {
	test.each([
		["linked", "serve"],
		["half removed", "serve"],
		["event", "archive"],
	])("is adopted without a download (killed at: %s)", async (point, by) => {
		const receiver = newReceiver();
		const name = `${point.replace(" ", "-")}.mp4`;
		const video = await putSlowVideo(origin, { name, extraBytes: MIB, slowTimes: 0 });
		// Long enough for a note beside the bytes.
		origin.fault(name, { _tag: "Drip", chunkBytes: 16 * 1024, delayMs: 20 });
		await leavePending(entry, receiver.directory, [video.link]);
		const command = ["--input-type=module", "-e", SUICIDE, receiver.directory, point];
		const doomed = startKillable({ command, folder: fileURLToPath(new URL("..", import.meta.url)) });
		running.add(doomed);
		expect([await doomed.ended, doomed.log()]).toEqual([null, ""]);
		running.delete(doomed);
		expect((await receiver.events()).at(-1)?.type).not.toBe("RecordingArchived");

		if (by === "archive") {
			const { code, stdout } = await receiver.run("archive", ...LOOPBACK);
			expect([code, stdout]).toEqual([0, "1 archived, 0 lost, 0 pending\n"]);
		}
		const again = await start(receiver);
		await expectKept(receiver, [video], [true]);
		expect(origin.asked(name)).toMatchObject([{ status: 200, bodyBytes: video.bytes }]);
		await end(again.serve, "SIGTERM");
	});
});
