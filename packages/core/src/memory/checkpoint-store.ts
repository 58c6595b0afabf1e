import type { CheckpointStore } from "../ports/checkpoint-store.js";
import type { Position } from "../ports/event-store.js";
import { comparePositions } from "../ports/position.js";

/** Makes a `CheckpointStore` that forgets everything with the process. */
export function createMemoryCheckpointStore(): CheckpointStore {
	const positions = new Map<string, Position>();
	return {
		async load(name) {
			return positions.get(name);
		},
		async save(name, position, expected) {
			const actual = positions.get(name);
			if (actual !== expected) return { _tag: "WrongCheckpoint", actual };
			if (actual !== undefined && comparePositions(position, actual) < 0) {
				throw new RangeError("a checkpoint never moves backward");
			}
			positions.set(name, position);
			return { _tag: "Saved" };
		},
	};
}
