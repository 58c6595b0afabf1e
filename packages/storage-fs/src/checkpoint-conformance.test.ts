import { checkpointStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { createFsCheckpointStore } from "./checkpoint-store.js";
import { diskHarness } from "./test-disk.js";

const cases = checkpointStoreSuite(() =>
	diskHarness(async (directory, { fileSystem }) => {
		const store = createFsCheckpointStore({ directory, fileSystem });
		await store.open();
		return store;
	}),
);

describeConformance("the checkpoint store", cases, { skips: [] });
