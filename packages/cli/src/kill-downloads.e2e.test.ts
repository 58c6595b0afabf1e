// `kill -9` in the middle of downloads: what was marked as durable is not downloaded again, no two objects are mixed, and
// what was committed is adopted. The origin lives in another process than the one that dies: what it was asked counts.
//
// REELKEEP_KILLS: how many hit several downloads at once, five times over (default 50, so 10).

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createDraw } from "@reelkeep/harness/hostile-random";
import { type KillableServe, serveCommand, startKillable } from "@reelkeep/harness/killable-serve";
import { putSlowVideo, type SlowVideo } from "@reelkeep/harness/slow-videos";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { type AskedRequest, type ObjectFault, type ObjectStore, startObjectStore } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leavePending, reportLinks } from "./test-pending.js";

const KILLS = Math.ceil(Number(process.env.REELKEEP_KILLS ?? 50) / 5);
const MIB = 1024 * 1024;
const DRIP: ObjectFault = { _tag: "Drip", chunkBytes: 64 * 1024, delayMs: 15 };
/** At most, of that. */
const BYTES_PER_SECOND = (64 * 1024 * 1000) / 15;
const VIDEO_BYTES = 28 * MIB;
/** Four seconds: a few marks. */
const KILL_AT_BYTES = 16 * MIB;
/** Marks are made every second; the syncs of a busy disk come on top. */
const MOST_LOST_BYTES = 2.5 * BYTES_PER_SECOND;
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
	expect([code ?? 0, serve.log()]).toEqual([0, ""]);
}

/** What downloads have left. `marked`: by the last line of the note; 0 without one. */
function partialsIn({ directory }: TemporaryReceiver) {
	const folder = join(directory, "videos", "partial");
	const names = readdirSync(folder).filter((name) => name.endsWith(".part"));
	return names.map((name) => {
		const note = join(folder, name.replace(/part$/, "note"));
		const marks = existsSync(note) ? readFileSync(note, "utf8").split("\n").slice(1, -1) : [];
		return { bytes: statSync(join(folder, name)).size, marked: Number(marks.at(-1)?.split(" ")[0] ?? 0) };
	});
}

const served = (requests: readonly AskedRequest[]): number =>
	requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);

/** A download that has come so far. */
async function downloadSome(receiver: TemporaryReceiver, name: string) {
	const video = await putSlowVideo(origin, { name, extraBytes: VIDEO_BYTES, slowTimes: 0 });
	origin.fault(name, DRIP);
	const { serve, address } = await start(receiver);
	await reportLinks(address, [video.link]);
	await waitUntil(() => served(origin.asked(name)) >= KILL_AT_BYTES);
	return { serve, video };
}

async function waitUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
	for (const giveUpAt = Date.now() + PATIENCE_MS; !(await isSo()) && Date.now() < giveUpAt; ) await pause(50);
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
	await waitUntil(async () => (await said()).length >= videos.length);
	const events = await said();
	expect(events.map(({ type }) => type)).toEqual(videos.map(() => "RecordingArchived"));
	const receipts = events.map(({ data }) => data.receipt as Record<string, unknown>);
	const wordsOf = ({ bytes, sha256 }: { readonly bytes?: unknown; readonly sha256?: unknown }): string =>
		`${bytes} bytes with ${sha256}`;
	expect(receipts.map(wordsOf).sort()).toEqual(videos.map(wordsOf).sort());
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
	test.for(["SIGKILL", "SIGTERM"] as const)("by %s is gone on with", async (signal, { expect }) => {
		const receiver = newReceiver();
		const name = `${signal}.mp4`;
		const { serve, video } = await downloadSome(receiver, name);
		await end(serve, signal);
		const [left, ...others] = partialsIn(receiver);
		expect(others).toEqual([]);
		const { marked = 0, bytes = 0 } = left ?? {};
		expect(marked).toBeGreaterThan(0);
		// A stop in good order marks all that came.
		if (signal === "SIGTERM") expect(bytes).toBe(marked);
		const mostLost = (signal === "SIGTERM" ? 0 : MOST_LOST_BYTES) + ON_THE_WAY_BYTES;

		const again = await start(receiver);
		await expectKept(receiver, [video]);
		const [first, ...later] = origin.asked(name);
		expect(later).toMatchObject([
			{ status: 206, range: `bytes=${marked}-`, bodyBytes: video.bytes - marked },
		]);
		expect((first?.bodyBytes ?? 0) - marked).toBeLessThan(mostLost);
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
		const [, refused, whole, ...more] = origin.asked("changed.mp4");
		expect(refused).toMatchObject({ range: expect.stringMatching(/^bytes=[1-9]/), status: 412 });
		expect(whole).toMatchObject({ status: 200, bodyBytes: other.bytes });
		expect([whole?.range, ...more]).toEqual([undefined]);
		await end(again.serve, "SIGTERM");
	});
});

