// How a stored event is read that an earlier release wrote: its data goes from one schema version to the next, up to today's.

import type * as t from "io-ts";
import type { RecordedEvent } from "./ports/event-store.js";
import { freezeDeep } from "./ports/freeze-deep.js";

/**
 * Takes the data of one schema version to the next; `undefined`: it is none of that version. Pure, and asks nobody: an old event
 * means the same whenever it is read.
 */
export type Upcast = (data: unknown) => object | undefined;

/** A step that knows what it starts from. `codec`: of the earlier version, kept beside it for ever. */
export function upcastFrom<Old>(codec: t.Type<Old>, upcast: (data: Old) => object): Upcast {
	return (data) => (codec.is(data) ? upcast(data) : undefined);
}

/** What an event type's data is today, and how earlier versions become that. */
export interface EventSchema<Codec extends t.Mixed = t.Mixed> {
	readonly codec: Codec;
	/** Of what is written today; the first is 1. */
	readonly schemaVersion: number;
	/** From version 1 to 2, from 2 to 3, … */
	readonly upcasts: readonly Upcast[];
}

/** Today's version is one more than there are steps. */
export function eventSchema<Codec extends t.Mixed>(
	codec: Codec,
	...upcasts: readonly Upcast[]
): EventSchema<Codec> {
	return { codec, schemaVersion: upcasts.length + 1, upcasts };
}

/**
 * Decodes an event of a type that has this schema. `undefined`: a later version, which a newer release wrote. An event of today's
 * version is handed back as it is, one of an earlier version as a frozen copy with today's `schemaVersion`.
 * *Errors*: throws a `TypeError` that names the event's id, and nothing of its data.
 */
export function decodeAs<Codec extends t.Mixed>(
	{ codec, schemaVersion, upcasts }: EventSchema<Codec>,
	event: RecordedEvent,
): RecordedEvent<string, t.TypeOf<Codec>> | undefined {
	if (event.schemaVersion > schemaVersion) return undefined;
	const data = upcastAll(upcasts, event);
	if (!codec.is(data)) {
		throw new TypeError(`event ${event.id} at position ${event.position} is no ${event.type}`);
	}
	if (data === event.data) return event as RecordedEvent<string, t.TypeOf<Codec>>;
	return Object.freeze({ ...event, schemaVersion, data: freezeDeep(data) });
}

function upcastAll(upcasts: readonly Upcast[], { schemaVersion, data }: RecordedEvent): unknown {
	if (!(Number.isSafeInteger(schemaVersion) && schemaVersion >= 1)) return undefined;
	return upcasts
		.slice(schemaVersion - 1)
		.reduce<unknown>((old, upcast) => (old === undefined ? undefined : upcast(old)), data);
}
