// What a lease store accepts: a programmer's mistakes end here, before anything is looked up.

import { checkName, MAX_NAME_CHARACTERS } from "./check-name.js";

/** As the port says. */
export const MAX_LEASE_NAME_CHARACTERS = MAX_NAME_CHARACTERS;
/** As the port says: 30 days, in milliseconds; a longer lease is one that nobody gets back after a crash. */
export const MAX_LEASE_MS = 30 * 24 * 60 * 60 * 1_000;

/** Call it first in `acquire`. Throws a `TypeError` or a `RangeError` that names the argument. */
export function checkLeaseNames(name: string, owner: string): void {
	checkName("a lease's name", name);
	checkName("a lease's owner", owner);
}

/** Call it first in `list`. Throws a `TypeError` or a `RangeError`. */
export function checkLeasePrefix(prefix: string): void {
	checkName("the beginning of leases' names", prefix);
}

/** Call it in `acquire` and first in `renew`. Throws a `TypeError` or a `RangeError`. */
export function checkLeaseDuration(durationMs: number): void {
	if (typeof durationMs !== "number") throw new TypeError("a lease's duration must be a number");
	if (!Number.isInteger(durationMs) || durationMs < 1 || durationMs > MAX_LEASE_MS) {
		throw new RangeError(`a lease lasts 1 to ${MAX_LEASE_MS} milliseconds, a whole number of them`);
	}
}
