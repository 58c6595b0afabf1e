// Takes over events of another log: one transaction for each call, so that their positions are in its order. One import
// at a time goes on: each locks the row of the log. Appends do not wait for that; who appends meanwhile is found out, because
// the log ends elsewhere then.

import {
	checkImport,
	type ImportResult,
	type Position,
	passedVersion,
	type RecordedEvent,
	type StreamName,
	toPosition,
} from "@reelkeep/core/ports";
import { lines, numbers, PLACE_BITS } from "./append-statement.js";
import { inTransaction } from "./in-transaction.js";
import type { PostgresClient, PostgresPool, Row } from "./postgres-pool.js";
import { toText } from "./postgres-text.js";
import type { WhenVisible } from "./visibility.js";

export interface ImportDeps {
	readonly pool: PostgresPool;
	readonly schema: string;
	readonly whenVisible: WhenVisible;
}

/** *Errors*, *Promise*: as the port says; of a call that was cut short all is there or nothing. */
export async function importEvents(
	{ pool, schema, whenVisible }: ImportDeps,
	events: readonly RecordedEvent[],
	after: Position | undefined,
): Promise<ImportResult> {
	checkImport(events, after);
	const first = await inTransaction(pool, "importing events", async (client) => {
		const start = await lockLog(client, schema);
		const end = await lastPositionOf(client, schema);
		if (end !== after || start <= BigInt(end ?? 0)) return "wrong-end";
		const moves = movesOf(events, start);
		if (await hasPassed(client, schema, moves)) return "passed";
		await moveStreams(client, schema, moves);
		await insertEvents(client, schema, events, start);
		return start;
	});
	if (first === "wrong-end") return { _tag: "WrongEnd" };
	if (first === "passed") throw passedVersion();
	await whenVisible(first >> BigInt(PLACE_BITS));
	return { _tag: "Imported", positions: events.map((_, at) => toPosition(first + BigInt(at))) };
}

/** The last position of what is committed, whether readers of the log see it already or not. *Errors*: as the client. */
export async function lastPositionOf(client: PostgresClient, schema: string): Promise<Position | undefined> {
	const { rows } = await client.query({
		text: `SELECT max(position)::text AS position FROM ${schema}.events`,
	});
	const position = rows[0]?.position;
	return position === null || position === undefined ? undefined : toPosition(String(position));
}

/** Waits for an import that is under way, of a process that was killed say. *Errors*: rejects with a `StoreFault`. */
export async function waitForImports(pool: PostgresPool, schema: string): Promise<void> {
	await inTransaction(pool, "waiting for another import", (client) => lockLog(client, schema));
}

/** One import at a time has it. Resolves with the first position of this transaction. */
async function lockLog(client: PostgresClient, schema: string): Promise<bigint> {
	// Plans that are made while the tables are small would scan them when they are not.
	await client.query({
		text: "SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET LOCAL lock_timeout = '5s'",
	});
	const { rows } = await client.query({
		text: `SELECT ((pg_current_xact_id()::text::bigint + transaction_offset) << ${PLACE_BITS})::text AS first
			FROM ${schema}.log WHERE only_row FOR UPDATE`,
	});
	return BigInt(String((rows[0] as Row).first));
}

interface StreamMove {
	readonly stream: string;
	/** The versions that its first and last event here bring it to. */
	readonly from: number;
	readonly to: number;
	readonly position: bigint;
}

/** In the order in which appends lock streams: nobody waits in a circle. */
function movesOf(events: readonly RecordedEvent[], start: bigint): readonly StreamMove[] {
	const byName = new Map<StreamName, StreamMove>();
	for (const [at, { stream, version }] of events.entries()) {
		const from = byName.get(stream)?.from ?? version;
		byName.set(stream, { stream: toText(stream), from, to: version, position: start + BigInt(at) });
	}
	return [...byName.values()].sort((left, right) => (left.stream < right.stream ? -1 : 1));
}

/** Whether a stream has come to one of these versions already. */
async function hasPassed(
	client: PostgresClient,
	schema: string,
	moves: readonly StreamMove[],
): Promise<boolean> {
	const { rows } = await client.query({
		text: `SELECT 1 FROM unnest(string_to_array($1, E'\\n'), $2::bigint[]) AS w (name, version)
			JOIN ${schema}.streams AS s ON s.stream = w.name WHERE s.version >= w.version LIMIT 1`,
		values: [lines(moves.map(({ stream }) => stream)), numbers(moves.map(({ from }) => from))],
	});
	return rows.length > 0;
}

async function moveStreams(
	client: PostgresClient,
	schema: string,
	moves: readonly StreamMove[],
): Promise<void> {
	await client.query({
		text: `INSERT INTO ${schema}.streams (stream, version, position)
			SELECT * FROM unnest(string_to_array($1, E'\\n'), $2::bigint[], $3::bigint[])
			ON CONFLICT (stream) DO UPDATE SET version = excluded.version, position = excluded.position`,
		values: [
			lines(moves.map(({ stream }) => stream)),
			numbers(moves.map(({ to }) => to)),
			numbers(moves.map(({ position }) => position)),
		],
	});
}

async function insertEvents(
	client: PostgresClient,
	schema: string,
	events: readonly RecordedEvent[],
	start: bigint,
): Promise<void> {
	await client.query({
		text: `INSERT INTO ${schema}.events (position, stream, version, id, type, schema_version, recorded_at, data, metadata)
			SELECT $1::bigint + place - 1, stream, version, id, type, schema_version, recorded_at, data, metadata
			FROM unnest(string_to_array($2, E'\\n'), $3::bigint[], string_to_array($4, E'\\n'), string_to_array($5, E'\\n'),
				$6::bigint[], $7::bigint[], string_to_array($8, E'\\n'), string_to_array($9, E'\\n'))
				WITH ORDINALITY AS e (stream, version, id, type, schema_version, recorded_at, data, metadata, place)`,
		values: [
			String(start),
			lines(events.map(({ stream }) => toText(stream))),
			numbers(events.map(({ version }) => version)),
			lines(events.map(({ id }) => toText(id))),
			lines(events.map(({ type }) => toText(type))),
			numbers(events.map(({ schemaVersion }) => schemaVersion)),
			numbers(events.map(({ recordedAt }) => recordedAt)),
			lines(events.map(({ data }) => JSON.stringify(data))),
			lines(events.map(({ metadata }) => JSON.stringify(metadata))),
		],
	});
}
