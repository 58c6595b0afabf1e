import { eventStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { temporaryDirectory } from "./test-disk.js";
import { openStore } from "./test-store.js";

const cases = eventStoreSuite(async () => {
	const directory = await temporaryDirectory();
	const { createSocketOwnership } = await import("./socket-ownership.js");
	return {
		open: () => openStore(directory, { ownership: createSocketOwnership() }),
		dispose: async () => {},
	};
});

describeConformance("the event store", cases, { skips: [] });
