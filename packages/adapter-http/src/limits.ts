// Every bound of this ingress, in one place. A request past one is answered with an error of the table, never dropped.

/** *Units*: bytes, characters, milliseconds, as each name says. */
export interface HttpLimits {
	/** Of a request's body. Nine fields with an 8 KB link and 4 KB ids in percent-encoded Chinese stay under 160 KB. */
	readonly maxBodyBytes: number;
	/** Of the query. SDKs put a few hundred bytes there; a GET puts everything there. */
	readonly maxQueryBytes: number;
	/** Of parameters and multipart parts together. A callback has a dozen. */
	readonly maxParameters: number;
	/** Of one parameter's name. The longest that we know has 14. */
	readonly maxNameCharacters: number;
	/**
	 * Nonces of one access key that are remembered; direction `cloud-spi` only. 54 callbacks a second within 10 minutes either
	 * way; together about 12 MiB.
	 */
	readonly maxNonces: number;
	/** Of one batch. Each is answered by itself; together they share `maxBodyBytes`. */
	readonly maxBatchCalls: number;
	/** From a request's headers to the end of its body. SDKs send within one round trip. */
	readonly bodyTimeMs: number;
	/**
	 * Bodies being read at once; one more, and the body that began first is given up as too slow. Bounds the memory that
	 * unfinished bodies hold to about this times `maxBodyBytes`. SDKs are done within a round trip.
	 */
	readonly maxReading: number;
	/** Complete requests being answered at once; those whose body is still coming do not count. */
	readonly maxInFlight: number;
	/** What is still read, and thrown away, after an early answer, so that the sender gets to see it. */
	readonly maxDrainBytes: number;
	/** How long such a sender is listened to. */
	readonly drainTimeMs: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
	maxBodyBytes: 256 * 1024,
	maxQueryBytes: 16 * 1024,
	maxParameters: 64,
	maxNameCharacters: 64,
	maxNonces: 65_536,
	maxBatchCalls: 64,
	bodyTimeMs: 10_000,
	maxReading: 512,
	maxInFlight: 512,
	maxDrainBytes: 1024 * 1024,
	drainTimeMs: 2_000,
};

/** The defaults, but for what `limits` says. Throws a `RangeError` on what is not a positive whole number. */
export function resolveLimits(limits: Partial<HttpLimits> = {}): HttpLimits {
	const resolved = { ...DEFAULT_HTTP_LIMITS, ...limits };
	for (const [name, value] of Object.entries(resolved)) {
		if (!Number.isSafeInteger(value) || value < 1) {
			throw new RangeError(`limits.${name} must be a positive whole number`);
		}
	}
	return resolved;
}
