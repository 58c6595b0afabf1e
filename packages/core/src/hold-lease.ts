// Work that one process at a time does: it holds a lease, renews it while it works, and stops when it is lost. The others
// stand by, and one of them takes over.

import { describeError, observe } from "./observe.js";
import type { Lease, LeaseStore } from "./ports/lease-store.js";
import type { Clock, Logger } from "./ports/runtime.js";
import { isStoreFault } from "./ports/store-fault.js";
import { MAX_TIMER_MS } from "./time-limit.js";
import { whenAborted } from "./when-aborted.js";
import { withinTime } from "./within-time.js";

/** A process that dies is replaced within this and a third more. */
export const LEASE_DURATION_MS = 30_000;
const RELEASE_MS = 2_000;

/** There are no other processes: everything is granted, and for ever. */
export const noLeases: LeaseStore = {
	acquire: async (name, owner) => ({
		_tag: "Acquired",
		lease: { name, owner, fencingToken: 1, expiresAt: Number.MAX_SAFE_INTEGER },
	}),
	renew: async (lease) => ({ _tag: "Renewed", lease }),
	release: async () => undefined,
	list: async () => [],
};

export interface HoldLeaseOptions {
	/** What the lease is for: the same in all processes. Of several that will do, which to ask for next; `undefined`: none. */
	readonly name: string | (() => Promise<string | undefined>);
	/** This process: unlike all others. */
	readonly owner: string;
	/** Works until `held` aborts, then resolves: somebody else may be at it by then. When it resolves before, all is over. */
	readonly work: (held: AbortSignal, lease: Lease) => Promise<void>;
	/** Ends it all: the work is stopped, and the lease given back. */
	readonly signal: AbortSignal;
	/** Milliseconds; default 30 seconds. */
	readonly durationMs?: number;
}

export interface HeldLease {
	/**
	 * Resolves once a first answer is there: whether the lease is ours, and its work has begun. If not, it is another's, or
	 * nobody knows. Rejects as `ended`.
	 */
	readonly decided: Promise<boolean>;
	/** Who holds it, when it is not us; `undefined`: we do, or nobody knows. */
	heldBy(): string | undefined;
	/** Resolves when `signal` has aborted and the work has stopped, or is done; rejects with what the work rejects with. */
	readonly ended: Promise<void>;
}

/**
 * Does `work` whenever this process holds the lease. A store that fails is asked again; work that is under way goes on
 * until the lease may be over.
 * *Promise*: by this process's clock `held` aborts before the lease is over. A process that stood still may find out late:
 * what it does then must be refused by what it writes to.
 */
export function holdLease(
	deps: { readonly leases: LeaseStore; readonly clock: Clock; readonly logger: Logger },
	options: HoldLeaseOptions,
): HeldLease {
	const { leases, clock, logger } = deps;
	const { name, owner, work, signal, durationMs = LEASE_DURATION_MS } = options;
	const pauseMs = Math.ceil(durationMs / 3);
	let holder: string | undefined;
	let decide = (_isOurs: boolean): void => undefined;
	const known = new Promise<boolean>((resolve) => {
		decide = resolve;
	});

	/** `undefined`: it is another's, or the store cannot say. */
	const acquire = async (): Promise<Lease | undefined> => {
		try {
			const next = typeof name === "string" ? name : await name();
			if (next === undefined) return undefined;
			const result = await leases.acquire(next, owner, durationMs);
			holder = result._tag === "Held" ? result.owner : undefined;
			return result._tag === "Acquired" ? result.lease : undefined;
		} catch (error) {
			if (!isStoreFault(error) || !error.retryable) throw error;
			warn(error);
			return undefined;
		}
	};
	const warn = (error: unknown): void => {
		const details = { ...(typeof name === "string" ? { lease: name } : {}), error: describeError(error) };
		observe(() => logger.warn(details, "a lease cannot be asked for; trying again"));
	};
	/** Resolves when the lease is lost, may be over, or is no longer wanted. `since`: when it was asked for. */
	const keep = async (lease: Lease, since: number, until: AbortSignal): Promise<void> => {
		if (isForEver(lease)) return whenAborted(until);
		for (let safeUntil = since + durationMs; !until.aborted; ) {
			await clock.sleep(Math.max(0, Math.min(pauseMs, safeUntil - clock.now())), until);
			if (until.aborted) return;
			const askedAt = clock.now();
			if (askedAt >= safeUntil) return;
			try {
				const asked = leases.renew(lease, durationMs);
				const renewed = await withinTime(clock, asked, safeUntil - askedAt, until);
				if (renewed === undefined || renewed._tag === "LeaseLost") return;
				safeUntil = askedAt + durationMs;
			} catch (error) {
				if (!isStoreFault(error) || !error.retryable) throw error;
				warn(error);
			}
		}
	};
	/** Whether there is more to do, once the lease is lost or no longer wanted. */
	const workWhileHeld = async (lease: Lease, since: number): Promise<boolean> => {
		const over = new AbortController();
		const stop = (): void => over.abort("stopped");
		signal.addEventListener("abort", stop, { once: true });
		if (signal.aborted) stop();
		const { fencingToken } = lease;
		if (!isForEver(lease))
			observe(() => logger.debug({ lease: lease.name, fencingToken }, "a lease is held"));
		try {
			const kept = keep(lease, since, over.signal).finally(stop);
			let isDone = false;
			const worked = work(over.signal, lease).finally(() => {
				isDone = !over.signal.aborted;
				stop();
			});
			const ends = await Promise.allSettled([kept, worked]);
			for (const end of ends) if (end.status === "rejected") throw end.reason;
			return !isDone;
		} finally {
			signal.removeEventListener("abort", stop);
			await giveBack(lease);
		}
	};
	/** A store that does not answer must not hold up a stop: the lease is over by itself. */
	const giveBack = async (lease: Lease): Promise<void> => {
		await withinTime(clock, leases.release(lease), RELEASE_MS).catch(() => undefined);
	};
	const run = async (): Promise<void> => {
		while (!signal.aborted) {
			const since = clock.now();
			const asked = acquire();
			const lease = await withinTime(clock, asked, MAX_TIMER_MS, signal);
			if (signal.aborted) void asked.then((late) => late && giveBack(late)).catch(() => undefined);
			else if (lease === undefined) {
				// Also when nobody knows whose it is: who waits for a start must not wait for a store.
				decide(false);
				await clock.sleep(pauseMs, signal);
			} else if (!isForEver(lease) && clock.now() >= since + durationMs) {
				decide(false);
				await giveBack(lease);
			} else {
				decide(true);
				if (!(await workWhileHeld(lease, since))) return;
			}
		}
	};
	const ended = run();
	const decided = Promise.race([known, ended.then(() => false)]);
	// Whoever looks at one of them is told; that nobody looks is no unhandled rejection.
	for (const one of [ended, decided]) one.catch(() => undefined);
	return { decided, heldBy: () => holder, ended };
}

/** One that is never over needs no renewal. */
export function isForEver({ expiresAt }: Lease): boolean {
	return expiresAt === Number.MAX_SAFE_INTEGER;
}
