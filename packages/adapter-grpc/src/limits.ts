// Every bound of this ingress, in one place. What is past one gets a status, never silence.

/** *Units*: bytes, milliseconds, as each name says. */
export interface GrpcLimits {
	/** Of one message, decompressed: one report, or where a subscription begins. As much as a body over HTTP. */
	readonly maxMessageBytes: number;
	/** Calls that one connection has open at once; a client waits with the next one. */
	readonly maxStreamsPerConnection: number;
	/** Reports that are being stored at once, of one connection. One more gets `RESOURCE_EXHAUSTED`. */
	readonly maxInFlightPerConnection: number;
	/** And of all. */
	readonly maxInFlight: number;
	/** Of one `ReportRecordings`; its response holds a result for each. */
	readonly maxReportsPerStream: number;
	/** Open at once. Each holds two batches at most. */
	readonly maxSubscriptions: number;
	/**
	 * Calls whose request is still to come; one more, and the longest waiting one of the connection that has most of them is
	 * given up. Bounds the memory that unfinished messages hold to about this times `maxMessageBytes`.
	 */
	readonly maxWaiting: number;
	/** From a call's headers to its request. */
	readonly requestTimeMs: number;
	/** How long a client stream may be silent between two requests. */
	readonly streamIdleMs: number;
}

export const DEFAULT_GRPC_LIMITS: GrpcLimits = {
	maxMessageBytes: 256 * 1024,
	maxStreamsPerConnection: 128,
	maxInFlightPerConnection: 256,
	maxInFlight: 512,
	maxReportsPerStream: 4096,
	maxSubscriptions: 64,
	maxWaiting: 512,
	requestTimeMs: 10_000,
	streamIdleMs: 60_000,
};

/** What Node's timers can wait for: almost 25 days. */
const MAX_TIME_MS = 2 ** 31 - 1;

/** The defaults, but for what `limits` says. Throws as `checkWholeNumbers` does. */
export function resolveLimits(limits: Partial<GrpcLimits> = {}): GrpcLimits {
	checkWholeNumbers("limits.", limits);
	const given = Object.entries(limits).filter(([, value]) => value !== undefined);
	return { ...DEFAULT_GRPC_LIMITS, ...Object.fromEntries(given) };
}

/**
 * Throws a `RangeError` that names what is not a positive whole number, or a time longer than a timer can wait.
 * `undefined` is none of them.
 */
export function checkWholeNumbers(prefix: string, values: Readonly<Record<string, unknown>>): void {
	for (const [name, value] of Object.entries(values)) {
		if (value === undefined) continue;
		if (!(typeof value === "number" && Number.isSafeInteger(value) && value >= 1)) {
			throw new RangeError(`${prefix}${name} must be a positive whole number`);
		}
		if (name.endsWith("Ms") && value > MAX_TIME_MS) {
			throw new RangeError(`${prefix}${name} must be at most ${MAX_TIME_MS}`);
		}
	}
}
