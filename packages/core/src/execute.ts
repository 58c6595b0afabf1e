// Runs one command against one recording's stream: read, fold, decide, append; again when another writer was faster.

import { type DomainEvent, decodeEvent, EVENT_TYPES } from "./events.js";
import type { EventMetadata, EventStore, NewEvent, StreamName, StreamVersion } from "./ports/event-store.js";
import type { Ids } from "./ports/runtime.js";
import { storeFault } from "./ports/store-fault.js";
import { type Decision, decide, evolve, initialRecording, type Recording } from "./recording.js";
import type { RecordingCommand } from "./recording-command.js";

/** Every lost race means that another writer succeeded; a stream has few writers, so more is a fault. */
export const MAX_RACES = 64;

/** A recording as its stream tells it. */
export interface LoadedRecording {
	readonly recording: Recording;
	readonly version: StreamVersion;
}

/** Folds a recording's stream. An unreported recording has version 0. */
export async function loadRecording(store: EventStore, stream: StreamName): Promise<LoadedRecording> {
	let recording = initialRecording;
	let version = 0;
	for await (const event of store.read(stream)) {
		const known = decodeEvent(event);
		if (known !== undefined) recording = evolve(recording, known);
		version = event.version;
	}
	return { recording, version };
}

export interface ExecuteOptions {
	readonly metadata: EventMetadata;
	/** Try first as if there were no stream: right for a first report, and saves its read. */
	readonly assumeUnreported?: boolean;
}

/**
 * Decides `command` on the newest state and appends what follows from it, all or nothing.
 * *Errors*: rejects with the store's `StoreFault`; the outcome may then be unknown. With a `TypeError`, as `toNewEvent`
 * throws it, nothing was appended.
 */
export async function execute(
	deps: { readonly store: EventStore; readonly ids: Ids },
	stream: StreamName,
	command: RecordingCommand,
	options: ExecuteOptions,
): Promise<Decision> {
	let loaded: LoadedRecording | undefined =
		options.assumeUnreported === true ? { recording: initialRecording, version: 0 } : undefined;
	for (let race = 0; race < MAX_RACES; race += 1) {
		const { recording, version } = loaded ?? (await loadRecording(deps.store, stream));
		const decision = decide(command, recording);
		if (decision.events.length === 0) return decision;
		const events = decision.events.map((event) => toNewEvent(event, deps.ids, options.metadata));
		const result = await deps.store.append(stream, events, version === 0 ? "no-stream" : version);
		if (result._tag === "Appended") return decision;
		loaded = undefined;
	}
	throw storeFault("overloaded", `stream ${stream} is written to by too many at once; try again`);
}

/**
 * The event as a store takes it: with its id and the schema version of today.
 * *Errors*: throws a `TypeError` that names the type when the data is not what `decodeEvent` takes, once it was stored: one
 * such event, and its stream can never be read again.
 */
export function toNewEvent(event: DomainEvent, ids: Ids, metadata: EventMetadata): NewEvent {
	const { codec, schemaVersion } = EVENT_TYPES[event.type];
	if (!codec.is(event.data) || !hasFiniteNumbers(event.data)) {
		throw new TypeError(`an event to be stored is no ${event.type}: it could not be read again`);
	}
	return {
		id: ids.next(),
		type: event.type,
		schemaVersion,
		data: event.data as NewEvent["data"],
		metadata,
	};
}

/** `t.number` takes NaN and the infinities, of which JSON makes `null`. */
function hasFiniteNumbers(value: unknown): boolean {
	if (typeof value === "number") return Number.isFinite(value);
	return typeof value !== "object" || value === null || Object.values(value).every(hasFiniteNumbers);
}
