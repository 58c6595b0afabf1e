// Reads events page by page. The whole log is read up to its horizon only: what stands before that has ended, so that
// nothing can come in between later. docs/adr/0040-reading-without-gaps.md.

import {
	checkReadAll,
	checkReadStream,
	freezeDeep,
	type ReadAllOptions,
	type ReadStreamOptions,
	type RecordedEvent,
	type StreamName,
	storeFault,
	toPosition,
} from "@reelkeep/core/ports";
import { ask } from "./ask.js";
import { horizonOf } from "./horizon.js";
import type { PostgresPool, Row } from "./postgres-pool.js";
import { fromText, toText } from "./postgres-text.js";

const FIRST_PAGE = 64;
const MAX_PAGE = 1_000;
/** A page is held in memory whole. */
const PAGE_BYTES = 2 * 1024 * 1024;
const MAX_BIGINT = 2n ** 63n - 1n;

const COLUMNS = "position, stream, version, id, type, schema_version, recorded_at, data, metadata";

export interface ReadDeps {
	readonly pool: PostgresPool;
	readonly schema: string;
	/** Throws `closed` once the store is. */
	readonly checkOpen: () => void;
}

/** Checks the options at once; reads when iterated. */
export function readStream(
	deps: ReadDeps,
	stream: StreamName,
	options: ReadStreamOptions = {},
): AsyncIterable<RecordedEvent> {
	checkReadStream(options);
	const { direction, limit, signal, after } = options;
	return pages(deps, {
		key: "version",
		condition: "stream = $3",
		values: [toText(stream)],
		isBackward: direction === "backward",
		after,
		limit,
		signal,
	});
}

/** Checks the options at once; reads when iterated. */
export function readAll(deps: ReadDeps, options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
	checkReadAll(options);
	const { direction, limit, signal, after, types } = options;
	const horizon = `position < ${horizonOf(deps.schema)}`;
	return pages(deps, {
		key: "position",
		condition: types === undefined ? horizon : `${horizon} AND type = ANY ($3::text[])`,
		values: types === undefined ? [] : [types.map(toText)],
		isBackward: direction === "backward",
		after,
		limit,
		signal,
	});
}

interface Scan {
	readonly key: "version" | "position";
	/** `$1` and `$2` are where the page begins and how long it is. */
	readonly condition: string;
	readonly values: readonly unknown[];
	readonly isBackward: boolean;
	readonly after: number | string | undefined;
	readonly limit: number | undefined;
	readonly signal: AbortSignal | undefined;
}

async function* pages(deps: ReadDeps, scan: Scan): AsyncGenerator<RecordedEvent> {
	const { key, condition, isBackward, limit = Number.POSITIVE_INFINITY, signal } = scan;
	const [compare, order, start] = isBackward ? ["<", "DESC", MAX_BIGINT] : [">", "ASC", 0n];
	const text = `SELECT ${COLUMNS} FROM ${deps.schema}.events WHERE ${key} ${compare} $1 AND ${condition} ORDER BY ${key} ${order} LIMIT $2`;
	let after = min(BigInt(scan.after ?? start), MAX_BIGINT);
	let size = FIRST_PAGE;
	for (let left = limit; left > 0; ) {
		signal?.throwIfAborted();
		deps.checkOpen();
		const count = Math.min(left, size);
		const values = [String(after), count, ...scan.values];
		const rows = await ask(deps.pool, { text, values }, "reading events");
		for (const row of rows) {
			signal?.throwIfAborted();
			yield toRecorded(row);
		}
		const last = rows.at(-1);
		// A page that is not full is no end: more may have come while it was handed out.
		if (last === undefined) return;
		after = BigInt(String(last[key]));
		left -= rows.length;
		size = nextPageSize(rows);
	}
}

/** As many rows as pages of `PAGE_BYTES` hold, when the next ones are as large. */
function nextPageSize(rows: readonly Row[]): number {
	const characters = rows.reduce(
		(sum, { data, metadata }) => sum + String(data).length + String(metadata).length,
		0,
	);
	return Math.max(
		1,
		Math.min(MAX_PAGE, rows.length * 4, Math.floor((PAGE_BYTES * rows.length) / (characters + 1))),
	);
}

function toRecorded(row: Row): RecordedEvent {
	const { position, stream, version, id, type, schema_version, recorded_at, data, metadata } = row;
	try {
		return freezeDeep({
			id: fromText(String(id)),
			type: fromText(String(type)),
			schemaVersion: Number(schema_version),
			stream: fromText(String(stream)),
			version: Number(version),
			position: toPosition(String(position)),
			recordedAt: Number(recorded_at),
			data: JSON.parse(String(data)) as RecordedEvent["data"],
			metadata: JSON.parse(String(metadata)) as RecordedEvent["metadata"],
		});
	} catch {
		throw storeFault(
			"corrupt",
			`the event at position ${String(position)} is no event: somebody changed its row`,
		);
	}
}

function min(a: bigint, b: bigint): bigint {
	return a < b ? a : b;
}
