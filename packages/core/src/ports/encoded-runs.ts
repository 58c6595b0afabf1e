// Events as JSON, for who only hands them on.

import type { EncodedEvent, EncodedRun, LogReading, RecordedEvent } from "./event-store.js";

/** The events of `reading` without what parsing them costs, where its store can do that. *Errors*: those of the reading. */
export function encodedRuns(reading: LogReading): AsyncIterable<EncodedRun> {
	return reading.encoded?.() ?? encodeEach(reading);
}

async function* encodeEach(reading: LogReading): AsyncGenerator<EncodedRun> {
	for await (const event of reading) yield { events: [encodeEvent(event)], position: event.position };
}

const utf8 = new TextEncoder();

/** `event` with what it holds as JSON again. */
export function encodeEvent({ data, metadata, ...event }: RecordedEvent): EncodedEvent {
	const dataJson = utf8.encode(JSON.stringify(data));
	const metadataJson = utf8.encode(JSON.stringify(metadata));
	return { ...event, dataJson, metadataJson };
}
