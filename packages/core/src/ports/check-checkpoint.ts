// What a checkpoint store accepts: a programmer's mistakes end here, before anything is looked up.

import { checkName, MAX_NAME_CHARACTERS } from "./check-name.js";
import type { Position } from "./event-store.js";
import { comparePositions, isPosition } from "./position.js";

/** As the port says. */
export const MAX_CHECKPOINT_NAME_CHARACTERS = MAX_NAME_CHARACTERS;

/** Call it first in `load` and `save`. Throws a `TypeError` or a `RangeError`. */
export function checkCheckpointName(name: string): void {
	checkName("a checkpoint's name", name);
}

/** Call it next in `save`. Throws a `TypeError` or a `RangeError`. */
export function checkCheckpointMove(position: Position, expected: Position | undefined): void {
	if (!isPosition(position)) throw new TypeError("a checkpoint's position must be a position");
	if (expected === undefined) return;
	if (!isPosition(expected)) throw new TypeError("the expected checkpoint must be a position or undefined");
	if (comparePositions(position, expected) < 0) throw new RangeError("a checkpoint never moves backward");
}
