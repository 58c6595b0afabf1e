// How fast bytes come in, over the last seconds in which at least one download was under way. Pure; time comes in.

/** Long enough to even out bursts, short enough to notice a line that got slower. */
const WINDOW_MS = 30_000;
const BUCKETS = 30;
/** Less tells nothing yet. */
const MIN_BUSY_MS = 2_000;

interface Bucket {
	index: number;
	bytes: number;
	busyMs: number;
}

export interface Bandwidth {
	/** How many downloads are under way from `now` on. */
	underway(count: number, now: number): void;
	/** Bytes that have come. */
	add(bytes: number, now: number): void;
	/** Of all downloads together; `undefined`: nothing was measured yet. */
	bytesPerSecond(now: number): number | undefined;
}

/** Starts to measure. *Units*: `now` in milliseconds. */
export function measureBandwidth(): Bandwidth {
	const bucketMs = WINDOW_MS / BUCKETS;
	const buckets: Bucket[] = Array.from({ length: BUCKETS }, () => ({ index: -1, bytes: 0, busyMs: 0 }));
	let isBusy = false;
	let countedTo = 0;
	let last: number | undefined;

	const bucketAt = (now: number): Bucket => {
		const index = Math.floor(now / bucketMs);
		const bucket = buckets[index % BUCKETS] as Bucket;
		if (bucket.index !== index) Object.assign(bucket, { index, bytes: 0, busyMs: 0 });
		return bucket;
	};
	/** Spreads the busy time since it was last counted over the buckets that it went through. */
	const count = (now: number): void => {
		if (now < countedTo) countedTo = now; // A clock that was set back.
		// No further back than there are buckets: the one before the first is that of `now`.
		let from = Math.max(countedTo, (Math.floor(now / bucketMs) - BUCKETS + 1) * bucketMs);
		while (isBusy && from < now) {
			const to = Math.min((Math.floor(from / bucketMs) + 1) * bucketMs, now);
			bucketAt(from).busyMs += to - from;
			from = to;
		}
		countedTo = now;
	};
	return {
		underway(downloads, now) {
			count(now);
			isBusy = downloads > 0;
		},
		add(bytes, now) {
			bucketAt(now).bytes += bytes;
		},
		bytesPerSecond(now) {
			count(now);
			const oldest = Math.floor((now - WINDOW_MS) / bucketMs);
			const recent = buckets.filter(({ index }) => index > oldest && index * bucketMs <= now);
			const busyMs = recent.reduce((sum, bucket) => sum + bucket.busyMs, 0);
			const bytes = recent.reduce((sum, bucket) => sum + bucket.bytes, 0);
			if (busyMs >= MIN_BUSY_MS) last = (bytes * 1_000) / busyMs;
			return last;
		},
	};
}
