// The clauses of `CheckpointStore` about one name: what a save moves, and what it refuses.

import { MAX_CHECKPOINT_NAME_CHARACTERS } from "../ports/check-checkpoint.js";
import type { CheckpointStore } from "../ports/checkpoint-store.js";
import type { Position } from "../ports/event-store.js";
import { toPosition } from "../ports/position.js";
import { assert, assertMistake, assertSame, describeValue } from "./case.js";

/** Saves what must be accepted. */
export async function saveAt(
	store: CheckpointStore,
	name: string,
	position: Position | number,
	expected?: Position | number,
): Promise<void> {
	const from = expected === undefined ? undefined : toPosition(expected);
	const result = await store.save(name, toPosition(position), from);
	assertSame(result._tag, "Saved", `the save of ${position} behind ${expected ?? "nothing"}`);
}

export async function assertAt(
	store: CheckpointStore,
	name: string,
	position: Position | number | undefined,
	message = "where the name stands",
): Promise<void> {
	const expected = position === undefined ? undefined : toPosition(position);
	assertSame(await store.load(name), expected, message);
}

async function assertRefused(
	store: CheckpointStore,
	name: string,
	[position, expected]: readonly [position: number, expected: number | undefined],
	actual: number | undefined,
): Promise<void> {
	const from = expected === undefined ? undefined : toPosition(expected);
	const result = await store.save(name, toPosition(position), from);
	const what = `a save of ${position} that expects ${expected ?? "nothing"}`;
	assert(result._tag === "WrongCheckpoint", `${what} is refused`);
	assertSame(result.actual, actual === undefined ? undefined : toPosition(actual), `what ${what} is told`);
}

export async function knowsNoUnsaved(store: CheckpointStore): Promise<void> {
	await assertAt(store, "billing", undefined);
	await saveAt(store, "mailing", 7);
	await assertAt(store, "billing", undefined, "where a name stands when another was saved");
	await assertRefused(store, "billing", [8, 7], undefined);
	await assertAt(store, "billing", undefined, "where a name stands whose first save was refused");
	await assertAt(store, "__proto__", undefined, "where the name __proto__ stands");
}

export async function savesAndLoads(store: CheckpointStore): Promise<void> {
	await saveAt(store, "billing", 1);
	await assertAt(store, "billing", 1);
	await saveAt(store, "billing", 3, 1);
	await assertAt(store, "billing", 3);
	await saveAt(store, "billing", 8, 3);
	await assertAt(store, "billing", 8);
	await assertAt(store, "billing", 8, "where the name stands when it is asked again");
}

export async function checksExpected(store: CheckpointStore): Promise<void> {
	await saveAt(store, "billing", 5);
	for (const expected of [undefined, 4, 6]) {
		await assertRefused(store, "billing", [7, expected], 5);
		await assertAt(store, "billing", 5, "where the name stands after a refused save");
	}
	await saveAt(store, "billing", 7, 5);
}

export async function tellsZeroFromNone(store: CheckpointStore): Promise<void> {
	await saveAt(store, "billing", 0);
	await assertAt(store, "billing", 0);
	await assertRefused(store, "billing", [1, undefined], 0);
	await assertRefused(store, "mailing", [1, 0], undefined);
	await saveAt(store, "billing", 1, 0);
}

export async function takesSamePosition(store: CheckpointStore): Promise<void> {
	await saveAt(store, "billing", 5);
	await saveAt(store, "billing", 5, 5);
	await assertAt(store, "billing", 5);
	await saveAt(store, "billing", 6, 5);
}

export async function neverMovesBackward(store: CheckpointStore): Promise<void> {
	await saveAt(store, "billing", 5);
	for (const position of [4, 0]) await assertBackwardRefused(store, "billing", position, 5);
	await assertAt(store, "billing", 5);
	await assertBackwardRefused(store, "billing", 7, 8);
	await assertBackwardRefused(store, "mailing", 1, 2);
	await assertAt(store, "mailing", undefined, "where a name stands whose first save was to go backward");
}

async function assertBackwardRefused(
	store: CheckpointStore,
	name: string,
	position: Position | number,
	expected: Position | number,
): Promise<void> {
	const save = () => store.save(name, toPosition(position), toPosition(expected));
	await assertMistake(save, `the save of ${position} behind ${expected}`);
}

export async function comparesAsNumbers(store: CheckpointStore): Promise<void> {
	let expected: number | undefined;
	for (const position of [9, 10, 99, 100, 1_000]) {
		await saveAt(store, "billing", position, expected);
		expected = position;
	}
	await assertBackwardRefused(store, "billing", 999, 1_000);
	await assertAt(store, "billing", 1_000);
}

/** Behind 53, 63 and 64 bits, where numbers of many kinds end. */
const LARGE = [
	"9007199254740991",
	"9007199254740992",
	"9007199254740993",
	"9223372036854775807",
	"9223372036854775808",
	"18446744073709551615",
	"18446744073709551616",
	"9".repeat(40),
].map(toPosition);

export async function keepsLargePositions(store: CheckpointStore): Promise<void> {
	for (const [index, position] of LARGE.entries()) {
		await saveAt(store, "billing", position, LARGE[index - 1]);
		await assertAt(store, "billing", position);
		const before = toPosition(BigInt(position) - 1n);
		await assertBackwardRefused(store, "billing", before, position);
		const stale = await store.save("billing", position, before);
		assertSame(stale._tag, "WrongCheckpoint", `a save that expects ${before} when it stands at ${position}`);
	}
}

export async function refusesArguments(store: CheckpointStore): Promise<void> {
	const position = toPosition(1);
	for (const name of ["", "x".repeat(MAX_CHECKPOINT_NAME_CHARACTERS + 1), undefined, 1] as string[]) {
		const given = `the name ${describeValue(name)} of ${name?.length ?? 0} characters`;
		await assertMistake(() => store.load(name), `a load of ${given}`);
		await assertMistake(() => store.save(name, position, undefined), `a save under ${given}`);
	}
	for (const wrong of ["", "-1", "01", "1.5", "1e3", "x", " 1", 1, null, "9".repeat(41)] as Position[]) {
		const given = `the position ${describeValue(wrong)}`;
		await assertMistake(() => store.save("billing", wrong, undefined), `a save of ${given}`);
		await assertMistake(() => store.save("billing", position, wrong), `a save that expects ${given}`);
	}
	await assertAt(store, "billing", undefined, "where the name stands after refused saves");
	await saveAt(store, "x".repeat(MAX_CHECKPOINT_NAME_CHARACTERS), 1);
}
