// The clauses of `CheckpointStore` about what a later process finds, after an end in good order and after a kill.

import type { CheckpointStore } from "../ports/checkpoint-store.js";
import { toPosition } from "../ports/position.js";
import { assert, assertSame } from "./case.js";
import type { CheckpointStoreHarness } from "./checkpoint-store.js";
import { findEach, NAMES, saveEach } from "./checkpoint-store-names.js";
import { assertAt, saveAt } from "./checkpoint-store-saving.js";

export async function findsAgain(store: CheckpointStore, harness: CheckpointStoreHarness): Promise<void> {
	await saveEach(store, NAMES);
	const later = await reopened(harness, "reopen");
	await findEach(later, NAMES);
	await assertAt(later, "never saved", undefined);
	const [name = ""] = NAMES;
	const stale = await later.save(name, toPosition(500), undefined);
	assertSame(stale._tag, "WrongCheckpoint", "a first save of a name that was there before");
	await saveAt(later, name, 500, 1);
	await assertAt(
		await reopened(harness, "reopen"),
		name,
		500,
		"where the name stands after another reopening",
	);
}

export async function survivesKills(store: CheckpointStore, harness: CheckpointStoreHarness): Promise<void> {
	await saveAt(store, "billing", 1);
	await saveAt(store, "billing", 2, 1);
	const second = await reopened(harness, "crash");
	await assertAt(second, "billing", 2, "where the name stands after a kill");
	await saveAt(second, "mailing", 9);
	await saveAt(second, "billing", 8, 2);
	const third = await reopened(harness, "crash");
	await assertAt(third, "billing", 8, "where the name stands after another kill");
	await assertAt(third, "mailing", 9, "where the other name stands after another kill");
}

async function reopened(
	harness: CheckpointStoreHarness,
	after: "reopen" | "crash",
): Promise<CheckpointStore> {
	const store = await harness[after]?.();
	assert(store !== undefined, "the harness opens the store again");
	return store;
}
