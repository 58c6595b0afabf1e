import { createMemoryVideoStore } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import { storeFault, type VideoSource, type VideoStore } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { beforeEach, describe, expect, it } from "vitest";
import { createBlockWriters } from "./block-writer.js";
import { createDiskSpace } from "./disk-space.js";
import { keepVideo } from "./keep-video.js";
import { LOCAL, origin, presign } from "./test-archiving.js";
import type { DownloadedVideo } from "./verify-video.js";

const KEY = "recording-1";
const MIB = 1024 * 1024;
const RESERVE = 256 * MIB;
const STEP = 64 * MIB;
const LENGTH = 200 * MIB;
const BLOCK = Buffer.alloc(MIB, 7);

let disk: { freeBytes: number; lowest: number };
/** A store whose bytes go nowhere but take room; what is suspended stays, and has no other bytes than `BLOCK`'s. */
let videoStore: VideoStore;
let partial: { readonly resumeToken: string; readonly bytes: number; readonly note: string } | undefined;
let opened: number;

beforeEach(() => {
	disk = { freeBytes: 400 * MIB, lowest: 400 * MIB };
	partial = undefined;
	opened = 0;
	videoStore = {
		...createMemoryVideoStore(),
		freeBytes: async () => disk.freeBytes,
		findPartial: async () => partial,
		async removePartial() {
			disk.freeBytes += partial?.bytes ?? 0;
			partial = undefined;
		},
		begin,
	};
});

const begin: VideoStore["begin"] = async (_key, { note, resume } = {}) => {
	const held = resume === undefined ? undefined : partial;
	const kept = held?.note ?? note;
	partial = undefined;
	let bytes = held?.bytes ?? 0;
	for (let at = 0; at < bytes; at += MIB) resume?.onBytes?.(BLOCK);
	const digest = () => ({ bytes, sha256: "0".repeat(64) });
	const discard = async (): Promise<void> => {
		disk.freeBytes += bytes;
	};
	return {
		offset: bytes,
		async write(chunk) {
			if (disk.freeBytes < chunk.length) throw storeFault("io", "no space left on device");
			disk.freeBytes -= chunk.length;
			disk.lowest = Math.min(disk.lowest, disk.freeBytes);
			bytes += chunk.length;
		},
		digest: async () => digest(),
		commit: async () => ({ _tag: "Committed", video: { location: "nowhere", ...digest() } }),
		discard,
		async suspend() {
			if (kept === undefined) return discard();
			partial = { resumeToken: "1", bytes, note: kept };
		},
	};
};

/** A body of `LENGTH` bytes, which nothing says before it ends. */
function endless(stated: Partial<DownloadedVideo> = {}): VideoSource {
	return {
		async open(_link, { offset = 0 }) {
			opened += 1;
			const body = (async function* () {
				for (let at = offset; at < LENGTH; at += MIB) yield BLOCK;
			})();
			return { _tag: "Opened", offset, checksums: {}, isFramed: true, body, ...stated };
		},
	};
}

const space = () => createDiskSpace(videoStore, RESERVE);
function keep(source: VideoSource, { link = "http://unused/", room = space() } = {}) {
	const deps = { source, videoStore, clock: systemClock, random: Math.random, space: room };
	const rest = { logger: transcribingLogger(), blocks: createBlockWriters() };
	return keepVideo({ ...deps, ...rest }, KEY, link, new AbortController().signal);
}
const SHORT = { _tag: "Failed", failure: { reason: "no-room", message: expect.stringContaining("reserve") } };

describe("a video whose length nobody states", () => {
	it("stops before the reserve, and leaves less than a step of what is there beyond it", async () => {
		expect(await keep(endless({ validator: "v1" }))).toMatchObject(SHORT);
		expect(disk.lowest).toBeGreaterThanOrEqual(RESERVE);
		expect(disk.lowest).toBeLessThan(RESERVE + STEP);
	});

	it("stops there over HTTP as well", async () => {
		origin.put("long.mp4", { length: LENGTH, read: (start, end) => BLOCK.subarray(0, end - start) });
		origin.fault("long.mp4", { _tag: "NoLength" });
		expect(await keep(LOCAL, { link: presign("long.mp4") })).toMatchObject(SHORT);
		expect(disk.lowest).toBeGreaterThanOrEqual(RESERVE);
		expect(origin.requests("long.mp4")).toBe(1);
	});

	it("is gone on with where it stopped, once there is room, and not before", async () => {
		await keep(endless({ validator: "v1" }));
		const held = partial?.bytes;
		expect(held).toBe(2 * STEP);
		expect(opened).toBe(1);
		expect(await keep(endless({ validator: "v1" }))).toMatchObject(SHORT);
		expect(partial?.bytes).toBe(held);
		disk.freeBytes += 200 * MIB;
		expect(await keep(endless({ validator: "v1" }))).toMatchObject({
			_tag: "Kept",
			receipt: { bytes: LENGTH },
		});
		expect(disk.lowest).toBeGreaterThanOrEqual(RESERVE);
	});

	it("leaves nothing where it could not be gone on with", async () => {
		expect(await keep(endless())).toMatchObject(SHORT);
		expect([disk.freeBytes, partial]).toEqual([400 * MIB, undefined]);
	});

	it("does not take what another one was promised, and says that the disk is full when nothing else is left", async () => {
		const room = space();
		await room.reserve(400 * MIB - RESERVE - STEP);
		expect(await keep(endless(), { room })).toMatchObject({
			failure: { reason: "storage", message: expect.stringContaining("full") },
		});
		expect(disk.lowest).toBe(400 * MIB - STEP);
	});

	it("gives back what it did not need", async () => {
		const room = space();
		disk.freeBytes = RESERVE + LENGTH + STEP;
		expect(await keep(endless(), { room })).toMatchObject({ _tag: "Kept" });
		expect(await room.reserve(STEP)).toMatchObject({ _tag: "Reserved" });
	});

	it("has a store that cannot say how much room there is: that is the store's failure", async () => {
		let asked = 0;
		const freeBytes = async () => {
			asked += 1;
			if (asked > 1) throw storeFault("io", "the disk is gone");
			return disk.freeBytes;
		};
		videoStore = { ...videoStore, freeBytes };
		expect(await keep(endless())).toMatchObject({
			failure: { reason: "storage", message: "the disk is gone" },
		});
	});
});

it("a source that sends more than it stated does not get into the reserve either", async () => {
	expect(await keep(endless({ totalBytes: MIB }))).toMatchObject(SHORT);
	expect(disk.lowest).toBeGreaterThanOrEqual(RESERVE);
});
