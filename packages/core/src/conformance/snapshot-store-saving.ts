// The clauses of `SnapshotStore` about saves: what they replace, in which order, and what they refuse.

import { MAX_NAME_CHARACTERS } from "../ports/check-name.js";
import type { Snapshot, SnapshotStore } from "../ports/snapshot-store.js";
import { assert, assertMistake, assertSame, describeValue } from "./case.js";
import { pause } from "./pause.js";
import type { SnapshotStoreHarness } from "./snapshot-store.js";
import { assertLoads, sameSnapshot, saveAs, snapshotAt } from "./snapshot-store-samples.js";

export async function replaces(store: SnapshotStore): Promise<void> {
	const changes: readonly (readonly [what: string, snapshot: Snapshot])[] = [
		["a long one", snapshotAt(9, { list: Array.from({ length: 1_000 }, () => "long") })],
		["one without its members", snapshotAt(10, {})],
		["one that is shorter", snapshotAt(11, 1)],
		// A projection that is rebuilt begins again, and so does a log that took another's place.
		["one that lies before, with no event before its own", snapshotAt(1, "rebuilt")],
		["one of another version at the same position", { ...snapshotAt(1, "rebuilt"), version: 2 }],
		["one of another event at the same position", { ...snapshotAt(1, "rebuilt"), eventId: "other" }],
		["the very same", { ...snapshotAt(1, "rebuilt"), eventId: "other" }],
	];
	for (const [what, snapshot] of changes) {
		await saveAs(store, "recordings", snapshot);
		await assertLoads(store, "recordings", snapshot, `what is there when ${what} was saved`);
	}
}

export async function takesAtCall(store: SnapshotStore): Promise<void> {
	const state = { list: ["kept"], nested: { value: "kept" } };
	const snapshot = { ...snapshotAt(2), state };
	const passed = structuredClone(snapshot);
	const saving = store.save("recordings", snapshot);
	state.list.push("changed");
	state.nested.value = "changed";
	snapshot.eventId = "changed";
	assertSame((await saving)._tag, "Saved", "the save of a snapshot that was changed meanwhile");
	state.list.push("changed again");
	await assertLoads(store, "recordings", passed, "what is there when its caller changed it after the call");
}

const SAVES = 30;

export async function keepsLast(store: SnapshotStore): Promise<void> {
	const counts = Array.from({ length: SAVES }, (_, index) => index + 1);
	// Neither the longest nor the shortest one, and not the newest by its position.
	const snapshots = [...counts.slice(5), 5, 2, 1, 4, 3].map((count) =>
		snapshotAt(count, "s".repeat(((count * 7_919) % 50_000) + 1)),
	);
	const results = await Promise.all(snapshots.map((snapshot) => store.save("recordings", snapshot)));
	const refused = results.filter(({ _tag }) => _tag !== "Saved");
	assertSame(refused.length, 0, `of ${SAVES} saves at once, those that were not accepted`);
	await assertLoads(store, "recordings", snapshots.at(-1), "what is there when all saves at once are done");
}

/** A state that takes its time, and of which every part tells whose it is. */
const largeAt = (count: number): Snapshot =>
	snapshotAt(count, { list: Array.from({ length: 5_000 }, () => `of ${count}`) });

export async function showsOldOrNew(store: SnapshotStore): Promise<void> {
	let before = largeAt(1);
	await saveAs(store, "recordings", before);
	for (let count = 2; count <= 5; count += 1) {
		const next = largeAt(count);
		let isOver = false;
		const saving = saveAs(store, "recordings", next).finally(() => {
			isOver = true;
		});
		let isNew = false;
		do {
			const loaded = await store.load("recordings");
			const isNext = sameSnapshot(loaded, next);
			const what = `what is loaded while ${next.position} takes the place of ${before.position}`;
			const told = loaded === undefined ? "none" : `of ${loaded.position}, and not as it was saved`;
			assert(isNext || sameSnapshot(loaded, before), `${what} is ${told}: must be one of them, whole`);
			assert(isNext || !isNew, `${what} is the old one, though the new one was loaded before`);
			isNew = isNext;
			await pause();
		} while (!isOver);
		await saving;
		await assertLoads(store, "recordings", next, "what is there when the save has resolved");
		before = next;
	}
}

export async function savesManyAtOnce(store: SnapshotStore): Promise<void> {
	const names = Array.from({ length: 40 }, (_, index) => `projection-${index}`);
	await Promise.all(names.map((name, index) => saveAs(store, name, snapshotAt(index + 100))));
	await Promise.all(names.map((name, index) => saveAs(store, name, snapshotAt(index + 200))));
	for (const [index, name] of names.entries())
		await assertLoads(store, name, snapshotAt(index + 200), `the snapshot under ${name}, among others`);
}

export async function refusesArguments(store: SnapshotStore): Promise<void> {
	for (const name of ["", "x".repeat(MAX_NAME_CHARACTERS + 1), undefined, 1] as string[]) {
		const given = `the name ${describeValue(name)} of ${name?.length ?? 0} characters`;
		await assertMistake(() => store.load(name), `a load of ${given}`);
		await assertMistake(() => store.save(name, snapshotAt(1)), `a save under ${given}`);
	}
	for (const name of ["x".repeat(MAX_NAME_CHARACTERS), "undefined", "1"])
		await assertLoads(store, name, undefined, `what refused saves left under ${describeValue(name)}`);
	const longest = "x".repeat(MAX_NAME_CHARACTERS);
	await saveAs(store, longest, snapshotAt(2));
	await assertLoads(store, longest, snapshotAt(2), "the snapshot under the longest name");
}

export async function limitsSizes(store: SnapshotStore, harness: SnapshotStoreHarness): Promise<void> {
	const { maxSnapshotBytes = 0 } = harness;
	// Room for what the store writes beside the state.
	const fitting = snapshotAt(1, "s".repeat(maxSnapshotBytes - 1_024));
	await saveAs(store, "recordings", fitting);
	// By its characters it would fit: three bytes each.
	const wide = snapshotAt(2, "游".repeat(Math.floor(maxSnapshotBytes / 3) + 1));
	for (const snapshot of [snapshotAt(2, "s".repeat(maxSnapshotBytes)), wide]) {
		const result = await store.save("recordings", snapshot);
		assertSame(result._tag, "TooLarge", "the save of a snapshot that is larger than the limit");
		const { bytes, maxBytes } = result as Extract<typeof result, { readonly _tag: "TooLarge" }>;
		assertSame(maxBytes, maxSnapshotBytes, "maxBytes, as it is told of a snapshot that is too large");
		assert(bytes > maxBytes, `bytes of a snapshot that is too large are ${bytes}: more than ${maxBytes}`);
		await assertLoads(store, "recordings", fitting, "what is there when a save was refused");
	}
	await saveAs(store, "recordings", snapshotAt(3));
	await assertLoads(store, "recordings", snapshotAt(3), "what is saved after one that was too large");
}
