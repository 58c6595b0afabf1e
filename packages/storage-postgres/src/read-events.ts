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
	return pages(deps, options, rowsOf(deps, options, "version", "stream = $3", [toText(stream)]));
}

/** Checks the options at once; reads when iterated. */
export function readAll(deps: ReadDeps, options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
	checkReadAll(options);
	const horizon = `position < ${horizonOf(deps.schema)}`;
	const { types } = options;
	const nextPage =
		types === undefined
			? rowsOf(deps, options, "position", horizon, [])
			: rowsOfTypes(deps, options, horizon, types.map(toText));
	return pages(deps, options, nextPage);
}

type Reading = Omit<ReadStreamOptions, "after"> & { readonly after?: number | string };

interface Page {
	readonly rows: readonly Row[];
	/** Behind what the reading goes on; `undefined`: nothing is there. */
	readonly end: string | undefined;
}

/** Asks for `count` rows at most behind `after`. */
type NextPage = (after: string, count: number) => Promise<Page>;

async function* pages(
	deps: ReadDeps,
	{ direction, after: start, limit = Number.POSITIVE_INFINITY, signal }: Reading,
	nextPage: NextPage,
): AsyncGenerator<RecordedEvent> {
	const first = direction === "backward" ? MAX_BIGINT : 0n;
	let after = String(min(BigInt(start ?? first), MAX_BIGINT));
	let size = FIRST_PAGE;
	for (let left = limit; left > 0; ) {
		signal?.throwIfAborted();
		deps.checkOpen();
		const count = Math.min(left, size);
		const { rows, end } = await nextPage(after, count);
		for (const row of rows) {
			signal?.throwIfAborted();
			yield toRecorded(row);
		}
		if (end === undefined) return;
		after = end;
		left -= rows.length;
		size = nextPageSize(rows, rows.length === count ? 4 * size : size);
	}
}

const FORWARD = { compare: ">", within: "<=", order: "ASC", farthest: "max" };
const BACKWARD = { compare: "<", within: ">=", order: "DESC", farthest: "min" };

/** `condition`: of the rows, with `values` from `$3` on. */
function rowsOf(
	{ pool, schema }: ReadDeps,
	{ direction }: Reading,
	key: "version" | "position",
	condition: string,
	values: readonly unknown[],
): NextPage {
	const { compare, order } = direction === "backward" ? BACKWARD : FORWARD;
	const events = `${schema}.events`;
	const text = `SELECT ${COLUMNS} FROM ${events} WHERE ${key} ${compare} $1 AND ${condition} ORDER BY ${events}.${key} ${order} LIMIT $2`;
	return async (after, count) => {
		const rows = await ask(pool, { text, values: [after, count, ...values] }, "reading events");
		// A page that is not full is no end: more may have come while it was handed out.
		const last = rows.at(-1);
		return { rows, end: last && String(last[key]) };
	};
}

/** A statement looks so far ahead that it may find a page, and no further. */
function rowsOfTypes(
	{ pool, schema }: ReadDeps,
	{ direction }: Reading,
	horizon: string,
	types: readonly string[],
): NextPage {
	const isBackward = direction === "backward";
	const { compare, within, order, farthest } = isBackward ? BACKWARD : FORWARD;
	const events = `${schema}.events`;
	// One bound alone: from two, a server that has not analyzed the table expects so few that it sorts them all.
	const start = isBackward ? `least($1::bigint, ${horizonOf(schema)})` : "$1";
	const ahead = `SELECT ${farthest}(position) FILTER (WHERE ${horizon}) AS until, count(*) FILTER (WHERE ${horizon}) AS passed
		FROM (SELECT position FROM ${events} WHERE position ${compare} ${start} ORDER BY position ${order} LIMIT $4) AS near`;
	const found = `SELECT position AS place, ${COLUMNS} FROM ${events}
		WHERE position ${compare} $1 AND position ${within} ahead.until AND ${horizon} AND type = ANY ($3::text[])
		ORDER BY ${events}.position ${order} LIMIT $2`;
	const text = `SELECT found.*, ahead.until::text, ahead.passed FROM (${ahead}) AS ahead LEFT JOIN LATERAL (${found}) AS found ON true ORDER BY place ${order}`;
	let reach = FIRST_REACH;
	return async (after, count) => {
		if (types.length === 0) return { rows: [], end: undefined };
		const answer = await ask(pool, { text, values: [after, count, types, reach] }, "reading events");
		const rows = answer.filter(({ place }) => place !== null);
		const { until, passed } = answer[0] as Row;
		// As long as something is handed out, more may come meanwhile.
		const isEnd = until === null || (rows.length === 0 && Number(passed) < reach);
		if (isEnd) return { rows, end: undefined };
		const isFull = rows.length === count;
		reach = isFull ? Math.max(FIRST_REACH, reach / 4) : Math.min(MAX_REACH, reach * 4);
		return { rows, end: String(isFull ? rows.at(-1)?.position : until) };
	};
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
