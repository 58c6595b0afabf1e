// All recordings whole, with their links: every recording's state, deadline and receipt, folded from the log.

import { type Deadline, latestDeadline } from "./deadline.js";
import { decodeEvent } from "./events.js";
import type { RecordedEvent, StreamName } from "./ports/event-store.js";
import { evolve, initialRecording, type Recording } from "./recording.js";
import { isOfRecording } from "./recordings-row.js";

/** All recordings by stream, in the order in which they were first reported. */
export type Recordings = ReadonlyMap<StreamName, Recording>;

/**
 * Folds the log into `Recordings`. *Shape*: about 1 KB of memory for each recording and 1.4 bytes for each of its links' characters, since
 * sealed links are held whole: 1.7 KB with a link of 250 characters, 2.5 KB with one that has a security token.
 */
export async function foldRecordings(events: AsyncIterable<RecordedEvent>): Promise<Recordings> {
	const recordings = new Map<StreamName, Recording>();
	for await (const recorded of events) {
		const event = decodeEvent(recorded);
		if (event === undefined || !isOfRecording(event)) continue;
		recordings.set(event.stream, evolve(recordings.get(event.stream) ?? initialRecording, event));
	}
	return recordings;
}

/** When the last of a recording's links dies: until then its video can still be kept. */
export function recordingDeadline(recording: Recording): Deadline | undefined {
	return latestDeadline(recording.links);
}
