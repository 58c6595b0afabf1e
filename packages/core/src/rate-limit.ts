// How often each app may report: one number an app, a leaky bucket (GCRA). Pure but for its own memory.

export interface RateLimit {
	/** Of one app, on average: 0.001 to 100 000; 0.5 is one in two seconds. */
	readonly reportsPerSecond: number;
	/**
	 * How many may come at once after a pause: 1 to 1 000 000, and at least those of one millisecond, for time is counted in whole
	 * ones. Default: those of one second, at least 1.
	 */
	readonly burst?: number;
}

/** *Returns* 0 when one more report of `appKey` may come at `now`, else the milliseconds after which one may. */
export type TakeTurn = (appKey: string, now: number) => number;

/** Apps that are remembered before those whose buckets are full again are forgotten; then again once they are twice as many. */
const MANY_APPS = 1024;

/** Below, an app would wait for more than a quarter of an hour: rather do not let it report at all. */
const MIN_PER_SECOND = 0.001;
/** Above, an interval is lost in the rounding of today's time, and the limit would be none. */
const MAX_PER_SECOND = 100_000;
/** Four times what a number of today's time can be off by; without it the last one of a burst may be a millisecond late. */
const ROUNDING_MS = 0.001;
/** As many at once are no limit any more. */
const MAX_BURST = 1_000_000;

/** Throws a `RangeError` for a rate or a burst that lets nothing through, or everything, or less than the rate. */
export function createRateLimiter({ reportsPerSecond, burst }: RateLimit): TakeTurn {
	const atOnce = burst ?? Math.max(1, reportsPerSecond);
	checkRange("reportsPerSecond", reportsPerSecond, MIN_PER_SECOND, MAX_PER_SECOND);
	checkRange("burst", atOnce, 1, MAX_BURST);
	checkMillisecond(reportsPerSecond, atOnce);
	const intervalMs = 1000 / reportsPerSecond;
	const toleranceMs = (atOnce - 1) * intervalMs;
	/** When each app's bucket is full again. */
	const fullAt = new Map<string, number>();
	let sweepAtSize = MANY_APPS;
	return (appKey, now) => {
		// A clock that was set back must not keep an app out for longer than an empty bucket does.
		const known = Math.min(fullAt.get(appKey) ?? now, now + toleranceMs + intervalMs);
		const startsAt = Math.max(known, now);
		const waitMs = startsAt - now - toleranceMs;
		if (waitMs > ROUNDING_MS) return waitMs;
		if (fullAt.size >= sweepAtSize) {
			forgetFull(fullAt, now);
			sweepAtSize = Math.max(MANY_APPS, 2 * fullAt.size);
		}
		fullAt.set(appKey, startsAt + intervalMs);
		return 0;
	};
}

function checkRange(option: string, value: number, least: number, most: number): void {
	if (Number.isFinite(value) && value >= least && value <= most) return;
	throw new RangeError(`rateLimit takes a ${option} from ${least} to ${most}`);
}

/** Within one millisecond time stands still, and no more than a burst gets through. */
function checkMillisecond(reportsPerSecond: number, burst: number): void {
	const least = Math.ceil(reportsPerSecond / 1000);
	if (burst >= least) return;
	throw new RangeError(
		`rateLimit takes a burst of at least ${least} with a reportsPerSecond of ${reportsPerSecond}: that many come in a millisecond`,
	);
}

function forgetFull(fullAt: Map<string, number>, now: number): void {
	for (const [appKey, at] of fullAt) if (at <= now) fullAt.delete(appKey);
}
