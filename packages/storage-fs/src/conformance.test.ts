import { eventStoreSuite } from "@reelkeep/core/conformance";
import { test } from "vitest";
import { temporaryDirectory } from "./test-disk.js";
import { openStore } from "./test-store.js";

for (const { name, run } of eventStoreSuite(async () => {
	const directory = await temporaryDirectory();
	const { createSocketOwnership } = await import("./socket-ownership.js");
	return {
		open: () => openStore(directory, { ownership: createSocketOwnership() }),
		dispose: async () => {},
	};
})) {
	test(`the event store ${name}`, async (context) => {
		if ((await run()) === "not-supported") context.skip();
	});
}
