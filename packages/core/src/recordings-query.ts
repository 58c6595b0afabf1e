// What can be asked of the `recordings` read model: filters, order, pages. Pure.

import { comparePositions, isPosition } from "./ports/position.js";
import type { RecordingState } from "./recording.js";
import type { RecordingRow } from "./recordings-row.js";

/** A page is bounded: who wants all rows asks page by page. */
export const MAX_RECORDINGS_PER_PAGE = 1000;

const STATES: readonly RecordingState[] = ["unreported", "pending", "archived", "expired", "abandoned"];
const ORDERS = ["oldest-first", "newest-first", "deadline"] as const;

/**
 * - `oldest-first`, `newest-first`: as they were first reported
 * - `deadline`: the earliest first; those without one last
 */
export type RecordingsOrder = (typeof ORDERS)[number];

/** Every filter that is given must be met. Times in UTC milliseconds; windows side by side count each row once. */
export interface RecordingsFilter {
	readonly trackInfo?: string;
	readonly projectId?: string;
	readonly accountId?: string;
	readonly gameId?: string;
	readonly state?: RecordingState;
	/** Earlier than this. */
	readonly deadlineBefore?: number;
	/** At this time or later. */
	readonly deadlineAfter?: number;
	/** When the recording was first reported: earlier than this. */
	readonly recordedBefore?: number;
	/** At this time or later. */
	readonly recordedAfter?: number;
}

export interface RecordingsQuery extends RecordingsFilter {
	/** Default `oldest-first`. */
	readonly order?: RecordingsOrder;
	/** 1 to 1000. */
	readonly limit: number;
	/** What a page of the same query gave as `next`, or `recordingCursor` one of its rows. Default: the first page. */
	readonly cursor?: string;
}

export interface RecordingsPage {
	readonly rows: readonly RecordingRow[];
	/** Of the next page; absent: there is none now. */
	readonly next?: string;
}

/** The place of a row: what comes before its position in an order by deadline is that. */
export interface RowPlace {
	readonly deadlineAt?: number;
	readonly position: RecordingRow["position"];
}

export const FACTS = ["trackInfo", "projectId", "accountId", "gameId"] as const;
const TIMES = ["deadlineBefore", "deadlineAfter", "recordedBefore", "recordedAfter"] as const;

/** Call it first. Throws a `TypeError` or a `RangeError` that names the option. */
export function checkQuery(query: RecordingsQuery): void {
	const { limit, order, state } = query;
	if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_RECORDINGS_PER_PAGE) {
		throw new RangeError(`limit must be a whole number from 1 to ${MAX_RECORDINGS_PER_PAGE}`);
	}
	for (const name of FACTS) {
		if (query[name] !== undefined && typeof query[name] !== "string")
			throw new TypeError(`${name} must be a string`);
	}
	for (const name of TIMES) {
		if (query[name] !== undefined && !Number.isFinite(query[name])) {
			throw new RangeError(`${name} must be a time in UTC milliseconds`);
		}
	}
	if (state !== undefined && !STATES.includes(state))
		throw new RangeError(`state must be one of ${STATES.join(", ")}`);
	if (order !== undefined && !ORDERS.includes(order))
		throw new RangeError(`order must be one of ${ORDERS.join(", ")}`);
}

export function meetsFilter(
	{ reported, state, deadline, recordedAt }: RecordingRow,
	filter: RecordingsFilter,
): boolean {
	if (filter.state !== undefined && state !== filter.state) return false;
	for (const name of FACTS) {
		if (filter[name] !== undefined && reported?.[name] !== filter[name]) return false;
	}
	const { deadlineBefore, deadlineAfter, recordedBefore, recordedAfter } = filter;
	return (
		(recordedBefore === undefined || recordedAt < recordedBefore) &&
		(recordedAfter === undefined || recordedAt >= recordedAfter) &&
		(deadlineBefore === undefined || (deadline !== undefined && deadline.at < deadlineBefore)) &&
		(deadlineAfter === undefined || (deadline !== undefined && deadline.at >= deadlineAfter))
	);
}

/** What `cursor` takes to go on behind this row. */
export function recordingCursor(
	{ deadline, position }: RecordingRow,
	order: RecordingsOrder = "oldest-first",
): string {
	return order === "deadline" ? `${deadline?.at ?? "none"}_${position}` : position;
}

/** *Errors*: throws a `RangeError` for what no page of this order gave. */
export function parseCursor(cursor: string, order: RecordingsOrder): RowPlace {
	const [position, deadlineAt, ...more] = String(cursor).split("_").reverse();
	const isDeadline = deadlineAt === "none" || (deadlineAt !== "" && Number.isFinite(Number(deadlineAt)));
	const fits = order === "deadline" ? deadlineAt !== undefined && isDeadline : deadlineAt === undefined;
	if (!fits || more.length > 0 || !isPosition(position)) {
		throw new RangeError("cursor must be one that a page of the same query gave");
	}
	return deadlineAt === undefined || deadlineAt === "none"
		? { position }
		: { position, deadlineAt: Number(deadlineAt) };
}

/** Negative when `a` comes first in the order by deadline. */
export function compareByDeadline(a: RowPlace, b: RowPlace): number {
	const [left, right] = [a.deadlineAt ?? Number.POSITIVE_INFINITY, b.deadlineAt ?? Number.POSITIVE_INFINITY];
	// Two that have none differ by NaN.
	return left === right ? comparePositions(a.position, b.position) : left - right;
}
