// Checkpoints of a store that is copied: each moves to where the copy has the last event that its subscription finished.

import {
	type Checkpoint,
	type CheckpointStore,
	comparePositions,
	type Position,
	storeFault,
	toPosition,
} from "@reelkeep/core/ports";

/** Finds the places of checkpoints while the events of both logs pass by, in their order. Pure. */
export interface CheckpointPlaces {
	/** The next event: where it stands in the source, and in the copy. */
	pass(source: Position, copy: Position): void;
	/** Where each of them stands in the copy: at the last event that passed and is not behind it. */
	places(): readonly Checkpoint[];
}

/** *Shape*: position 0 stands for none: nothing that passed was finished. */
export function placeCheckpoints(checkpoints: readonly Checkpoint[]): CheckpointPlaces {
	const waiting = checkpoints.toSorted((left, right) => comparePositions(left.position, right.position));
	const placed: Checkpoint[] = [];
	let last = toPosition(0);
	return {
		pass(source, copy) {
			for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
				if (comparePositions(next.position, source) >= 0) break;
				placed.push({ name: next.name, position: last });
				waiting.shift();
			}
			last = copy;
		},
		places: () => [...placed, ...waiting.map(({ name }) => ({ name, position: last }))],
	};
}

export interface CheckpointsReport {
	readonly count: number;
	/** Of them, those that were moved now. */
	readonly moved: number;
	/** Names that stand further in the copy: somebody runs on it. They are left where they are. */
	readonly ahead: readonly string[];
}

/** Saves them; none moves backward. *Errors*: rejects with a `StoreFault`. */
export async function saveCheckpoints(
	store: CheckpointStore,
	checkpoints: readonly Checkpoint[],
): Promise<CheckpointsReport> {
	const ahead: string[] = [];
	let moved = 0;
	for (const { name, position } of checkpoints) {
		const present = await store.load(name);
		if (present === position) continue;
		if (present !== undefined && comparePositions(present, position) > 0) {
			ahead.push(name);
			continue;
		}
		const { _tag } = await store.save(name, position, present);
		if (_tag !== "Saved") {
			throw storeFault("io", "a checkpoint of the copy is moved by somebody else: stop what runs on it");
		}
		moved += 1;
	}
	return { count: checkpoints.length, moved, ahead };
}
