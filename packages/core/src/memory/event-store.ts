// An event store in memory: for tests, and for trying Reelkeep out. Nothing survives the process.

import { observe } from "../observe.js";
import { checkAppend } from "../ports/check-append.js";
import { checkReadAll, checkReadStream } from "../ports/check-read.js";
import type {
	AppendResult,
	EventStore,
	NewEvent,
	Position,
	ReadAllOptions,
	ReadStreamOptions,
	RecordedEvent,
} from "../ports/event-store.js";
import { freezeDeep } from "../ports/freeze-deep.js";
import { toPosition } from "../ports/position.js";
import type { Clock } from "../ports/runtime.js";
import { storeFault } from "../ports/store-fault.js";
import { meetsExpectation, selectByPosition, selectByVersion } from "./event-selection.js";

/** Makes an empty `EventStore` that forgets everything with the process. */
export function createMemoryEventStore(deps: { readonly clock: Pick<Clock, "now"> }): EventStore {
	const log: RecordedEvent[] = [];
	const streams = new Map<string, RecordedEvent[]>();
	// An entry of its own for each call: the same function may be added twice, and is removed once at a time.
	const hints = new Set<{ readonly hint: () => void }>();
	let closed = false;

	const refuseClosed = (): void => {
		if (closed) throw storeFault("closed", "the memory event store is closed");
	};

	return {
		supports: { persistence: false },

		async append(stream, events, expectedVersion): Promise<AppendResult> {
			refuseClosed();
			checkAppend(stream, events, expectedVersion);
			const held = streams.get(stream) ?? [];
			if (!meetsExpectation(held.length, expectedVersion)) {
				return { _tag: "WrongExpectedVersion", actualVersion: held.length };
			}
			const recordedAt = deps.clock.now();
			const recorded = events.map((event, index) =>
				record(event, stream, held.length + index + 1, toPosition(log.length + index + 1), recordedAt),
			);
			log.push(...recorded);
			streams.set(stream, [...held, ...recorded]);
			for (const { hint } of [...hints]) observe(hint);
			return {
				_tag: "Appended",
				version: held.length + events.length,
				position: toPosition(log.length),
			};
		},

		read(stream, options: ReadStreamOptions = {}) {
			checkReadStream(options);
			return unlessAborted(() => {
				refuseClosed();
				return selectByVersion(streams.get(stream) ?? [], options);
			}, options.signal);
		},

		readAll(options: ReadAllOptions = {}) {
			checkReadAll(options);
			return unlessAborted(() => {
				refuseClosed();
				return selectByPosition(log, options);
			}, options.signal);
		},

		onAppended(hint) {
			const entry = { hint };
			hints.add(entry);
			return () => void hints.delete(entry);
		},

		async close() {
			closed = true;
			hints.clear();
		},
	};
}

function record(
	event: NewEvent,
	stream: string,
	version: number,
	position: Position,
	recordedAt: number,
): RecordedEvent {
	const { id, type, schemaVersion, data, metadata } = event;
	// A copy through JSON: what a caller does to its objects later must not reach the log, and a store keeps only JSON.
	const copy = JSON.parse(JSON.stringify({ id, type, schemaVersion, data, metadata })) as NewEvent;
	return freezeDeep({ ...copy, stream, version, position, recordedAt });
}

async function* unlessAborted(
	select: () => Iterable<RecordedEvent>,
	signal: AbortSignal | undefined,
): AsyncGenerator<RecordedEvent> {
	signal?.throwIfAborted();
	for (const event of select()) {
		signal?.throwIfAborted();
		yield event;
	}
}
