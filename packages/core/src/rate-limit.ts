// How often each app may report: one number an app, a leaky bucket (GCRA). Pure but for its own memory.

export interface RateLimit {
	/** Of one app, on average: 0.001 to 100 000; 0.5 is one in two seconds. */
	readonly reportsPerSecond: number;
	/** How many may come at once after a pause: 1 to 1 000 000. Default: those of one second, at least 1. */
	readonly burst?: number;
}

/** *Returns* 0 when one more report of `appKey` may come at `now`, else the milliseconds after which one may. */
export type TakeTurn = (appKey: string, now: number) => number;

/** Apps that are remembered before those whose buckets are full again are forgotten. */
const MANY_APPS = 1024;

/** Below, an app would wait for more than a quarter of an hour: rather do not let it report at all. */
const MIN_PER_SECOND = 0.001;
/** Above, an interval is lost in the rounding of today's time, and the limit would be none. */
const MAX_PER_SECOND = 100_000;
/** As many at once are no limit any more. */
const MAX_BURST = 1_000_000;

/** Throws a `RangeError` for a rate or a burst that lets nothing through, or everything. */
export function createRateLimiter({ reportsPerSecond, burst }: RateLimit): TakeTurn {
	const atOnce = burst ?? Math.max(1, reportsPerSecond);
	checkRange("reportsPerSecond", reportsPerSecond, MIN_PER_SECOND, MAX_PER_SECOND);
	checkRange("burst", atOnce, 1, MAX_BURST);
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

function checkRange(option: string, value: number, least: number, most: number): void {
	if (Number.isFinite(value) && value >= least && value <= most) return;
	throw new RangeError(`rateLimit takes a ${option} from ${least} to ${most}`);
}

function forgetFull(fullAt: Map<string, number>, now: number): void {
	for (const [appKey, at] of fullAt) if (at <= now) fullAt.delete(appKey);
}
