// The one way out of the log: everything that reads on and on — subscriptions, the live emitter, the archiver —
// follows it here, in position order, from a position, first to the end and then as it grows.

import { observe } from "./observe.js";
import type { EventStore, Position, RecordedEvent } from "./ports/event-store.js";
import type { Clock, Logger } from "./ports/runtime.js";
import { isStoreFault, type StoreFault } from "./ports/store-fault.js";
import { createWake } from "./wake.js";

/** Hints may be lost, so the log is looked at this often anyway. */
const DEFAULT_POLL_INTERVAL_MS = 500;
/** A store that fails is asked again after this. */
const FAULT_DELAY_MS = 1000;

export type Followed =
	| { readonly _tag: "Event"; readonly event: RecordedEvent }
	/** Everything that was in the log is out; more may come. */
	| { readonly _tag: "CaughtUp"; readonly position: Position | undefined };

export interface FollowOptions {
	/** Exclusive; `undefined`: from the start. */
	readonly after?: Position | undefined;
	readonly signal: AbortSignal;
	readonly pollIntervalMs?: number;
	/** Told of a fault that is waited out, and with `undefined` that it is over. */
	readonly onFault?: (fault: StoreFault | undefined) => void;
}

/**
 * Yields every event behind `after`, and `CaughtUp` each time the end is reached. Ends when `signal` aborts or the store
 * is closed; a retryable fault is waited out, another is thrown.
 */
export async function* followLog(
	deps: { readonly store: EventStore; readonly clock: Clock; readonly logger: Logger },
	options: FollowOptions,
): AsyncGenerator<Followed, void, void> {
	const { store, clock, logger } = deps;
	const { signal, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS, onFault } = options;
	const wake = createWake(clock);
	const unsubscribe = store.onAppended(wake.call);
	let position = options.after;
	let isFaulty = false;
	const tell = (fault: StoreFault | undefined): void => {
		if (fault !== undefined || isFaulty) onFault?.(fault);
		isFaulty = fault !== undefined;
	};
	try {
		while (!signal.aborted) {
			wake.clear();
			try {
				for await (const event of readBehind(store, position, signal)) {
					tell(undefined);
					position = event.position;
					yield { _tag: "Event", event };
					if (signal.aborted) return;
				}
			} catch (error) {
				if (signal.aborted) return;
				if (!isStoreFault(error)) throw error;
				if (error.reason === "closed") return;
				if (!error.retryable) throw error;
				const { reason } = error;
				tell(error);
				observe(() => logger.warn({ reason }, "the log cannot be read; trying again"));
				await clock.sleep(FAULT_DELAY_MS, signal);
				continue;
			}
			tell(undefined);
			yield { _tag: "CaughtUp", position };
			await wake.wait(pollIntervalMs, signal);
		}
	} finally {
		unsubscribe();
	}
}

/** The position of the log's last event; `undefined` when it is empty. */
export async function lastPosition(store: EventStore): Promise<Position | undefined> {
	for await (const event of store.readAll({ direction: "backward", limit: 1 })) return event.position;
	return undefined;
}

function readBehind(store: EventStore, after: Position | undefined, signal: AbortSignal) {
	return store.readAll(after === undefined ? { signal } : { after, signal });
}
