// The clause of `SnapshotStore` about saves that a kill cuts short, at whatever moment it comes.

import type { Snapshot, SnapshotStore } from "../ports/snapshot-store.js";
import { assert, rejectionOf } from "./case.js";
import { durationOf, waitDuring } from "./kill-moments.js";
import { pause } from "./pause.js";
import type { SnapshotStoreHarness } from "./snapshot-store.js";
import { reopened } from "./snapshot-store-reopening.js";
import { assertLoads, sameSnapshot, saveAs, snapshotAt } from "./snapshot-store-samples.js";

/** When kills come, as parts of the time that a save takes: the first in the tick of its call. */
const PARTS = Array.from({ length: 12 }, (_, index) => index / 12);
/** Further kills, each halfway between the latest that left the old one and the earliest that left the new one. */
const HALVINGS = 4;

const STATE = Array.from({ length: 5_000 }, (_, index) => `member ${index}`);
const OLD = snapshotAt(1, STATE);
const NEW = snapshotAt(2, [...STATE, "one more"]);
const LATER = snapshotAt(3);

export async function findsOldOrNew(first: SnapshotStore, harness: SnapshotStoreHarness): Promise<void> {
	let store = first;
	const cuts: Promise<unknown>[] = [];
	/** Saves and kills; resolves with what was found. */
	const cutShort = async (name: string, wait: (saving: Promise<unknown>) => Promise<unknown>) => {
		await saveAs(store, name, OLD);
		const saving = rejectionOf(() => store.save(name, NEW));
		cuts.push(saving);
		await wait(saving);
		store = await reopened(harness, "crash");
		const found = await store.load(name);
		await saveAs(store, name, LATER);
		await assertLoads(store, name, LATER, "what is saved after a kill that cut a save short");
		return found;
	};

	await saveAs(store, "measured", OLD);
	let longestMs = await durationOf(saveAs(store, "measured", NEW));
	let [oldMs, newMs] = [0, longestMs];
	const cutShortAt = async (name: string, delayMs: number): Promise<void> => {
		let passedMs = 0;
		const found = await cutShort(name, async (saving) => {
			if (delayMs > 0) passedMs = await waitDuring(saving, delayMs);
		});
		if (isNewOf(found, passedMs)) newMs = Math.min(newMs, passedMs);
		else oldMs = Math.max(oldMs, passedMs);
		// The save was slow once: else later kills would come when everything is over.
		if (passedMs < delayMs) longestMs = passedMs;
	};
	for (const [index, part] of PARTS.entries()) await cutShortAt(`part-${index}`, part * longestMs);
	for (let count = 1; count <= HALVINGS; count += 1)
		await cutShortAt(`halving-${count}`, (oldMs + newMs) / 2);
	const found = await cutShort("resolved", (saving) => saving);
	assert(sameSnapshot(found, NEW), "a kill behind a save that resolved does not leave the new one, whole");

	// What was lost with its process may never settle.
	await Promise.race([Promise.all(cuts), pause(500)]);
	for (const index of PARTS.keys())
		await assertLoads(store, `part-${index}`, LATER, "what is saved after a kill, some time later");
}

/** Whether a kill left the new one. Fails unless it is the old or the new one, whole. */
function isNewOf(found: Snapshot | undefined, killedMs: number): boolean {
	const isNew = sameSnapshot(found, NEW);
	const told = found === undefined ? "none" : `of ${found.position}, and not as it was saved`;
	const what = `what a kill left ${killedMs.toFixed(1)} ms behind the call of save is ${told}`;
	assert(isNew || sameSnapshot(found, OLD), `${what}: must be the old or the new`);
	return isNew;
}
