import { snapshotStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { createFsSnapshotStore } from "./snapshot-store.js";
import { diskHarness } from "./test-disk.js";

const maxSnapshotBytes = 1024 * 1024;

const cases = snapshotStoreSuite(async () => {
	const harness = await diskHarness(async (directory, { fileSystem }) => {
		const store = createFsSnapshotStore({ directory, fileSystem, maxSnapshotBytes });
		await store.open();
		return store;
	});
	return { ...harness, maxSnapshotBytes };
});

describeConformance("the snapshot store", cases, { skips: [] });
