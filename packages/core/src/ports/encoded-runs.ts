// Events as JSON, for who only hands them on.

import type { EncodedRun, LogReading } from "./event-store.js";

/** The events of `reading` without what parsing them costs, where its store can do that. *Errors*: those of the reading. */
export function encodedRuns(reading: LogReading): AsyncIterable<EncodedRun> {
	return reading.encoded?.() ?? encodeEach(reading);
}

async function* encodeEach(reading: LogReading): AsyncGenerator<EncodedRun> {
	const utf8 = new TextEncoder();
	for await (const { data, metadata, ...event } of reading) {
		const dataJson = utf8.encode(JSON.stringify(data));
		const metadataJson = utf8.encode(JSON.stringify(metadata));
		yield { events: [{ ...event, dataJson, metadataJson }], position: event.position };
	}
}