/** Where the answer to `request` was asked to begin. */
const startOf = ({ range = "" }: AskedRequest): number => Number(/\d+/.exec(range)?.[0] ?? 0);

test.concurrent(`several downloads at once are all kept in ${KILLS} times kill -9`, {
	timeout: 60_000 + KILLS * 5_000,
}, async ({ expect }) => {
	const receiver = newReceiver();
	const videos = await Promise.all(
		Array.from({ length: AT_ONCE }, (_, index) =>
			putSlowVideo(origin, { name: `${index}.mp4`, extraBytes: (10 + 6 * index) * MIB, slowTimes: 0 }),
		),
	);
	for (const { name } of videos) origin.faultForever(name, DRIP);
	const links = videos.map(({ link }) => link);
	await leavePending(entry, receiver.directory, links);
	const asked = () => videos.map(({ name }) => origin.asked(name));
	let marks: readonly number[] = [];
	let resumed = 0;
	for (let round = 0; round < KILLS; round += 1) {
		const draw = createDraw(3, round);
		const before = asked().map(({ length }) => length);
		const { serve } = await start(receiver);
		await pause(draw.int(3_000));
		if (draw.once(4)) {
			serve.signal("SIGTERM");
			await pause(draw.int(10));
		}
		await end(serve, "SIGKILL");
		// Of one that is there already the last byte is asked for again.
		const goingOn = marks.flatMap((mark) => [mark, mark - 1]);
		const starts = asked().flatMap((requests, index) =>
			requests.slice(before[index]).slice(0, 1).map(startOf),
		);
		expect(starts.filter((start) => start > 0 && !goingOn.includes(start))).toEqual([]);
		expect(starts.filter((start) => start === 0).length).toBeLessThanOrEqual(AT_ONCE - marks.length);
		resumed += starts.filter((start) => start > 0).length;
		marks = partialsIn(receiver).flatMap(({ marked }) => (marked > 0 ? [marked] : []));
	}
	for (const { name } of videos) origin.faultForever(name, undefined);
	const { serve } = await start(receiver);
	await expectKept(receiver, videos, [false, true]);
	await end(serve, "SIGTERM");
	const whole = videos.reduce((sum, { bytes }) => sum + bytes, 0);
	const lost = served(asked().flat()) - whole;
	console.log(`${KILLS} kills; resumed ${resumed} times; ${lost} bytes served again, besides ${whole}`);
	expect(lost).toBeLessThan(KILLS * AT_ONCE * MOST_LOST_BYTES);
	// It was as hard as it claims.
	if (KILLS >= 10) expect(resumed).toBeGreaterThan(0);
});

// The library's own parts, but for one thing: when it comes to a certain point, it is dead.
const DOOMED = `
	import { archiver } from "@reelkeep/archiver";
	import { createReelkeep } from "@reelkeep/core/container";
	import { EVENT_STORE } from "@reelkeep/core/ports";
	import { createNodeFileSystem, fsStorage } from "@reelkeep/storage-fs";

	const [directory, point] = process.argv.slice(1);
	const reach = (here, isIt) => {
		if (here === point && isIt) process.kill(process.pid, "SIGKILL");
	};
	const disk = createNodeFileSystem();
	const fileSystem = {
		...disk,
		link: (from, to) => disk.link(from, to).then(() => reach("linked", from.endsWith(".part"))),
		unlink: (path) => disk.unlink(path).then(() => reach("half removed", path.endsWith(".note"))),
	};
	const watched = (events) => ({
		...events,
		async append(stream, added, expected) {
			reach("event", added.some(({ type }) => type === "RecordingArchived"));
			return events.append(stream, added, expected);
		},
	});
	const storage = fsStorage({ directory, fileSystem });
	const wrapped = {
		...storage,
		register: ({ provide }) =>
			storage.register({
				provide: (token, make) => provide(token, token === EVENT_STORE ? (get) => watched(make(get)) : make),
			}),
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
		const video = await putSlowVideo(origin, { name, extraBytes: 2 * MIB, slowTimes: 0 });
		// Long enough for a note beside the bytes.
		origin.fault(name, { _tag: "Drip", chunkBytes: 16 * 1024, delayMs: 20 });
		await leavePending(entry, receiver.directory, [video.link]);
		const command = ["--input-type=module", "-e", DOOMED, receiver.directory, point];
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
