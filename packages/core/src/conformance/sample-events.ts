// Events for the cases, and how they are appended and read.

import type { EventStore, NewEvent, RecordedEvent } from "../ports/event-store.js";

let serial = 0;

export function newEvent(note: unknown = "x"): NewEvent {
	serial += 1;
	const id = `event-${serial}-${Math.trunc(serial * 7919).toString(36)}`;
	return {
		id,
		type: "Noted",
		schemaVersion: 1,
		data: { note } as NewEvent["data"],
		metadata: { requestId: id },
	};
}

export async function collect(events: AsyncIterable<RecordedEvent>): Promise<readonly RecordedEvent[]> {
	const collected: RecordedEvent[] = [];
	for await (const event of events) collected.push(event);
	return collected;
}

/** A reading whose events are asked for one by one; it begins with the first `next`. */
export function iterate(events: AsyncIterable<RecordedEvent>): AsyncIterator<RecordedEvent> {
	return events[Symbol.asyncIterator]();
}

/** What is left of a reading. */
export function restOf(reading: AsyncIterator<RecordedEvent>): AsyncIterable<RecordedEvent> {
	return { [Symbol.asyncIterator]: () => reading };
}

export const newEvents = (count: number): readonly NewEvent[] =>
	Array.from({ length: count }, (_, index) => newEvent(index));

export const idsOf = (events: readonly { readonly id: string }[]): readonly string[] =>
	events.map(({ id }) => id);

export async function fill(store: EventStore, stream: string, count: number): Promise<readonly NewEvent[]> {
	const events = newEvents(count);
	for (const event of events) await store.append(stream, [event], "any");
	return events;
}
