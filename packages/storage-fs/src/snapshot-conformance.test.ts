import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { snapshotStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { safeName } from "./safe-name.js";
import { createFsSnapshotStore } from "./snapshot-store.js";
import { diskHarness } from "./test-disk.js";

const maxSnapshotBytes = 1024 * 1024;
/** From the hash's first byte to the last of the state, as parts of the file. */
const PLACES = [0, 0.2, 0.4, 0.6, 0.8, 1];

const cases = snapshotStoreSuite(async () => {
	let snapshots = "";
	let turn = 0;
	const harness = await diskHarness(async (directory, { fileSystem }) => {
		snapshots = join(directory, "snapshots");
		const store = createFsSnapshotStore({ directory, fileSystem, maxSnapshotBytes });
		await store.open();
		return store;
	});
	return {
		...harness,
		maxSnapshotBytes,
		/** What the store holds it has written; its close writes nothing. */
		async damage(name) {
			const path = join(snapshots, `${safeName(name)}.json`);
			const bytes = await readFile(path);
			const at = Math.floor((bytes.length - 1) * (PLACES[turn++ % PLACES.length] ?? 0));
			bytes[at] = (bytes[at] ?? 0) ^ 1;
			await writeFile(path, bytes);
			return harness.reopen();
		},
	};
});

describeConformance("the snapshot store", cases, { skips: [] });
