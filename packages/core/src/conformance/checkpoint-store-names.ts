// The clauses of `CheckpointStore` about names: any string is one, and none touches another.

import { MAX_CHECKPOINT_NAME_CHARACTERS } from "../ports/check-checkpoint.js";
import type { CheckpointStore } from "../ports/checkpoint-store.js";
import { assertAt, saveAt } from "./checkpoint-store-saving.js";
import { similarTexts } from "./sample-names.js";

export const NAMES = similarTexts(MAX_CHECKPOINT_NAME_CHARACTERS);

/** Saves each at its place in the list, from 1 on. */
export async function saveEach(store: CheckpointStore, names: readonly string[]): Promise<void> {
	for (const [index, name] of names.entries()) await saveAt(store, name, index + 1);
}

/** Fails unless each stands at its place in the list, from 1 on. */
export async function findEach(store: CheckpointStore, names: readonly string[]): Promise<void> {
	for (const [index, name] of names.entries()) {
		await assertAt(store, name, index + 1, `where the name ${JSON.stringify(name.slice(0, 40))} stands`);
	}
}

export async function tellsNamesApart(store: CheckpointStore): Promise<void> {
	for (const [index, name] of NAMES.entries()) {
		await assertAt(store, name, undefined, `where ${JSON.stringify(name.slice(0, 40))} stands unsaved`);
		await saveAt(store, name, index + 1);
	}
	await findEach(store, NAMES);
}

export async function savesManyAtOnce(store: CheckpointStore): Promise<void> {
	const names = Array.from({ length: 40 }, (_, index) => `subscription-${index}`);
	await Promise.all(names.map((name, index) => saveAt(store, name, index + 100)));
	await Promise.all(names.map((name, index) => saveAt(store, name, index + 200, index + 100)));
	for (const [index, name] of names.entries()) await assertAt(store, name, index + 200);
}
