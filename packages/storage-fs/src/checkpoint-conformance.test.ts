import { checkpointStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { createFsCheckpointStore, type FsCheckpointStore } from "./checkpoint-store.js";
import { copyOfDirectory, cutOff, scriptedDisk, temporaryDirectory } from "./test-disk.js";

const cases = checkpointStoreSuite(async () => {
	let directory = await temporaryDirectory();
	let disk = scriptedDisk();
	let store: FsCheckpointStore | undefined;
	const open = async (): Promise<FsCheckpointStore> => {
		disk = scriptedDisk();
		store = createFsCheckpointStore({ directory, fileSystem: disk.fileSystem });
		await store.open();
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
});

describeConformance("the checkpoint store", cases, { skips: [] });
