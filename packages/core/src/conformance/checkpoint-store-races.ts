// The clauses of `CheckpointStore` about several owners of one name: the expected position lets one of them through.

import type { CheckpointStore, SaveResult } from "../ports/checkpoint-store.js";
import type { Position } from "../ports/event-store.js";
import { toPosition } from "../ports/position.js";
import { assert, assertSame } from "./case.js";
import { assertAt, saveAt } from "./checkpoint-store-saving.js";

export async function createsOnce(store: CheckpointStore): Promise<void> {
	await race(
		store,
		Array.from({ length: 50 }, (_, index) => toPosition(index + 1)),
		undefined,
	);
}

const ROUNDS = 20;

export async function movesOnce(store: CheckpointStore): Promise<void> {
	await saveAt(store, "billing", 100);
	let at = toPosition(100);
	for (let round = 1; round <= ROUNDS; round += 1) {
		at = await race(
			store,
			[1, 2, 3, 4].map((owner) => toPosition(100 + round * 10 + owner)),
			at,
		);
	}
}

/** Resolves with where the winner moved it. */
async function race(
	store: CheckpointStore,
	positions: readonly Position[],
	expected: Position | undefined,
): Promise<Position> {
	const results = await Promise.all(positions.map((position) => store.save("billing", position, expected)));
	const won = positions.filter((_, index) => results[index]?._tag === "Saved");
	assertSame(
		won.length,
		1,
		`of ${positions.length} saves at once behind ${expected ?? "nothing"}, those that won`,
	);
	const [winner] = won as [Position];
	await assertAt(store, "billing", winner, "where the winner moved the name");
	const isTold = (result: SaveResult): boolean => result._tag === "Saved" || result.actual === winner;
	assert(results.every(isTold), "those that lost are told where the winner moved the name");
	return winner;
}
