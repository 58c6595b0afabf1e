// Is a body fast enough? Counts only the time that was spent waiting for the origin. Pure.

export interface ThroughputLimit {
	/** Bytes per second of waiting, on average over a window; 0: any pace will do. */
	readonly minBytesPerSecond: number;
	/** Milliseconds of waiting that are judged together. */
	readonly throughputWindowMs: number;
}

export interface Throughput {
	/** Adds a chunk and how long it was waited for. Returns whether the window that it ends, if it does, was too slow. */
	isTooSlow(bytes: number, waitedMs: number): boolean;
}

/** Starts to measure. A body that ends within its first window is never too slow. */
export function measureThroughput({ minBytesPerSecond, throughputWindowMs }: ThroughputLimit): Throughput {
	let windowBytes = 0;
	let windowMs = 0;
	return {
		isTooSlow(bytes, waitedMs) {
			windowBytes += bytes;
			windowMs += waitedMs;
			if (windowMs < throughputWindowMs) return false;
			const tooSlow = windowBytes * 1_000 < minBytesPerSecond * windowMs;
			windowBytes = 0;
			windowMs = 0;
			return tooSlow;
		},
	};
}
