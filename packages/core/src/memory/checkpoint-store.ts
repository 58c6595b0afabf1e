import { checkCheckpointMove, checkCheckpointName } from "../ports/check-checkpoint.js";
import type { CheckpointStore } from "../ports/checkpoint-store.js";
import type { Position } from "../ports/event-store.js";

/** Makes a `CheckpointStore` that forgets everything with the process. */
export function createMemoryCheckpointStore(): CheckpointStore {
	const positions = new Map<string, Position>();
	return {
		async load(name) {
			checkCheckpointName(name);
			return positions.get(name);
		},
		async save(name, position, expected) {
			checkCheckpointName(name);
			checkCheckpointMove(position, expected);
			const actual = positions.get(name);
			if (actual !== expected) return { _tag: "WrongCheckpoint", actual };
			positions.set(name, position);
			return { _tag: "Saved" };
		},
	};
}
