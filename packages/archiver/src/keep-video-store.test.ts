import { createMemoryVideoStore } from "@reelkeep/core";
import { storeFault, type VideoSource, type VideoStore } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { beforeEach, describe, expect, it } from "vitest";
import { createBlockWriters } from "./block-writer.js";
import { createDiskSpace } from "./disk-space.js";
import { keepVideo } from "./keep-video.js";

const KEY = "recording-1";
const VIDEO = new Uint8Array(1_000_000).fill(7);

let memory: VideoStore;
/** Where each opening asked its source to start. */
let asked: number[];

beforeEach(() => {
	memory = createMemoryVideoStore();
	asked = [];
});

const source: VideoSource = {
	async open(_link, { offset = 0 }) {
		asked.push(offset);
		const body = (async function* () {
			yield VIDEO.subarray(offset);
		})();
		return { _tag: "Opened", offset, validator: "v1", totalBytes: VIDEO.length, checksums: {}, body };
	},
};

function keepIn(videoStore: VideoStore) {
	const deps = { source, videoStore, space: createDiskSpace(videoStore), blocks: createBlockWriters() };
	const clock = { now: Date.now, sleep: async () => undefined };
	const logger = transcribingLogger();
	const signal = new AbortController().signal;
	return keepVideo({ ...deps, clock, logger, random: Math.random }, KEY, "http://unused/", signal);
}

/** The store, but that `failing` of each upload rejects as on a full disk. */
function without(failing: "digest" | "commit"): VideoStore {
	const fail = async () => {
		throw storeFault("io", "the disk is full");
	};
	return {
		...memory,
		begin: async (key, options) => ({ ...(await memory.begin(key, options)), [failing]: fail }),
	};
}

describe("a whole video that its store cannot take in", () => {
	it.each(["digest", "commit"] as const)(
		"at its %s stays, and is asked for its last byte alone",
		async (failing) => {
			for (const _attempt of [1, 2]) {
				expect(await keepIn(without(failing))).toMatchObject({
					_tag: "Failed",
					failure: { reason: "storage", message: "the disk is full" },
				});
				expect(await memory.findPartial(KEY)).toMatchObject({ bytes: VIDEO.length });
			}
			expect(await keepIn(memory)).toMatchObject({ _tag: "Kept", receipt: { bytes: VIDEO.length } });
			expect(asked).toEqual([0, VIDEO.length - 1, VIDEO.length - 1]);
		},
	);
});
