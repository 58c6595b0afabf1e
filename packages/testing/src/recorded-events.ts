// What came of a report: a log's events, decoded, all at once; and waiting for one of them.

import { decodeEvent, type EventType, type ReelkeepEvent } from "@reelkeep/core";
import type { EventStore, StreamName } from "@reelkeep/core/ports";

/** A test that waits longer than this, in real time, waits for something that does not come. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 5;

/** The events of the log, or of one stream, in order. Those of types that this release does not know are left out. */
export async function readHistory(store: EventStore, stream?: StreamName): Promise<readonly ReelkeepEvent[]> {
	const events: ReelkeepEvent[] = [];
	for await (const event of stream === undefined ? store.readAll() : store.read(stream)) {
		const known = decodeEvent(event);
		if (known !== undefined) events.push(known);
	}
	return events;
}

/** *Errors*: throws when there is none. */
export function firstOf<Type extends EventType>(
	type: Type,
	events: readonly ReelkeepEvent[],
): Extract<ReelkeepEvent, { readonly type: Type }> {
	const found = events.find(
		(event): event is Extract<ReelkeepEvent, { readonly type: Type }> => event.type === type,
	);
	if (found === undefined) throw new Error(`there is no ${type}`);
	return found;
}

/** The same, once an event of `type` is among them. *Errors*: rejects when none has come after 10 s of real time. */
export async function untilRecorded(
	store: EventStore,
	type: EventType,
	stream?: StreamName,
): Promise<readonly ReelkeepEvent[]> {
	const giveUpAt = Date.now() + PATIENCE_MS;
	for (;;) {
		const events = await readHistory(store, stream);
		if (events.some((event) => event.type === type)) return events;
		if (Date.now() > giveUpAt) throw new Error(`no ${type} came within ${PATIENCE_MS / 1000} s`);
		await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
	}
}
