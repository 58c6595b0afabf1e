// The clauses of `SnapshotStore` about what is loaded: all that was saved, under its own name, and nothing else.

import { MAX_NAME_CHARACTERS } from "../ports/check-name.js";
import type { Json } from "../ports/event-store.js";
import { toPosition } from "../ports/position.js";
import type { Snapshot, SnapshotStore } from "../ports/snapshot-store.js";
import { assert } from "./case.js";
import { similarTexts } from "./sample-names.js";
import { assertLoads, saveAs, snapshotAt } from "./snapshot-store-samples.js";

export async function knowsNoUnsaved(store: SnapshotStore): Promise<void> {
	for (const turn of [1, 2])
		await assertLoads(
			store,
			"recordings",
			undefined,
			`what load ${turn} of a name that was never saved finds`,
		);
	await saveAs(store, "tracks", snapshotAt(1));
	await assertLoads(store, "recordings", undefined, "what is there when another name was saved");
	await assertLoads(store, "__proto__", undefined, "what is there under the name __proto__");
	await assertLoads(store, "tracks", snapshotAt(1));
}

export async function savesAndLoads(store: SnapshotStore): Promise<void> {
	// Behind the first event, with none before it; then of other versions.
	for (const snapshot of [
		snapshotAt(1),
		{ ...snapshotAt(2), version: 7 },
		{ ...snapshotAt(3), version: 0 },
	]) {
		await saveAs(store, "recordings", snapshot);
		await assertLoads(store, "recordings", snapshot);
		await assertLoads(store, "recordings", snapshot, "the snapshot that is loaded again");
	}
}

const STATES: readonly Json[] = [
	...[null, false, true, 0, -1.5, 1e-7, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER],
	...["", "null", "游戏é e\u0301 🎮", "\ud800", "line\nbreak\u2028\0", '{"state":"\\u0000"}'],
	...[[], {}, [[], [null, [0, ""]]], { state: { state: {} } }, { "": { " ": "" } }],
	// As text: an object literal has no such member.
	JSON.parse('{"__proto__":{"a":1},"constructor":null,"10":"ten","9":"nine"}') as Json,
	Array.from({ length: 5_000 }, (_, index) => ({ index })),
];

export async function keepsStates(store: SnapshotStore): Promise<void> {
	for (const [index, state] of STATES.entries()) {
		const snapshot = snapshotAt(index + 1, state);
		await saveAs(store, "recordings", snapshot);
		await assertLoads(store, "recordings", snapshot, `the snapshot of state ${index + 1}`);
	}
}

/** Behind 53, 63 and 64 bits, where numbers of many kinds end. */
const LARGE = ["9007199254740993", "9223372036854775808", "18446744073709551616", "9".repeat(40)];

export async function keepsLargePositions(store: SnapshotStore): Promise<void> {
	for (const digits of LARGE) {
		const [position, previous] = [toPosition(digits), toPosition(BigInt(digits) - 1n)];
		const snapshot: Snapshot = { ...snapshotAt(1), position, previous };
		await saveAs(store, "recordings", snapshot);
		await assertLoads(store, "recordings", snapshot, "the snapshot at a large position");
	}
}

export async function keepsLoadsApart(store: SnapshotStore): Promise<void> {
	const state = { list: ["kept"], nested: { value: "kept" } };
	const snapshot = snapshotAt(1, state);
	await saveAs(store, "recordings", snapshot);
	const loaded = await store.load("recordings");
	const other = await store.load("recordings");
	assert(loaded !== undefined && other !== undefined, "what was saved is loaded twice");
	// What is frozen is left as it is: that is one way to keep it out of reach.
	const { list, nested } = loaded.state as unknown as typeof state;
	Reflect.set(list, 0, "changed");
	Reflect.set(nested, "value", "changed");
	Reflect.set(loaded, "eventId", "changed");
	await assertLoads(
		{ ...store, load: async () => other },
		"recordings",
		snapshot,
		"what another loaded before",
	);
	await assertLoads(store, "recordings", snapshot, "what is loaded after an earlier load was changed");
}

export const NAMES = similarTexts(MAX_NAME_CHARACTERS);

/** Saves one under each name, by its place in the list. */
export async function saveEach(store: SnapshotStore, names: readonly string[]): Promise<void> {
	for (const [index, name] of names.entries()) await saveAs(store, name, snapshotAt(index + 1));
}

/** Fails unless each name has the one of its place in the list. */
export async function findEach(store: SnapshotStore, names: readonly string[]): Promise<void> {
	for (const [index, name] of names.entries())
		await assertLoads(store, name, snapshotAt(index + 1), `the snapshot under ${quoted(name)}`);
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 40));

export async function tellsNamesApart(store: SnapshotStore): Promise<void> {
	for (const [index, name] of NAMES.entries()) {
		await assertLoads(store, name, undefined, `what is there under ${quoted(name)}, unsaved`);
		await saveAs(store, name, snapshotAt(index + 1));
	}
	await findEach(store, NAMES);
}
