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
/** So many events are looked through for a page of certain types, by what was found: no statement goes through a whole log. */
const FIRST_REACH = 1_024;
const MAX_REACH = 16_384;
const MAX_BIGINT = 2n ** 63n - 1n;

/** The position as text: what a host has made of `int8` may lose digits of it. */
const COLUMNS = "position::text, stream, version, id, type, schema_version, recorded_at, data, metadata";

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
	const isBackward = direction === "backward";
	if (types === undefined) {
		return pages(deps, { key: "position", condition: horizon, values: [], isBackward, after, limit, signal });
	}
	return typedPages(deps, { horizon, types: types.map(toText), isBackward, after, limit, signal });
}

interface Reading {
	readonly isBackward: boolean;
	readonly after: number | string | undefined;
	readonly limit: number | undefined;
	readonly signal: AbortSignal | undefined;
}

interface Scan extends Reading {
	readonly key: "version" | "position";
	/** `$1` and `$2` are where the page begins and how long it is. */
	readonly condition: string;
	readonly values: readonly unknown[];
}

interface TypedScan extends Reading {
	readonly horizon: string;
	readonly types: readonly string[];
}

async function* pages(deps: ReadDeps, scan: Scan): AsyncGenerator<RecordedEvent> {
	const { key, condition, values, isBackward, limit = Number.POSITIVE_INFINITY, signal } = scan;
	const { compare, order } = orderOf(isBackward);
	const text = `SELECT ${COLUMNS} FROM ${deps.schema}.events WHERE ${key} ${compare} $1 AND ${condition} ORDER BY ${deps.schema}.events.${key} ${order} LIMIT $2`;
	let after = beginOf(scan);
	let size = FIRST_PAGE;
	for (let left = limit; left > 0; ) {
		signal?.throwIfAborted();
		deps.checkOpen();
		const count = Math.min(left, size);
		const rows = await ask(deps.pool, { text, values: [after, count, ...values] }, "reading events");
		yield* recorded(rows, signal);
		const last = rows.at(-1);
		// A page that is not full is no end: more may have come while it was handed out.
		if (last === undefined) return;
		after = String(last[key]);
		left -= rows.length;
		size = nextPageSize(rows, rows.length === count ? 4 * size : size);
	}
}

/** A statement looks so far ahead that it may find a page, and no further. */
async function* typedPages(deps: ReadDeps, scan: TypedScan): AsyncGenerator<RecordedEvent> {
	const { horizon, types, isBackward, limit = Number.POSITIVE_INFINITY, signal } = scan;
	const { compare, within, order, farthest } = orderOf(isBackward);
	const events = `${deps.schema}.events`;
	// One bound alone: from two, a server that has not analyzed the table expects so few that it sorts them all.
	const start = isBackward ? `least($1::bigint, ${horizonOf(deps.schema)})` : "$1";
	const ahead = `SELECT ${farthest}(position) FILTER (WHERE ${horizon}) AS until, count(*) FILTER (WHERE ${horizon}) AS passed
		FROM (SELECT position FROM ${events} WHERE position ${compare} ${start} ORDER BY position ${order} LIMIT $4) AS near`;
	const found = `SELECT position AS place, ${COLUMNS} FROM ${events}
		WHERE position ${compare} $1 AND position ${within} ahead.until AND ${horizon} AND type = ANY ($3::text[])
		ORDER BY ${events}.position ${order} LIMIT $2`;
	const text = `SELECT found.*, ahead.until::text, ahead.passed FROM (${ahead}) AS ahead LEFT JOIN LATERAL (${found}) AS found ON true ORDER BY place ${order}`;
	let after = beginOf(scan);
	let size = FIRST_PAGE;
	let reach = FIRST_REACH;
	for (let left = limit; left > 0; ) {
		signal?.throwIfAborted();
		deps.checkOpen();
		if (types.length === 0) return;
		const count = Math.min(left, size);
		const answer = await ask(deps.pool, { text, values: [after, count, types, reach] }, "reading events");
		const rows = answer.filter(({ place }) => place !== null);
		yield* recorded(rows, signal);
		const isFull = rows.length === count;
		const { until, passed } = answer[0] as Row;
		// As long as something is handed out, more may come meanwhile.
		if (until === null || (rows.length === 0 && Number(passed) < reach)) return;
		after = String(isFull ? rows.at(-1)?.position : until);
		left -= rows.length;
		size = nextPageSize(rows, isFull ? 4 * size : size);
		reach = isFull ? Math.max(FIRST_REACH, reach / 4) : Math.min(MAX_REACH, reach * 4);
	}
}

const FORWARD = { compare: ">", within: "<=", order: "ASC", farthest: "max" };
const BACKWARD = { compare: "<", within: ">=", order: "DESC", farthest: "min" };

function orderOf(isBackward: boolean): typeof FORWARD {
	return isBackward ? BACKWARD : FORWARD;
}

function beginOf({ after, isBackward }: Reading): string {
	return String(min(BigInt(after ?? (isBackward ? MAX_BIGINT : 0n)), MAX_BIGINT));
}

function* recorded(rows: readonly Row[], signal: AbortSignal | undefined): Generator<RecordedEvent> {
	for (const row of rows) {
		signal?.throwIfAborted();
		yield toRecorded(row);
	}
}

/** `most`, but no more rows than pages of `PAGE_BYTES` hold, when the next ones are as large as these. */
function nextPageSize(rows: readonly Row[], most: number): number {
	if (rows.length === 0) return most;
	const characters = rows.reduce(
		(sum, { data, metadata }) => sum + String(data).length + String(metadata).length,
		0,
	);
	return Math.max(1, Math.min(MAX_PAGE, most, Math.floor((PAGE_BYTES * rows.length) / (characters + 1))));
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
