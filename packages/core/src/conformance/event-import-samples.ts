// Events of another log, for the cases about imports.

import type { Position, RecordedEvent } from "../ports/event-store.js";
import { toPosition } from "../ports/position.js";
import { newEvent } from "./sample-events.js";

/** Events as they stand in a log elsewhere: their positions are none of the store's. `streams`: that of each event. */
export function recordedElsewhere(
	streams: readonly string[],
	versions = new Map<string, number>(),
): readonly RecordedEvent[] {
	return streams.map((stream, at) => {
		const version = (versions.get(stream) ?? 0) + 1;
		versions.set(stream, version);
		// Clocks go back, too.
		const recordedAt = 1_600_000_000_000 + ((at * 7919) % 1000);
		return { ...newEvent(at), stream, version, position: toPosition(7_000 + 3 * at), recordedAt };
	});
}

/** What must be the same on both sides. */
export const kept = ({ position: _, ...event }: RecordedEvent) => ({
	id: event.id,
	type: event.type,
	schemaVersion: event.schemaVersion,
	stream: event.stream,
	version: event.version,
	recordedAt: event.recordedAt,
	data: event.data,
	metadata: event.metadata,
});

export const positionsOf = (events: readonly RecordedEvent[]): readonly Position[] =>
	events.map(({ position }) => position);
