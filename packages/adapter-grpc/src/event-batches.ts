// The log as a subscription sends it: batches while there is more, heartbeats while there is not.

import { followLog } from "@reelkeep/core";
import {
	type Clock,
	type EncodedEvent,
	type EventStore,
	encodedRuns,
	type Logger,
	type Position,
	type ReadAllOptions,
} from "@reelkeep/core/ports";

/** A batch is sent when it is as long as this, whatever its events are. One event has 350 KiB at most. */
const MAX_BATCH_BYTES = 256 * 1024;

/** A `SubscribeEventsResponse` of the contract; an event of the log has the members that it has in the contract. */
export interface EventBatch {
	readonly events: readonly EncodedEvent[];
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
	let events: EncodedEvent[] = [];
	let bytes = 0;
	/** When the subscriber heard last, and whether it was that everything is out. */
	let heard = { atMs: 0, caughtUp: false };
	const take = (caughtUp: boolean): EventBatch => {
		const batch = { events, position: position ?? "", caughtUp };
		[events, bytes] = [[], 0];
		heard = { atMs: deps.clock.now(), caughtUp };
		return batch;
	};
	const store = {
		readAll: (options?: ReadAllOptions) => encodedRuns(deps.store.readAll(options)),
		onAppended: (hint: () => void) => deps.store.onAppended(hint),
	};
	for await (const followed of followLog({ ...deps, store }, { after, signal })) {
		if (followed._tag === "CaughtUp") {
			// A clock that was set back is no reason for silence.
			const silentMs = Math.abs(deps.clock.now() - heard.atMs);
			if (events.length > 0 || !heard.caughtUp || silentMs >= heartbeatMs) yield take(true);
			continue;
		}
		for (const event of followed.event.events) {
			events.push(event);
			position = event.position;
			bytes += event.dataJson.length + event.metadataJson.length;
			if (events.length >= maxEvents || bytes >= MAX_BATCH_BYTES) yield take(false);
		}
	}
}
