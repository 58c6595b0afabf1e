// Which nonces were used, as long as a request that has one could be authentic: in this process, and bounded.

/** An authentic request's nonce. */
export interface UsedNonce {
	readonly appKey: string;
	readonly nonce: string;
	/** Of the request; as it covers all of it, the same signature is the same request. */
	readonly signature: string;
	/** What the request says, signed. *Units*: UTC milliseconds. */
	readonly sentAtMs: number;
}

/**
 * - `first`: nobody used it; from now on it is this request's
 * - `again`: this very request came before; senders repeat one whose answer they did not see
 * - `replayed`: another request has it
 * - `full`: as many nonces of this app are remembered as may be; nothing was remembered, and a later try may succeed
 * - `out-of-time`: the request is older than what is remembered
 */
export type NonceVerdict = "first" | "again" | "replayed" | "full" | "out-of-time";

/**
 * *Promise*: none is forgotten before its request is `toleranceMs` old, whatever comes, unless it was let go; and of one app
 * never more than `maxNonces` are held. Synchronous: of two requests with one nonce, one is the first.
 */
export interface NonceMemory {
	use(used: UsedNonce, nowMs: number): NonceVerdict;
	/**
	 * For each use that was `first` or `again`, once what it was used for is over. A nonce is let go when nobody who has it is
	 * under way any more, and nothing of theirs was kept.
	 */
	settle(used: UsedNonce, isKept: boolean): void;
}

export interface NonceMemoryOptions {
	/** *Units*: milliseconds. */
	readonly toleranceMs: number;
	/** Of one app. */
	readonly maxNonces: number;
}

/** How often what is out of time is looked for; so long it may still count. *Units*: milliseconds. */
const SWEEP_MS = 10_000;

interface Remembered {
	readonly signature: string;
	readonly sentAtMs: number;
	underWay: number;
	isKept: boolean;
}

export function createNonceMemory({ toleranceMs, maxNonces }: NonceMemoryOptions): NonceMemory {
	/** App key → nonce → whose it is. Apps are the configured ones: only authentic requests come here. */
	const apps = new Map<string, Map<string, Remembered>>();
	let sweptAtMs = 0;
	const isOutOfTime = (sentAtMs: number, nowMs: number): boolean => nowMs - sentAtMs > toleranceMs;

	function sweep(nowMs: number): void {
		// Either way: a clock that was set back must not end the sweeping.
		if (Math.abs(nowMs - sweptAtMs) < SWEEP_MS) return;
		sweptAtMs = nowMs;
		for (const nonces of apps.values()) {
			for (const [nonce, { sentAtMs }] of nonces) if (isOutOfTime(sentAtMs, nowMs)) nonces.delete(nonce);
		}
	}

	function use({ appKey, nonce, signature, sentAtMs }: UsedNonce, nowMs: number): NonceVerdict {
		sweep(nowMs);
		if (isOutOfTime(sentAtMs, nowMs)) return "out-of-time";
		const nonces = apps.get(appKey) ?? new Map<string, Remembered>();
		const known = nonces.get(nonce);
		if (known?.signature === signature) {
			known.underWay += 1;
			return "again";
		}
		if (known !== undefined && !isOutOfTime(known.sentAtMs, nowMs)) return "replayed";
		if (known === undefined && nonces.size >= maxNonces) return "full";
		nonces.set(copyOf(nonce), { signature: copyOf(signature), sentAtMs, underWay: 1, isKept: false });
		apps.set(appKey, nonces);
		return "first";
	}

	function settle({ appKey, nonce, signature }: UsedNonce, isKept: boolean): void {
		const nonces = apps.get(appKey);
		const known = nonces?.get(nonce);
		// Out of time since, and another's.
		if (known?.signature !== signature) return;
		known.underWay -= 1;
		known.isKept ||= isKept;
		if (known.underWay === 0 && !known.isKept) nonces?.delete(nonce);
	}

	return { use, settle };
}

/** A string that was cut out of another, as a parser does, keeps all of that one in memory. */
function copyOf(text: string): string {
	return Buffer.from(text).toString();
}
