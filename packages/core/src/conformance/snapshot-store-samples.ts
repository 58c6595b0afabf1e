// Snapshots for the cases about them, and how they are saved and compared.

import type { Json } from "../ports/event-store.js";
import { toPosition } from "../ports/position.js";
import type { Snapshot, SnapshotStore } from "../ports/snapshot-store.js";
import { assertSame } from "./case.js";

/** The one that is made behind `count` events (from 1 on), each with its own state. */
export function snapshotAt(count: number, state: Json = { count }): Snapshot {
	return {
		version: 1,
		position: toPosition(count),
		eventId: `event-${count}`,
		...(count > 1 ? { previous: toPosition(count - 1) } : {}),
		state,
	};
}

/** Saves what must be accepted. */
export async function saveAs(store: SnapshotStore, name: string, snapshot: Snapshot): Promise<void> {
	const result = await store.save(name, snapshot);
	assertSame(result, { _tag: "Saved" }, `what the save of a snapshot at ${snapshot.position} is told`);
}

/** Fails unless `snapshot` is what is kept under `name`. */
export async function assertLoads(
	store: SnapshotStore,
	name: string,
	snapshot: Snapshot | undefined,
	message = "the snapshot that was saved last",
): Promise<void> {
	assertSnapshot(await store.load(name), snapshot, message);
}

/** Field by field, so that a failure names its own; a store may keep the members of objects in an order of its own. */
function assertSnapshot(actual: Snapshot | undefined, expected: Snapshot | undefined, message: string): void {
	assertSame(actual === undefined, expected === undefined, `${message}: whether there is none`);
	for (const field of ["version", "position", "eventId", "previous", "state"] as const)
		assertSame(sorted(actual?.[field]), sorted(expected?.[field]), `${message}, its ${field}`);
}

export function sameSnapshot(some: Snapshot | undefined, other: Snapshot | undefined): boolean {
	return JSON.stringify(sorted(some)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
	if (typeof value !== "object" || value === null) return value;
	if (Array.isArray(value)) return value.map(sorted);
	const members = Object.entries(value).filter(([, member]) => member !== undefined);
	// As pairs: in an object, names that are numbers would come first, and `__proto__` would be none.
	return members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]);
}
