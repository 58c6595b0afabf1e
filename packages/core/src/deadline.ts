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
	const ignored: IgnoredExpiry[] = [];
	let believed: Omit<Deadline, "ignored"> | undefined;
	const judge = (source: IgnoredExpiry["source"], at: number, value: number, otherUnit: number): void => {
		const reason = implausible(at, otherUnit, receivedAt);
		if (reason !== undefined) ignored.push({ source, value, reason });
		else if (believed === undefined || at < believed.at) believed = { at, source };
	};
	if (expireTime !== undefined) judge("expire_time", expireTime, expireTime, expireTime * 1000);
	if (linkExpiry !== undefined) judge("link", linkExpiry.at, linkExpiry.value, linkExpiry.value);
	return { ...(believed ?? { at: receivedAt + capMs, source: "cap" }), ignored };
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
