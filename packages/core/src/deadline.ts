// When a recording's link is taken to die: the earliest plausible of what was stated. A deadline orders work and
// never forbids it.

import type { StatedExpiry } from "./link.js";

/** Signed links live for at most a week, STS ones for hours; a year and a month is generous. */
export const MAX_DAYS_AHEAD = 400;
/** With nothing plausible stated: as long as the longest V4 link lives. */
export const DEFAULT_CAP_MS = 7 * 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

export type DeadlineSource = "expire_time" | "link" | "cap";

export interface Deadline {
	/** UTC milliseconds. */
	readonly at: number;
	readonly source: DeadlineSource;
	/** What was stated but not believed. */
	readonly ignored: readonly IgnoredExpiry[];
}

export interface IgnoredExpiry {
	readonly source: "expire_time" | "link";
	/** The number as stated, in its own unit. */
	readonly value: number;
	/**
	 * - `past`: over already when the callback was received
	 * - `wrong-unit`: makes sense only when seconds are read as milliseconds, or the other way round
	 * - `too-far`: over 400 days ahead
	 */
	readonly reason: "past" | "wrong-unit" | "too-far";
}

/**
 * Decides the deadline of a link. Pure.
 * *Units*: `receivedAt`, `expireTime` and `capMs` in milliseconds.
 */
export function decideDeadline(stated: {
	readonly receivedAt: number;
	readonly expireTime?: number;
	readonly linkExpiry?: StatedExpiry;
	readonly capMs?: number;
}): Deadline {
	const { receivedAt, expireTime, linkExpiry, capMs = DEFAULT_CAP_MS } = stated;
	const candidates = [
		...(expireTime === undefined
			? []
			: [
					{ source: "expire_time" as const, at: expireTime, value: expireTime, otherUnit: expireTime * 1000 },
				]),
		...(linkExpiry === undefined
			? []
			: [
					{
						source: "link" as const,
						at: linkExpiry.at,
						value: linkExpiry.value,
						otherUnit: linkExpiry.value,
					},
				]),
	];
	const judged = candidates.map((candidate) => ({
		...candidate,
		reason: implausible(candidate.at, candidate.otherUnit, receivedAt),
	}));
	const ignored = judged.flatMap(({ source, value, reason }) =>
		reason === undefined ? [] : [{ source, value, reason }],
	);
	const believed = judged
		.filter(({ reason }) => reason === undefined)
		.sort((left, right) => left.at - right.at)[0];
	return believed === undefined
		? { at: receivedAt + capMs, source: "cap", ignored }
		: { at: believed.at, source: believed.source, ignored };
}

function implausible(at: number, otherUnit: number, now: number): IgnoredExpiry["reason"] | undefined {
	if (isAhead(at, now)) return undefined;
	if (isAhead(otherUnit, now)) return "wrong-unit";
	return at <= now ? "past" : "too-far";
}

function isAhead(at: number, now: number): boolean {
	return at > now && at <= now + MAX_DAYS_AHEAD * DAY_MS;
}

/** The latest one of several links: until then a video can still be had. `undefined`: of none. */
export function latestDeadline(links: readonly { readonly deadline: Deadline }[]): Deadline | undefined {
	return links
		.map(({ deadline }) => deadline)
		.reduce<Deadline | undefined>(
			(latest, deadline) => (latest === undefined || deadline.at > latest.at ? deadline : latest),
			undefined,
		);
}
