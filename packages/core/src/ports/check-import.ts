// What an import accepts, in every store: a programmer's mistakes end here, before anything is written.

import { checkEvent, checkStream } from "./check-append.js";
import type { Position, RecordedEvent, StreamName, StreamVersion } from "./event-store.js";
import { isPosition } from "./position.js";

/** Events of one import, as the port says: held in memory whole, and written at once. */
const MAX_IMPORT_EVENTS = 1_000;

/** Call it first in `importEvents`. Throws a `TypeError` or a `RangeError` that names the argument. */
export function checkImport(events: readonly RecordedEvent[], after: Position | undefined): void {
	if (!Array.isArray(events)) throw new TypeError("events must be an array");
	if (events.length < 1 || events.length > MAX_IMPORT_EVENTS) {
		throw new RangeError(`an import takes 1 to ${MAX_IMPORT_EVENTS} events`);
	}
	if (after !== undefined && !isPosition(after)) throw new TypeError("after must be a position");
	const versions = new Map<StreamName, StreamVersion>();
	for (const event of events) {
		checkEvent(event);
		checkStream(event.stream);
		const { stream, version, recordedAt } = event;
		if (!Number.isSafeInteger(version) || version < 1) throw new RangeError("versions count from 1");
		if (!Number.isSafeInteger(recordedAt)) throw new RangeError("recordedAt must be whole milliseconds");
		if (version <= (versions.get(stream) ?? 0)) throw passedVersion();
		versions.set(stream, version);
	}
}

/** What an import rejects with when a stream has come to an event's version already. */
export function passedVersion(): RangeError {
	return new RangeError("an event's version must be higher than what its stream has");
}
