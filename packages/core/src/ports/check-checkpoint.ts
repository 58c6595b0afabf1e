// What a checkpoint store accepts: a programmer's mistakes end here, before anything is looked up.

import type { Position } from "./event-store.js";
import { comparePositions, isPosition } from "./position.js";

/** As the port says. */
export const MAX_CHECKPOINT_NAME_CHARACTERS = 256;

/** Call it first in `load` and `save`. Throws a `TypeError` or a `RangeError`. */
export function checkCheckpointName(name: string): void {
	if (typeof name !== "string") throw new TypeError("a checkpoint's name must be a string");
	if (name.length < 1 || name.length > MAX_CHECKPOINT_NAME_CHARACTERS) {
		throw new RangeError(`a checkpoint's name has 1 to ${MAX_CHECKPOINT_NAME_CHARACTERS} characters`);
	}
}

/** Call it next in `save`. Throws a `TypeError` or a `RangeError`. */
export function checkCheckpointMove(position: Position, expected: Position | undefined): void {
	if (!isPosition(position)) throw new TypeError("a checkpoint's position must be a position");
	if (expected === undefined) return;
	if (!isPosition(expected)) throw new TypeError("the expected checkpoint must be a position or undefined");
	if (comparePositions(position, expected) < 0) throw new RangeError("a checkpoint never moves backward");
}
