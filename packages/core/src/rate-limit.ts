// How often each app may report: one number an app, a leaky bucket (GCRA). Pure but for its own memory.

export interface RateLimit {
	/** Of one app, on average. A positive number; 0.5 is one in two seconds. */
	readonly reportsPerSecond: number;
	/** How many may come at once after a pause. Default: those of one second, at least 1. */
	readonly burst?: number;
}

/** *Returns* 0 when one more report of `appKey` may come at `now`, else the milliseconds after which one may. */
export type TakeTurn = (appKey: string, now: number) => number;

/** Apps that are remembered before those whose buckets are full again are forgotten. */
const MANY_APPS = 1024;

/** Throws a `RangeError` for a rate or a burst that lets nothing through. */
export function createRateLimiter({ reportsPerSecond, burst }: RateLimit): TakeTurn {
	const atOnce = burst ?? Math.max(1, reportsPerSecond);
	if (!(reportsPerSecond > 0 && Number.isFinite(reportsPerSecond) && atOnce >= 1)) {
		throw new RangeError("rateLimit takes a positive reportsPerSecond and a burst of at least 1");
	}
	const intervalMs = 1000 / reportsPerSecond;
	const toleranceMs = (atOnce - 1) * intervalMs;
	/** When each app's bucket is full again. */
	const fullAt = new Map<string, number>();
	return (appKey, now) => {
		// A clock that was set back must not keep an app out for longer than an empty bucket does.
		const known = Math.min(fullAt.get(appKey) ?? now, now + toleranceMs + intervalMs);
		const startsAt = Math.max(known, now);
		const waitMs = startsAt - now - toleranceMs;
		if (waitMs > 0) return waitMs;
		if (fullAt.size >= MANY_APPS) forgetFull(fullAt, now);
		fullAt.set(appKey, startsAt + intervalMs);
		return 0;
	};
}

function forgetFull(fullAt: Map<string, number>, now: number): void {
	for (const [appKey, at] of fullAt) if (at <= now) fullAt.delete(appKey);
}
