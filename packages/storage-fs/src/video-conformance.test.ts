import { videoStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { copyOfDirectory, cutOff, scriptedDisk, temporaryDirectory } from "./test-disk.js";
import { startVideos } from "./test-videos.js";
import type { FsVideoStore, FsVideoStoreOptions } from "./video-store.js";

/** Its first store has a directory of its own; a later one has what the one before left. */
async function videosHarness(options: Pick<FsVideoStoreOptions, "markInterval">) {
	let directory = await temporaryDirectory();
	let disk = scriptedDisk();
	let store: FsVideoStore | undefined;
	const open = async (): Promise<FsVideoStore> => {
		disk = scriptedDisk();
		store = await startVideos(directory, disk, options);
		return store;
	};
	return {
		open,
		async reopen() {
			await store?.close();
			return open();
		},
		async crash() {
			await cutOff(disk);
			directory = await copyOfDirectory(directory);
			return open();
		},
		dispose: async () => store?.close(),
	};
}

for (const [title, options] of [
	["the video store", {}],
	["the video store that always marks what is durable", { markInterval: { bytes: 1, ms: 0 } }],
] as const) {
	describeConformance(
		title,
		videoStoreSuite(() => videosHarness(options)),
		{ skips: [] },
	);
}
