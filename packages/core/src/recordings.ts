// All recordings whole, with their links: every recording's state, deadline and receipt, folded from the log.

import { type Deadline, latestDeadline } from "./deadline.js";
import { decodeEvent } from "./events.js";
import type { RecordedEvent, StreamName } from "./ports/event-store.js";
import { evolve, initialRecording, type Recording } from "./recording.js";
import { isOfRecording } from "./recordings-row.js";

/** All recordings by stream, in the order in which they were first reported. */
export type Recordings = ReadonlyMap<StreamName, Recording>;

/** Folds the log into `Recordings`. *Shape*: a few hundred bytes of memory for each recording. */
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
