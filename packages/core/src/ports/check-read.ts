// What a read accepts, in every store: a programmer's mistakes end here, before anything is read.

import type { ReadAllOptions, ReadStreamOptions } from "./event-store.js";
import { isPosition } from "./position.js";

/** Call it first in `read`. Throws a `TypeError` or a `RangeError` that names the option. */
export function checkReadStream(options: ReadStreamOptions): void {
	checkBoth(options);
	const { after } = options;
	if (after !== undefined && (!Number.isSafeInteger(after) || after < 0)) {
		throw new RangeError("after must be a version: 0 or a positive integer");
	}
}

/** Call it first in `readAll`. Throws a `TypeError` or a `RangeError` that names the option. */
export function checkReadAll(options: ReadAllOptions): void {
	checkBoth(options);
	if (options.after !== undefined && !isPosition(options.after)) {
		throw new RangeError("after must be a position: a decimal string without leading zeros");
	}
	const { types = [] } = options;
	if (!Array.isArray(types) || !types.every((type) => typeof type === "string")) {
		throw new TypeError("types must be an array of event types");
	}
}

function checkBoth({ limit, direction }: ReadAllOptions | ReadStreamOptions): void {
	const isCount = limit === Number.POSITIVE_INFINITY || (Number.isSafeInteger(limit) && (limit ?? 0) >= 0);
	if (limit !== undefined && !isCount) throw new RangeError("limit must be 0 or a positive integer");
	if (direction !== undefined && direction !== "forward" && direction !== "backward") {
		throw new TypeError('direction must be "forward" or "backward"');
	}
}
