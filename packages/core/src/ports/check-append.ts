// What an append accepts, in every store: a programmer's mistakes end here, before anything is enqueued.

import type { ExpectedVersion, NewEvent } from "./event-store.js";

/** Events of one append, as the port says. */
const MAX_APPEND_EVENTS = 64;
/** As the port says. */
export const MAX_STREAM_NAME_CHARACTERS = 128;

/** Call it first in `append`. Throws a `TypeError` or a `RangeError` that names the argument. */
export function checkAppend(stream: string, events: readonly NewEvent[], expected: ExpectedVersion): void {
	checkStream(stream);
	if (!Array.isArray(events)) throw new TypeError("events must be an array");
	if (events.length < 1 || events.length > MAX_APPEND_EVENTS) {
		throw new RangeError(`an append takes 1 to ${MAX_APPEND_EVENTS} events`);
	}
	for (const event of events) checkEvent(event);
	if (expected === "any" || expected === "no-stream") return;
	if (typeof expected !== "number") {
		throw new TypeError('the expected version must be a number, "no-stream" or "any"');
	}
	if (!Number.isSafeInteger(expected) || expected < 0) {
		throw new RangeError("the expected version must be 0 or a positive integer");
	}
}

export function checkStream(stream: string): void {
	if (typeof stream !== "string") throw new TypeError("the stream's name must be a string");
	if (stream.length < 1 || stream.length > MAX_STREAM_NAME_CHARACTERS || /[^\0-\x7f]/.test(stream)) {
		throw new RangeError(`the stream's name must be 1 to ${MAX_STREAM_NAME_CHARACTERS} ASCII characters`);
	}
}

export function checkEvent(event: NewEvent): void {
	if (typeof event?.id !== "string" || event.id === "") throw new TypeError("an event's id must be a string");
	if (typeof event.type !== "string" || event.type === "")
		throw new TypeError("an event's type must be a string");
	if (!Number.isSafeInteger(event.schemaVersion) || event.schemaVersion < 1) {
		throw new TypeError("an event's schemaVersion must be a positive integer");
	}
	if (!isPlainObject(event.data)) throw new TypeError("an event's data must be an object");
	if (!isPlainObject(event.metadata)) throw new TypeError("an event's metadata must be an object");
}

/** One that JSON turns into an object again: no array, no `Date`. */
function isPlainObject(value: unknown): boolean {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
	return typeof (value as { toJSON?: unknown }).toJSON !== "function";
}
