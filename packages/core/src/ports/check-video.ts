// What a video store accepts, whatever keeps the videos: a programmer's mistakes end here, before anything is touched.

import { storeFault } from "./store-fault.js";
import { isVideoLocation } from "./video-location.js";
import type { VideoKey } from "./video-store.js";

/** Of its UTF-8. */
const MAX_NOTE_BYTES = 4 * 1024;

/** Call it first in all that takes a key. Throws a `TypeError`. */
export function checkVideoKey(key: VideoKey): void {
	if (typeof key !== "string" || key === "")
		throw new TypeError("a video's key must be a string that is not empty");
}

/** Call it in `begin`. Throws a `RangeError`. */
export function checkUploadNote(note: string): void {
	if (new TextEncoder().encode(note).length > MAX_NOTE_BYTES)
		throw new RangeError(`the note of an upload has at most ${MAX_NOTE_BYTES} bytes`);
}

/** Call it first in `open`. Throws a `RangeError`. */
export function checkVideoOffset(offset: number): void {
	if (!Number.isSafeInteger(offset) || offset < 0)
		throw new RangeError("offset must be 0 or a positive integer");
}

/** So no location leads to anything else. *Errors*: throws a `StoreFault` for what is none. */
export function checkVideoLocation(location: string): void {
	if (!isVideoLocation(location))
		throw storeFault("io", "this is not the location of a video in this store", { retryable: false });
}
