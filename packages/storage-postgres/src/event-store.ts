// The event store in PostgreSQL: any number of processes append to it and read it.

import { guardLogger } from "@reelkeep/core";
import {
	type AppendResult,
	type Clock,
	checkAppend,
	type EventImporter,
	type EventStore,
	type ExpectedVersion,
	type Logger,
	type NewEvent,
	type Position,
	type StreamName,
	storeFault,
} from "@reelkeep/core/ports";
import { AppendQueue } from "./append-queue.js";
import { appendStatement, encodeAppend, readOutcomes, resultOf } from "./append-statement.js";
import { ask } from "./ask.js";
import { EndedTransactions } from "./ended-transactions.js";
import { createHints } from "./hints.js";
import { importEvents, lastPositionOf } from "./import-events.js";
import { toFault } from "./postgres-fault.js";
import type { PostgresClient, PostgresPool } from "./postgres-pool.js";
import { readAll, readStream } from "./read-events.js";
import { createVisibility } from "./visibility.js";

const MAX_PENDING_APPENDS = 16_384;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
const STATEMENTS = 2;

export interface PostgresEventStoreOptions {
	readonly pool: PostgresPool;
	readonly schema: string;
	readonly clock: Clock;
	readonly logger: Logger;
	/** Whether processes tell each other of new events by `NOTIFY`. Default `true`. */
	readonly hints?: boolean;
	/** Appends that may wait for the server; one more is `overloaded`. Default 16,384. */
	readonly maxPendingAppends?: number;
	/** Bytes of events that may wait. Default 64 MiB. */
	readonly maxPendingBytes?: number;
}

export interface PostgresEventStore extends EventStore, EventImporter {
	/**
	 * Appends in a transaction of yours that is under way on `client`: the events are there when it commits, together with
	 * your rows. Until then other appends to the stream wait, and readers of the log see nothing of later transactions.
	 * *Errors*: as `append`; `overloaded` when a transaction that began later was faster with this stream: roll back, and
	 * do all of it again.
	 */
	appendWithin(
		client: PostgresClient,
		stream: StreamName,
		events: readonly NewEvent[],
		expectedVersion: ExpectedVersion,
	): Promise<AppendResult>;
	/**
	 * Of the last event that is committed; `undefined`: there is none. Readers of the log may not see it yet, while an older
	 * transaction is open.
	 */
	lastPosition(): Promise<Position | undefined>;
	/** Until then every call rejects with `closed`. The schema is there. */
	open(): void;
	/** What is wrong that is no reason to refuse callbacks, in words. */
	troubles(): readonly string[];
}

/** Makes the event store of a schema; `open` it before use. The pool is not its own. */
export function createPostgresEventStore(options: PostgresEventStoreOptions): PostgresEventStore {
	const { pool, schema, clock, hints: isShared = true } = options;
	const logger = guardLogger(options.logger);
	const hints = createHints({ pool, schema, clock, logger, isShared });
	let isOpen = false;
	let closing: Promise<void> | undefined;
	const checkOpen = (): void => {
		if (isOpen && closing === undefined) return;
		throw storeFault("closed", `the event store in PostgreSQL is ${closing ? "closed" : "not open yet"}`);
	};
	const whenVisible = createVisibility({ pool, schema, clock });
	const ended = new EndedTransactions();
	const queue = new AppendQueue({
		async send(batch) {
			const { rows } = await pool.query(appendStatement(schema, batch));
			const outcomes = readOutcomes(batch, rows, ended);
			// One that wrote nothing was not synced: its id may be given again behind a crash.
			if (outcomes.hasAppended) ended.add(outcomes.server, outcomes.transaction);
			return outcomes;
		},
		whenVisible,
		onDurable: hints.give,
		statements: STATEMENTS,
		maxPendingAppends: options.maxPendingAppends ?? MAX_PENDING_APPENDS,
		maxPendingBytes: options.maxPendingBytes ?? MAX_PENDING_BYTES,
	});
	const reading = { pool, schema, checkOpen };
	return {
		supports: { persistence: true },
		open() {
			isOpen = true;
			hints.start();
		},
		troubles: () => [hints.trouble()].filter((trouble) => trouble !== undefined),
		async append(stream, events, expectedVersion) {
			checkAppend(stream, events, expectedVersion);
			// Before anything is awaited: appends are decided in the order of the calls.
			const encoded = encodeAppend(stream, events, expectedVersion, clock.now());
			checkOpen();
			return queue.append(encoded);
		},
		async appendWithin(client, stream, events, expectedVersion) {
			checkAppend(stream, events, expectedVersion);
			const batch = [encodeAppend(stream, events, expectedVersion, clock.now())];
			checkOpen();
			const rows = await ask(client, appendStatement(schema, batch), "appending events");
			const result = readOutcomes(batch, rows, ended).decided.map(resultOf)[0];
			if (result !== undefined) return result;
			throw storeFault(
				"overloaded",
				"a transaction that began later was faster with this stream: roll back, and do all of it again",
			);
		},
		async importEvents(events, after) {
			checkOpen();
			const result = await importEvents({ pool, schema, whenVisible }, events, after);
			if (result._tag === "Imported") hints.give();
			return result;
		},
		async lastPosition() {
			checkOpen();
			return lastPositionOf(pool, schema).catch((error) => {
				throw toFault(error, "looking how far the log is");
			});
		},
		read: (stream, readOptions) => readStream(reading, stream, readOptions),
		readAll: (readOptions) => readAll(reading, readOptions),
		onAppended: hints.add,
		close() {
			closing ??= queue.drain().then(() => hints.stop());
			return closing;
		},
	};
}
