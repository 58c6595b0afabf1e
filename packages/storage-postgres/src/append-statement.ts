// A batch of appends as one statement, which is one transaction: each append is decided by itself, and all that are
// accepted become durable together. The deciding is `append_events` of the migrations; docs/adr/0041-appends-in-postgresql.md.

import {
	type AppendResult,
	type ExpectedVersion,
	type NewEvent,
	type Position,
	type StreamName,
	toPosition,
} from "@reelkeep/core/ports";
import type { EndedTransactions } from "./ended-transactions.js";
import type { Row, Statement } from "./postgres-pool.js";
import { toText } from "./postgres-text.js";

/** The places within one transaction: 20 bits of a position. */
export const PLACE_BITS = 20;

/** An append as it is sent: taken when it was called. */
export interface EncodedAppend {
	/** As a `text`. */
	readonly stream: string;
	/** -1: any; 0: there must be no stream. */
	readonly expected: number;
	readonly events: readonly EncodedEvent[];
	/** Roughly, of all that is sent of it. */
	readonly bytes: number;
}

interface EncodedEvent {
	readonly id: string;
	readonly type: string;
	readonly schemaVersion: number;
	readonly data: string;
	readonly metadata: string;
	readonly recordedAt: number;
}

/** Of one append of a batch. */
export type Decided =
	| { readonly _tag: "Appended"; readonly version: number; readonly position: Position }
	/** `transaction`: which the version is of, with the log's offset; a reader sees it once all earlier ones have ended; 0: of none. */
	| { readonly _tag: "WrongExpectedVersion"; readonly actualVersion: number; readonly transaction: bigint }
	/** Another transaction came in between: nothing was appended, and the same append may do in a later transaction. */
	| { readonly _tag: "Overtaken" };

const ANY = -1;
/** Of `append_events`. */
const PARAMETERS = 12;

/** Takes the events as they are now. Throws what `JSON.stringify` throws. */
export function encodeAppend(
	stream: StreamName,
	events: readonly NewEvent[],
	expected: ExpectedVersion,
	recordedAt: number,
): EncodedAppend {
	if (!Number.isSafeInteger(recordedAt)) throw new RangeError("the clock must return whole milliseconds");
	let bytes = stream.length;
	const encoded = events.map(({ id, type, schemaVersion, data, metadata }) => {
		const event = {
			id: toText(id),
			type: toText(type),
			schemaVersion,
			data: JSON.stringify(data),
			metadata: JSON.stringify(metadata),
			recordedAt,
		};
		bytes += event.id.length + event.type.length + event.data.length + event.metadata.length;
		return event;
	});
	const wanted = expected === "any" ? ANY : expected === "no-stream" ? 0 : expected;
	return { stream: toText(stream), expected: wanted, events: encoded, bytes };
}

/** *Shape*: no stream stands twice in `batch`, and they stand in the order of `inLockOrder`. */
export function appendStatement(schema: string, batch: readonly EncodedAppend[]): Statement {
	let events = 0;
	const lastPlaces = batch.map((append) => {
		events += append.events.length;
		return events - 1;
	});
	const rows = batch.flatMap(({ events: own }, index) =>
		own.map((event, at) => ({ ...event, nth: index + 1, ahead: at + 1 })),
	);
	const parameters = Array.from({ length: PARAMETERS }, (_, index) => `$${index + 1}`).join(", ");
	return {
		text: `SELECT ${schema}.append_events(${parameters}) AS outcomes`,
		values: [
			lines(batch.map(({ stream }) => stream)),
			numbers(batch.map(({ expected }) => expected)),
			numbers(batch.map((append) => append.events.length)),
			numbers(lastPlaces),
			numbers(rows.map(({ nth }) => nth)),
			numbers(rows.map(({ ahead }) => ahead)),
			lines(rows.map(({ id }) => id)),
			lines(rows.map(({ type }) => type)),
			numbers(rows.map(({ schemaVersion }) => schemaVersion)),
			numbers(rows.map(({ recordedAt }) => recordedAt)),
			lines(rows.map(({ data }) => data)),
			lines(rows.map(({ metadata }) => metadata)),
		],
	};
}

/** JSON, and what `toText` makes, have no line feed. An array of `pg` would escape each quote: half of what an append costs here. */
export const lines = (texts: readonly string[]): string => texts.join("\n");
export const numbers = (all: readonly (number | bigint)[]): string => `{${all.join(",")}}`;

