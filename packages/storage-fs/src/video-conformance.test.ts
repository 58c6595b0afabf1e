import { videoStoreSuite } from "@reelkeep/core/conformance";
import { describe, test } from "vitest";
import { copyOfDirectory, scriptedDisk, temporaryDirectory } from "./test-disk.js";
import { startVideos } from "./test-videos.js";
import type { FsVideoStore, FsVideoStoreOptions } from "./video-store.js";

/** Its first store has a directory of its own; a later one has what the one before left. */
async function videosHarness(options: Pick<FsVideoStoreOptions, "markInterval">) {
	let directory = await temporaryDirectory();
	let store: FsVideoStore | undefined;
	const open = async (): Promise<FsVideoStore> => {
		store = await startVideos(directory, scriptedDisk(), options);
		return store;
	};
	return {
		open,
		async reopen() {
			await store?.close();
			return open();
		},
		// What was killed goes on in its own directory, where nobody looks any more.
		async crash() {
			directory = await copyOfDirectory(directory);
			return open();
		},
		dispose: async () => store?.close(),
	};
}

describe.each([
	["the video store", {}],
	["the video store that always marks what is durable", { markInterval: { bytes: 1, ms: 0 } }],
])("%s", (_, options) => {
	for (const { name, run } of videoStoreSuite(() => videosHarness(options))) {
		test(name, async (context) => {
			if ((await run()) === "not-supported") context.skip();
		});
	}
});
