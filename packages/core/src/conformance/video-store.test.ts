import { describe, expect, test } from "vitest";
import { createMemoryVideoStore } from "../memory/video-store.js";
import type { VideoStore, VideoUpload } from "../ports/index.js";
import { brokenVideos, keepingBlocks, type MakeVideos } from "./test-flawed-videos.js";
import { failingOf } from "./test-suite-flaws.js";
import { videoStoreSuite } from "./video-store.js";
import { describeConformance } from "./vitest.js";

const memory: MakeVideos = async () => ({
	open: async () => createMemoryVideoStore(),
	dispose: async () => undefined,
});

describeConformance("the memory video store", videoStoreSuite(memory), {
	skips: [
		...["reopened-videos", "reopened-partials", "reopened-removals"],
		...["crash-videos", "crash-commit", "crash-partials", "crash-resumed"],
	],
});

const failing = (make: MakeVideos) => failingOf(videoStoreSuite(make));

describe("a sound video store passes, in which flaws are planted", { timeout: 20_000 }, () => {
	test("when it is opened again", async () => {
		expect(await failing(brokenVideos())).toEqual([]);
	});

	test("when it keeps whole blocks of what was not committed", async () => {
		expect(await failing(keepingBlocks())).toEqual([]);
	});

	test("when it resumes nothing", async () => {
		const supports = { resume: false };
		const forgetting = brokenVideos((store) => ({
			supports,
			begin: (key, { resume: _, note: __, ...options } = {}) => store.begin(key, options),
		}));
		expect(await failing(forgetting)).toEqual([]);
	});
});

test("a store that does nothing passes no clause that asks for more", async () => {
	const upload: VideoUpload = {
		offset: 0,
		write: async () => undefined,
		digest: async () => ({ bytes: 0, sha256: "" }),
		commit: async () => ({ _tag: "Committed", video: { location: "nowhere", bytes: 0, sha256: "" } }),
		discard: async () => undefined,
		suspend: async () => undefined,
	};
	const idle: VideoStore = {
		supports: { resume: true },
		begin: async () => upload,
		findPartial: async () => undefined,
		removePartial: async () => undefined,
		freeBytes: async () => undefined,
		stat: async () => undefined,
		open: async function* () {},
		remove: async () => undefined,
	};
	const open = async (): Promise<VideoStore> => idle;
	const failed = await failing(async () => ({
		open,
		reopen: open,
		crash: open,
		dispose: async () => undefined,
	}));
	const passed = videoStoreSuite(memory).filter(({ clause }) => !failed.includes(clause));
	expect(passed.map(({ clause }) => clause)).toEqual(["free-bytes", "plain-locations"]);
});
