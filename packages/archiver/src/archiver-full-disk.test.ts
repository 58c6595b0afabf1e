import { storeFault, type VideoSource, type VideoStore } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import type { Archiver } from "./archiver.js";
import { createBlockWriters } from "./block-writer.js";
import { createDiskSpace } from "./disk-space.js";
import { keepVideo } from "./keep-video.js";
import {
	eventually,
	LOCAL,
	NAME,
	origin,
	presign,
	QUICK,
	scene,
	start,
	typesOf,
	video,
} from "./test-archiving.js";

const CONCURRENCY = 4;
const KIB = 1_024;

/** A store of memory with so many bytes free as a test says. */
function diskWith(freeBytes: number) {
	const disk = { freeBytes };
	const videoStore: VideoStore = { ...scene.videoStore, freeBytes: async () => disk.freeBytes };
	return { disk, videoStore };
}

/** Slow enough for attempts that are begun together to be seen together; `most` since it was last set. */
function counting() {
	const seen = { most: 0, opened: 0 };
	let open = 0;
	const source: VideoSource = {
		async open(link, options) {
			open += 1;
			seen.opened += 1;
			seen.most = Math.max(seen.most, open);
			await new Promise((resolve) => setTimeout(resolve, 10));
			open -= 1;
			return LOCAL.open(link, options);
		},
	};
	return { seen, source };
}

const begin = (videoStore: VideoStore, source: VideoSource = LOCAL): Archiver =>
	start(
		{ videoStore, source, random: () => 0 },
		{ concurrency: CONCURRENCY, reserveBytes: 0, retry: { ...QUICK, maxDelayMs: 300_000 } },
	);
const reportMany = (count: number, name = NAME) =>
	Promise.all(
		Array.from({ length: count }, (_, at) => scene.report(presign(name), { trackInfo: `track-${at}` })),
	);
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));
const messagesOf = async (archiver: Archiver): Promise<string> =>
	(await archiver.check()).map(({ message }) => message).join("\n");
const failuresOf = async (streams: readonly string[]) =>
	(await Promise.all(streams.map(scene.history)))
		.flat()
		.flatMap((event) => (event.type === "ArchiveAttemptFailed" ? [event.data] : []));
/** Lets pauses and delays pass until `stream` is kept. */
async function untilKept(stream: string): Promise<void> {
	await eventually(async () => {
		scene.clock.shift(5_000);
		return typesOf(await scene.history(stream)).includes("RecordingArchived");
	});
}

describe("a full disk", () => {
	it("pauses everything, is shown, is probed by one download at a time, and everything goes on once it has room", async () => {
		const { disk, videoStore } = diskWith(0);
		const { seen, source } = counting();
		const streams = await reportMany(10);
		const archiver = begin(videoStore, source);
		await eventually(async () => (await messagesOf(archiver)).includes("the disk is full"));
		await pause();
		expect(seen).toEqual({ most: CONCURRENCY, opened: CONCURRENCY });
		for (let probes = 1; probes <= 3; probes += 1) {
			seen.most = 0;
			scene.clock.shift(60_000 * probes);
			await eventually(() => seen.opened === CONCURRENCY + probes);
			await pause();
			expect(seen).toEqual({ most: 1, opened: CONCURRENCY + probes });
			expect(await messagesOf(archiver)).toContain("the disk is full");
		}
		disk.freeBytes = 10 ** 9;
		for (const stream of streams) await untilKept(stream);
		await eventually(async () => (await archiver.check()).length === 0);
		expect(await failuresOf(streams)).toHaveLength(CONCURRENCY + 3);
	}, 20_000);

	it("loses no recording, however long it lasts, and asks its origin again behind the deadline", async () => {
		const { disk, videoStore } = diskWith(0);
		const link = origin.presign(NAME, scene.clock.now() + 48 * 3_600_000);
		const stream = await scene.report(link, { expireTime: scene.clock.now() + 3_600_000 });
		begin(videoStore);
		await scene.until(stream, "ArchiveAttemptFailed");
		for (let times = 1; times <= 5; times += 1) {
			const before = origin.requests(NAME);
			scene.clock.shift(3_600_000);
			// What still ended as time was shifted is due a little later.
			await eventually(() => {
				scene.clock.shift(60_000);
				return origin.requests(NAME) > before;
			});
		}
		// The same obstacle says nothing new: it is said once.
		expect(typesOf(await scene.history(stream))).toEqual(["RecordingReported", "ArchiveAttemptFailed"]);
		disk.freeBytes = 10 ** 9;
		await untilKept(stream);
	});

	it("is still probed by one at a time when a probe failed before it came to the disk", async () => {
		const { videoStore } = diskWith(0);
		const { seen, source } = counting();
		await reportMany(CONCURRENCY);
		await scene.report(presign("none.mp4"), { trackInfo: "none", expireTime: scene.clock.now() + 3_500_000 });
		await scene.report(presign("none.mp4"), { trackInfo: "none-2" });
		begin(videoStore, source);
		await eventually(() => seen.opened >= CONCURRENCY);
		await pause();
		seen.most = 0;
		for (let times = 0; times < 4; times += 1) {
			scene.clock.shift(60_000);
			await pause();
		}
		expect(origin.requests("none.mp4")).toBeGreaterThan(0);
		expect(seen.most).toBe(1);
	});
});

