import { videoStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { diskHarness } from "./test-disk.js";
import { startVideos } from "./test-videos.js";

for (const [title, options] of [
	["the video store", {}],
	["the video store that always marks what is durable", { markInterval: { bytes: 1, ms: 0 } }],
] as const) {
	describeConformance(
		title,
		videoStoreSuite(() => diskHarness((directory, disk) => startVideos(directory, disk, options))),
		{ skips: [] },
	);
}
