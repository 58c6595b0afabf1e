import { eventImportSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { createSocketOwnership } from "./socket-ownership.js";
import { diskHarness } from "./test-disk.js";
import { openStore } from "./test-store.js";

const cases = eventImportSuite(() =>
	diskHarness((directory, { fileSystem }) =>
		openStore(directory, { fileSystem, ownership: createSocketOwnership(), segmentBytes: 16 * 1024 }),
	),
);

describeConformance("the event store", cases, { skips: [] });
