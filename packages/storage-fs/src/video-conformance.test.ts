import { videoStoreSuite } from "@reelkeep/core/conformance";
import { test } from "vitest";
import { temporaryDirectory } from "./test-disk.js";
import { startVideos } from "./test-videos.js";

for (const { name, run } of videoStoreSuite(async () => {
	const directory = await temporaryDirectory();
	const open = () => startVideos(directory);
	return { open, reopen: open, crash: open, dispose: async () => {} };
})) {
	test(`the video store ${name}`, async (context) => {
		if ((await run()) === "not-supported") context.skip();
	});
}
