// What callers hand to the store, checked before anything is sent.

import { isVideoLocation, storeFault } from "@reelkeep/core/ports";

/** Of its UTF-8. */
const MAX_NOTE_BYTES = 4 * 1024;

export function checkKey(key: string): void {
	if (typeof key !== "string" || key === "")
		throw new TypeError("a video's key must be a string that is not empty");
}

export function checkNote(note: string): void {
	if (Buffer.byteLength(note) > MAX_NOTE_BYTES)
		throw new RangeError(`the note of an upload has at most ${MAX_NOTE_BYTES} bytes`);
}

export function checkOffset(offset: number): void {
	if (!Number.isSafeInteger(offset) || offset < 0)
		throw new RangeError("offset must be 0 or a positive integer");
}

/** So no location leads to anything else in the bucket. *Errors*: throws a `StoreFault`. */
export function checkLocation(location: string): void {
	if (!isVideoLocation(location))
		throw storeFault("io", "this is not the location of a video in this store", { retryable: false });
}
