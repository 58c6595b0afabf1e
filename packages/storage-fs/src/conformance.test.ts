import { eventStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { createSocketOwnership } from "./socket-ownership.js";
import { diskHarness } from "./test-disk.js";
import { openStore } from "./test-store.js";

const cases = eventStoreSuite(() =>
	diskHarness((directory, { fileSystem }) =>
		openStore(directory, { fileSystem, ownership: createSocketOwnership() }),
	),
);

describeConformance("the event store", cases, { skips: [] });
