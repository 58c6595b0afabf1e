// The one way out of the log: everything that reads on and on — subscriptions, the live emitter, the archiver —
// follows it here, in position order, from a position, first to the end and then as it grows.

import { observe } from "./observe.js";
import type { Position, ReadAllOptions, RecordedEvent } from "./ports/event-store.js";
import { comparePositions } from "./ports/position.js";
import type { Clock, Logger } from "./ports/runtime.js";
import { isStoreFault, type StoreFault } from "./ports/store-fault.js";
import { createWake } from "./wake.js";

/** Hints may be lost, so the log is looked at this often anyway. */
const DEFAULT_POLL_INTERVAL_MS = 500;
/** A store that fails is asked again after this. */
const FAULT_DELAY_MS = 1000;

export type Followed<Event = RecordedEvent> =
	| { readonly _tag: "Event"; readonly event: Event }
	/** Everything that was in the log is out; more may come. */
	| { readonly _tag: "CaughtUp"; readonly position: Position | undefined };

/** Of an `EventStore`, what following its log needs; what it reads may also be runs of encoded events. */
export interface LogSource<Event extends Pick<RecordedEvent, "position"> = RecordedEvent> {
	readAll(options?: ReadAllOptions): AsyncIterable<Event>;
	onAppended(hint: () => void): () => void;
}

export interface FollowOptions {
	/** Exclusive; `undefined`: from the start. */
	readonly after?: Position | undefined;
	readonly signal: AbortSignal;
	readonly pollIntervalMs?: number;
	/** Asked before each reading: only events of these types are yielded. */
	readonly types?: () => readonly string[];
	/** Told of a fault that is waited out, and with `undefined` that it is over. */
	readonly onFault?: (fault: StoreFault | undefined) => void;
}

/**
 * Yields every event behind `after`, and `CaughtUp` each time the end is reached. Ends when `signal` aborts or the store
 * is closed; a retryable fault is waited out, another is thrown.
 */
export async function* followLog<Event extends Pick<RecordedEvent, "position">>(
	deps: { readonly store: LogSource<Event>; readonly clock: Clock; readonly logger: Logger },
	options: FollowOptions,
): AsyncGenerator<Followed<Event>, void, void> {
	const { store, clock, logger } = deps;
	const { signal, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS, types, onFault } = options;
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
				// What comes behind it may be of a type that nobody has asked for yet.
				const end = types === undefined ? undefined : await lastPosition(store, signal);
				const wanted = types === undefined ? {} : { types: types() };
				for await (const event of readBehind(store, position, { ...wanted, signal })) {
					if (types !== undefined && isBehind(event.position, end)) break;
					tell(undefined);
					position = event.position;
					yield { _tag: "Event", event };
					if (signal.aborted) return;
				}
				if (end !== undefined && isBehind(end, position)) position = end;
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
export async function lastPosition(
	store: Pick<LogSource<Pick<RecordedEvent, "position">>, "readAll">,
	signal?: AbortSignal,
): Promise<Position | undefined> {
	const options = { direction: "backward", limit: 1 } as const;
	const events = store.readAll(signal === undefined ? options : { ...options, signal });
	for await (const event of events) return event.position;
	return undefined;
}

function readBehind<Event extends Pick<RecordedEvent, "position">>(
	store: LogSource<Event>,
	after: Position | undefined,
	options: ReadAllOptions,
): AsyncIterable<Event> {
	return store.readAll(after === undefined ? options : { ...options, after });
}

function isBehind(position: Position, other: Position | undefined): boolean {
	return other === undefined || comparePositions(position, other) > 0;
}