/** In this order everybody locks the rows of streams: nobody waits in a circle. */
export function inLockOrder<Item extends { readonly append: EncodedAppend }>(
	batch: readonly Item[],
): readonly Item[] {
	return batch.toSorted((left, right) => compare(left.append.stream, right.append.stream));
}

function compare(left: string, right: string): number {
	return left < right ? -1 : left > right ? 1 : 0;
}

/** What the caller is told; `undefined`: nothing yet. */
export function resultOf(decided: Decided): AppendResult | undefined {
	switch (decided._tag) {
		case "Appended":
			return { _tag: "Appended", version: decided.version, position: decided.position };
		case "WrongExpectedVersion":
			return { _tag: "WrongExpectedVersion", actualVersion: decided.actualVersion };
		case "Overtaken":
			return undefined;
		default:
			return decided satisfies never;
	}
}

/** What became of a batch. */
export interface Outcomes {
	/** In the order of the batch. */
	readonly decided: readonly Decided[];
	/**
	 * The newest transaction that they tell of, with the log's offset, while earlier ones may be open; `undefined`: readers see
	 * all of it.
	 */
	readonly behind: bigint | undefined;
}

/** What became of a batch, and by which transaction. */
export interface Answer extends Outcomes {
	/** When it was started. */
	readonly server: string;
	/** As the server counts. */
	readonly transaction: bigint;
	readonly hasAppended: boolean;
}

/** *Shape*: `rows` is what the statement of the batch returned. */
export function readOutcomes(
	batch: readonly EncodedAppend[],
	rows: readonly Row[],
	ended: Pick<EndedTransactions, "has">,
): Answer {
	const [server, first, free, id, began, ...lists] = String(rows[0]?.outcomes).split(" ") as Fields;
	const [befores, actuals, stands] = lists.map((list) => list.split(","));
	const own = transactionOf(first);
	let newest = 0n;
	let position = BigInt(free) - 1n;
	const decided = batch.map((append, index): Decided => {
		position += BigInt(append.events.length);
		const found = { before: befores?.[index], actual: actuals?.[index], stand: stands?.[index] };
		const one = decide(append, found, own, position);
		const told = one._tag === "Appended" ? own : one._tag === "WrongExpectedVersion" ? one.transaction : 0n;
		if (told > newest) newest = told;
		return one;
	});
	const transaction = BigInt(id);
	const hasEnded = (open: bigint): boolean => ended.has(server, open);
	const isSeen = newest <= own && haveEnded(began, transaction - (own - newest), hasEnded);
	return {
		decided,
		behind: isSeen ? undefined : newest,
		server,
		transaction,
		hasAppended: decided.some(({ _tag }) => _tag === "Appended"),
	};
}

type Fields = [server: string, first: string, free: string, id: string, began: string, ...lists: string[]];

/**
 * Whether all transactions before `end` that were open in a `pg_snapshot` have ended; an empty text: there were none. Those
 * from its second number on were open, and are not listed.
 */
function haveEnded(snapshot: string, end: bigint, hasEnded: (id: bigint) => boolean): boolean {
	if (snapshot === "") return true;
	const [, unlisted, listed] = snapshot.split(":") as [string, string, string];
	for (let id = BigInt(unlisted); id < end; id += 1n) if (!hasEnded(id)) return false;
	return listed === "" || listed.split(",").every((id) => BigInt(id) >= end || hasEnded(BigInt(id)));
}

function transactionOf(position: string): bigint {
	return BigInt(position) >> BigInt(PLACE_BITS);
}

/** Texts of numbers; none, or an empty one: there is no such. */
interface Found {
	readonly before: string | undefined;
	readonly actual: string | undefined;
	readonly stand: string | undefined;
}

/** `own`: the transaction, with the log's offset. `position`: of the last event. */
function decide({ expected, events }: EncodedAppend, found: Found, own: bigint, position: bigint): Decided {
	const { before, actual, stand } = found;
	if (before) {
		const version = Number(before) + events.length;
		return { _tag: "Appended", version, position: toPosition(String(position)) };
	}
	if (!actual || !stand) {
		// A stream that somebody makes right now, or none where there should be one.
		if (expected <= 0) return { _tag: "Overtaken" };
		return { _tag: "WrongExpectedVersion", actualVersion: 0, transaction: 0n };
	}
	const actualVersion = Number(actual);
	const transaction = transactionOf(stand);
	if (transaction > own && (expected === ANY || expected === actualVersion)) return { _tag: "Overtaken" };
	return { _tag: "WrongExpectedVersion", actualVersion, transaction };
}