describe("a disk that fails", () => {
	it("while videos are written is probed by one of them at a time, and all are kept afterwards", async () => {
		let isBroken = true;
		const videoStore: VideoStore = {
			...scene.videoStore,
			async begin(...begun) {
				const upload = await scene.videoStore.begin(...begun);
				const write = async (chunk: Uint8Array) => {
					if (isBroken) throw storeFault("io", "writing fails: input/output error");
					return upload.write(chunk);
				};
				return { ...upload, write };
			},
		};
		const { seen, source } = counting();
		const streams = await reportMany(8);
		const archiver = begin(videoStore, source);
		await eventually(async () => (await messagesOf(archiver)).includes("input/output error"));
		await pause();
		expect(seen.opened).toBe(CONCURRENCY);
		// On a busy machine the first may have failed before the last is opened.
		expect(seen.most).toBeLessThanOrEqual(CONCURRENCY);
		seen.most = 0;
		scene.clock.shift(60_000);
		await eventually(() => seen.opened === CONCURRENCY + 1);
		await pause();
		expect(seen).toEqual({ most: 1, opened: CONCURRENCY + 1 });
		isBroken = false;
		for (const stream of streams) await untilKept(stream);
		const failures = await failuresOf(streams);
		expect(failures).toEqual(
			failures.map(() => expect.objectContaining({ reason: "storage", tried: false })),
		);
		expect(failures).toHaveLength(CONCURRENCY + 1);
	}, 20_000);

	it("when it is asked for its room pauses too", async () => {
		let isBroken = true;
		const videoStore: VideoStore = {
			...scene.videoStore,
			freeBytes: () =>
				isBroken ? Promise.reject(storeFault("io", "the disk is gone")) : Promise.resolve(1e9),
		};
		const [stream = ""] = await reportMany(1);
		const archiver = begin(videoStore);
		await eventually(async () => (await messagesOf(archiver)).includes("the disk is gone"));
		isBroken = false;
		await untilKept(stream);
	});
});

describe("a video that is too large for the room there is", () => {
	it("waits by itself, is shown, stops none of the others, and is kept once there is room", async () => {
		const { disk, videoStore } = diskWith(4 * video.length);
		origin.put("large.mp4", new Uint8Array(5 * video.length).fill(7));
		const large = await scene.report(presign("large.mp4"), {
			trackInfo: "large",
			expireTime: scene.clock.now() + 1_800_000,
		});
		const others = await reportMany(6);
		const archiver = begin(videoStore);
		for (const stream of others) await scene.until(stream, "RecordingArchived");
		const history = await scene.until(large, "ArchiveAttemptFailed");
		expect(history.at(-1)?.data).toMatchObject({ reason: "no-room", tried: false });
		const messages = await messagesOf(archiver);
		expect(messages).toMatch(/no room for a video that takes \d+ bytes more.*1 recording waits/);
		expect(messages).not.toContain("the disk is full");
		disk.freeBytes = 10 ** 9;
		await untilKept(large);
	});

	it("does not have what another one was promised", async () => {
		const { videoStore } = diskWith(700 * KIB);
		for (const name of ["one.mp4", "two.mp4"]) {
			origin.put(name, new Uint8Array(500 * KIB).fill(7));
			origin.fault(name, { _tag: "Stall", afterBytes: 100 * KIB });
		}
		const one = await scene.report(presign("one.mp4"), { expireTime: scene.clock.now() + 1_800_000 });
		begin(videoStore);
		await eventually(() => origin.requests("one.mp4") === 1);
		await pause();
		const two = await scene.report(presign("two.mp4"));
		const history = await scene.until(two, "ArchiveAttemptFailed");
		expect(history.at(-1)?.data).toMatchObject({ reason: "no-room" });
		expect(typesOf(await scene.history(one))).toEqual(["RecordingReported"]);
	});

	it("has the room of what is held of it and is thrown away", async () => {
		const videoStore: VideoStore = {
			...scene.videoStore,
			freeBytes: async () => 600 * KIB - ((await scene.videoStore.findPartial("key"))?.bytes ?? 0),
		};
		const bytes = new Uint8Array(500 * KIB).fill(7);
		origin.put(
			"replaced.mp4",
			bytes.map((byte) => byte + 1),
		);
		origin.fault("replaced.mp4", { _tag: "Drop", afterBytes: 200 * KIB }, { _tag: "Replace", by: bytes });
		const space = createDiskSpace(videoStore, 0);
		const deps = {
			...scene,
			videoStore,
			space,
			source: LOCAL,
			random: () => 0,
			blocks: createBlockWriters(),
		};
		const keep = () => keepVideo(deps, "key", presign("replaced.mp4"), new AbortController().signal);
		expect(await keep()).toMatchObject({ failure: { reason: "broke-off" } });
		expect(await keep()).toMatchObject({ _tag: "Kept" });
	});
});
