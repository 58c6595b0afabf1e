// How much one host is asked at a time: less when it says that it has too much to do, more again with each success. Pure.

import { backoffDelay, type RetryPolicy } from "./retry.js";

export interface HostPace {
	/** Downloads at a time. */
	readonly limit: number;
	/** Nothing is begun before; UTC milliseconds. */
	readonly pausedUntil: number;
	/** How often in a row it asked for patience. */
	readonly strikes: number;
}

export function fullPace(limit: number): HostPace {
	return { limit, pausedUntil: 0, strikes: 0 };
}

/** The host asked for patience (`busy`): half as many at a time, and none for as long as it wants, but not for ever. */
export function slowDown(
	pace: HostPace,
	options: {
		readonly now: number;
		readonly random: number;
		readonly retryAfterMs?: number | undefined;
		readonly policy: RetryPolicy;
	},
): HostPace {
	const { now, random, retryAfterMs = 0, policy } = options;
	const strikes = pace.strikes + 1;
	const delayMs = Math.max(backoffDelay({ attempts: strikes, random }, policy), retryAfterMs);
	return {
		limit: Math.max(1, Math.floor(pace.limit / 2)),
		pausedUntil: Math.max(pace.pausedUntil, now + Math.min(delayMs, policy.maxDelayMs)),
		strikes,
	};
}

/** The host gave a video: one more at a time, up to `limit`. */
export function speedUp(pace: HostPace, limit: number): HostPace {
	if (pace.limit === limit && pace.strikes === 0) return pace;
	return { ...pace, limit: Math.min(limit, pace.limit + 1), strikes: 0 };
}
