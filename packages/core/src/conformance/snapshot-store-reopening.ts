// The clauses of `SnapshotStore` about what a later process finds, after an end in good order, a kill, and damage.

import type { Snapshot, SnapshotStore } from "../ports/snapshot-store.js";
import { assert, rejectionOf } from "./case.js";
import type { SnapshotStoreHarness } from "./snapshot-store.js";
import { findEach, NAMES, saveEach } from "./snapshot-store-loading.js";
import { assertLoads, saveAs, snapshotAt } from "./snapshot-store-samples.js";

export async function findsAgain(store: SnapshotStore, harness: SnapshotStoreHarness): Promise<void> {
	await saveEach(store, NAMES);
	const later = await reopened(harness, "reopen");
	await findEach(later, NAMES);
	await assertLoads(later, "never saved", undefined, "what is there under a name that was never saved");
	const [name = ""] = NAMES;
	await saveAs(later, name, snapshotAt(500));
	const last = await reopened(harness, "reopen");
	await assertLoads(last, name, snapshotAt(500), "the snapshot that an earlier process put in a place");
}

export async function survivesKills(store: SnapshotStore, harness: SnapshotStoreHarness): Promise<void> {
	await saveAs(store, "recordings", snapshotAt(1));
	await saveAs(store, "recordings", snapshotAt(2));
	const second = await reopened(harness, "crash");
	await assertLoads(second, "recordings", snapshotAt(2), "what a kill left");
	await saveAs(second, "tracks", snapshotAt(9));
	await saveAs(second, "recordings", snapshotAt(8));
	const third = await reopened(harness, "crash");
	await assertLoads(third, "recordings", snapshotAt(8), "what another kill left");
	await assertLoads(third, "tracks", snapshotAt(9), "what another kill left under the other name");
}

/** So many places in what is kept. */
const DAMAGES = 6;

export async function trustsNothingDamaged(
	first: SnapshotStore,
	harness: SnapshotStoreHarness,
): Promise<void> {
	let store = first;
	// A digit that became another is JSON as before, and a wrong state.
	const state = Array.from({ length: 200 }, (_, index) => 1_000_000 + index);
	await saveAs(store, "tracks", snapshotAt(9, state));
	for (let count = 1; count <= DAMAGES; count += 1) {
		await saveAs(store, "recordings", snapshotAt(count, state));
		await assertLoads(store, "recordings", snapshotAt(count, state));
		store = await opened(harness.damage?.("recordings"));
		const what = `where byte ${count} was damaged`;
		let found: Snapshot | undefined;
		const error = await rejectionOf(async () => {
			found = await store.load("recordings");
		});
		assert(error === undefined, `a load ${what} rejects: it must resolve with undefined`);
		assert(found === undefined, `a load ${what} resolves with a snapshot: it must with undefined`);
		await assertLoads(store, "tracks", snapshotAt(9, state), `what is under another name ${what}`);
	}
}

/** What a later process finds. */
export async function reopened(
	harness: SnapshotStoreHarness,
	after: "reopen" | "crash",
): Promise<SnapshotStore> {
	return opened(harness[after]?.());
}

async function opened(opening: Promise<SnapshotStore> | undefined): Promise<SnapshotStore> {
	const store = await opening;
	assert(store !== undefined, "the harness opens the store again");
	return store;
}
