// How much of the quarantine each app has filled, and that none fills more than its quota (promise 10).

import type { RecordedEvent, StreamName } from "./ports/event-store.js";
import type { Problem } from "./ports/runtime.js";
import { storeFault } from "./ports/store-fault.js";

/** *Units*: callbacks, and bytes of their bodies as received. Of one app. */
export interface QuarantineQuota {
	readonly maxCallbacks: number;
	readonly maxBytes: number;
}

/** Far more than anybody looks through by hand; a body has at most the ingress's limit. */
export const DEFAULT_QUARANTINE_QUOTA: QuarantineQuota = {
	maxCallbacks: 10_000,
	maxBytes: 256 * 1024 * 1024,
};
/** How long `/readyz` remembers a callback that found no place. */
const REFUSAL_TIME_MS = 10 * 60_000;
/** Reports that wait for the count; each holds a place among those in flight, which other apps need. */
const MAX_WAITING = 32;
/** From here on `/readyz` says that the quota will run out. */
const WARN_AT = 0.8;

const UNCOUNTED = "the quarantine could not be counted: callbacks that cannot be decoded are not stored";

/** A place that is taken before the append, so that many at once cannot overrun the quota. */
export interface QuarantineReservation {
	/** The callback did not come into quarantine: it was there before, or could not be stored. */
	release(): void;
}

export interface QuarantineLedger {
	/**
	 * Counts an event of the log: a callback that came into quarantine, unless its place was reserved here, or one that left it.
	 * Any event may be handed over.
	 */
	count(event: Pick<RecordedEvent, "stream" | "type" | "data">): void;
	/** Everything recorded before the start is counted: reservations go on. A reason: it cannot be counted. */
	opened(failure?: Error): void;
	/**
	 * Waits until the ledger is opened, though not with many others. `undefined`: the quota is used up.
	 * *Errors*: rejects with `opened`'s failure, or with a `StoreFault` `overloaded`.
	 */
	reserve(appKey: string, bytes: number, stream: StreamName): Promise<QuarantineReservation | undefined>;
	/** A new callback found no place: `/readyz` tells so for a while. */
	refused(appKey: string, nowMs: number): void;
	/** Apps that have used up their quota (failing), or soon will have (degraded). */
	problems(nowMs: number): readonly Problem[];
}

interface Usage {
	callbacks: number;
	bytes: number;
	refusedAtMs?: number;
}

/** Throws a `RangeError` for a quota that is not positive. */
export function createQuarantineLedger(given: Partial<QuarantineQuota> = {}): QuarantineLedger {
	const quota = { ...DEFAULT_QUARANTINE_QUOTA, ...given };
	if (!(quota.maxCallbacks >= 1 && quota.maxBytes >= 1)) {
		throw new RangeError("quarantineQuota takes a maxCallbacks and a maxBytes of at least 1");
	}
	const usages = new Map<string, Usage>();
	/** Streams, of one callback each, that were reserved here and that the log has not handed over yet. */
	const own = new Set<StreamName>();
	let failure: Error | undefined;
	let isCounted = false;
	let waiting = 0;
	let open = (): void => undefined;
	const isOpen = new Promise<void>((resolve) => {
		open = resolve;
	});

	return {
		// These two members are read as they are: each schema version has them, and what cannot be read is not worth a stop.
		count({ stream, type, data }) {
			const isRedriven = type === "CallbackRedriven";
			if (!isRedriven && (type !== "CallbackQuarantined" || own.delete(stream))) return;
			const { appKey, bytes } = data;
			if (typeof appKey !== "string" || typeof bytes !== "number") return;
			add(usageOf(usages, appKey), isRedriven ? -1 : 1, isRedriven ? -bytes : bytes);
		},
		opened(reason) {
			failure = reason;
			isCounted = true;
			open();
		},
		async reserve(appKey, bytes, stream) {
			if (!isCounted) {
				if (waiting >= MAX_WAITING) throw storeFault("overloaded", "the quarantine is being counted");
				waiting += 1;
				await isOpen;
			}
			if (failure !== undefined) throw failure;
			// The same callback a second time, while the first is under way.
			if (own.has(stream)) return { release: () => undefined };
			const usage = usageOf(usages, appKey);
			if (usage.callbacks >= quota.maxCallbacks || usage.bytes + bytes > quota.maxBytes) return undefined;
			add(usage, 1, bytes);
			own.add(stream);
			return {
				release() {
					// Unless the log has it after all: then it stays counted.
					if (own.delete(stream)) add(usage, -1, -bytes);
				},
			};
		},
		refused(appKey, nowMs) {
			usageOf(usages, appKey).refusedAtMs = nowMs;
		},
		problems: (nowMs) => [
			...(failure === undefined ? [] : [{ source: "quarantine", message: UNCOUNTED }]),
			...[...usages].flatMap(([appKey, usage]) => problemOf(appKey, usage, quota, nowMs) ?? []),
		],
	};
}

function usageOf(usages: Map<string, Usage>, appKey: string): Usage {
	const known = usages.get(appKey);
	if (known !== undefined) return known;
	const usage: Usage = { callbacks: 0, bytes: 0 };
	usages.set(appKey, usage);
	return usage;
}

function add(usage: Usage, callbacks: number, bytes: number): void {
	usage.callbacks += callbacks;
	usage.bytes += bytes;
}

function problemOf(appKey: string, usage: Usage, quota: QuarantineQuota, nowMs: number): Problem | undefined {
	const { refusedAtMs = Number.NEGATIVE_INFINITY } = usage;
	const hasRefused = Math.abs(nowMs - refusedAtMs) < REFUSAL_TIME_MS;
	const isUsedUp = usage.callbacks >= quota.maxCallbacks || usage.bytes >= quota.maxBytes || hasRefused;
	const share = Math.max(usage.callbacks / quota.maxCallbacks, usage.bytes / quota.maxBytes);
	if (!isUsedUp && share < WARN_AT) return undefined;
	const held = `${usage.callbacks} callbacks of app ${appKey} (${usage.bytes} bytes) cannot be decoded and are in quarantine`;
	const bound = `its quota is ${quota.maxCallbacks} callbacks and ${quota.maxBytes} bytes`;
	return isUsedUp
		? {
				source: "quarantine",
				message: `${held}; ${bound}: more of them are not stored. Mend the sender, or raise the quota`,
				severity: "failing",
			}
		: { source: "quarantine", message: `${held}; ${bound}`, severity: "degraded" };
}
