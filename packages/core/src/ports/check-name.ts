// What a name may be under which a store keeps something small.

export const MAX_NAME_CHARACTERS = 256;

/** `what` is checked, in words. Throws a `TypeError` or a `RangeError` that says so. */
export function checkName(what: string, name: string): void {
	if (typeof name !== "string") throw new TypeError(`${what} must be a string`);
	if (name.length < 1 || name.length > MAX_NAME_CHARACTERS) {
		throw new RangeError(`${what} has 1 to ${MAX_NAME_CHARACTERS} characters`);
	}
}

/** Call it first in `load` and `save` of a snapshot store. Throws a `TypeError` or a `RangeError`. */
export function checkSnapshotName(name: string): void {
	checkName("a snapshot's name", name);
}
