// The log as a subscription sends it: batches while there is more, heartbeats while there is not.

import { followLog } from "@reelkeep/core";
import type { Clock, EventStore, Logger, Position, RecordedEvent } from "@reelkeep/core/ports";

/** A batch is sent when it is as long as this, whatever its events are. One event has 350 KiB at most. */
const MAX_BATCH_CHARACTERS = 256 * 1024;

/** A `RecordedEvent` of the contract. */
export interface WireEvent {
	readonly id: string;
	readonly type: string;
	readonly schemaVersion: number;
	readonly stream: string;
	readonly version: number;
	readonly position: string;
	/** Milliseconds since 1970. */
	readonly recordedAt: number;
	readonly dataJson: string;
	readonly metadataJson: string;
}

/** A `SubscribeEventsResponse` of the contract. */
export interface EventBatch {
	readonly events: readonly WireEvent[];
	/** Empty while the log is. */
	readonly position: string;
	readonly caughtUp: boolean;
}

export interface EventBatchOptions {
	/** Exclusive; `undefined`: from the start. */
	readonly after: Position | undefined;
	readonly maxEvents: number;
	readonly heartbeatMs: number;
	readonly signal: AbortSignal;
}

/** Ends when `signal` aborts or the store is closed. *Errors*: throws a `StoreFault` that will not pass. */
export async function* eventBatches(
	deps: { readonly store: EventStore; readonly clock: Clock; readonly logger: Logger },
	{ after, maxEvents, heartbeatMs, signal }: EventBatchOptions,
): AsyncGenerator<EventBatch, void, void> {
	let position = after;
	let events: WireEvent[] = [];
	let characters = 0;
	/** When the subscriber heard last, and whether it was that everything is out. */
	let heard = { atMs: 0, caughtUp: false };
	const take = (caughtUp: boolean): EventBatch => {
		const batch = { events, position: position ?? "", caughtUp };
		[events, characters] = [[], 0];
		heard = { atMs: deps.clock.now(), caughtUp };
		return batch;
	};
	for await (const followed of followLog(deps, { after, signal })) {
		if (followed._tag === "CaughtUp") {
			// A clock that was set back is no reason for silence.
			const silentMs = Math.abs(deps.clock.now() - heard.atMs);
			if (events.length > 0 || !heard.caughtUp || silentMs >= heartbeatMs) yield take(true);
			continue;
		}
		const event = toWire(followed.event);
		events.push(event);
		position = followed.event.position;
		characters += event.dataJson.length + event.metadataJson.length;
		if (events.length >= maxEvents || characters >= MAX_BATCH_CHARACTERS) yield take(false);
	}
}

function toWire(event: RecordedEvent): WireEvent {
	const { id, type, schemaVersion, stream, version, position, recordedAt, data, metadata } = event;
	return {
		id,
		type,
		schemaVersion,
		stream,
		version,
		position,
		recordedAt,
		dataJson: JSON.stringify(data),
		metadataJson: JSON.stringify(metadata),
	};
}
