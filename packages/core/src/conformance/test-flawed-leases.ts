// For the test of the lease store's suite only: a sound store in memory, and how a flaw is planted in it.

import {
	checkLeaseDuration,
	checkLeaseNames,
	checkLeasePrefix,
	type Lease,
	type LeaseStore,
} from "../ports/index.js";
import type { LeaseStoreHarness } from "./lease-store.js";

export type MakeLeases = () => Promise<LeaseStoreHarness>;

/** What is broken, and the clauses that fail with it. */
export interface LeaseFlaw {
	readonly breaks: readonly string[];
	readonly make: MakeLeases;
}

/** What a flaw may look at. */
export interface LeaseSession {
	/** The last lease of every name; outlives the store. */
	readonly disk: Map<string, Lease>;
	readonly now: () => number;
	readonly isReopened: boolean;
}

/** What a flaw replaces of how the store decides; the rest is sound. */
export interface LeaseRules {
	readonly checks: boolean;
	/** Whether `owner` may take what `current` says. */
	readonly mayTake: (current: Lease | undefined, owner: string, now: number) => boolean;
	/** Whether `lease` is the one that `current` says. */
	readonly isHeld: (lease: Lease, current: Lease | undefined, now: number) => boolean;
	readonly nextToken: (current: Lease | undefined, owner: string) => number;
	readonly expiry: (now: number, durationMs: number, lease?: Lease) => number;
	readonly handOut: (lease: Lease) => Lease;
	/** Whether `lease`, the last one of its name, is told to who asks for names that begin with `prefix`. */
	readonly isListed: (lease: Lease, prefix: string, now: number) => boolean;
	/** What is left of a lease that was given back; `undefined`: nothing. */
	readonly given: (lease: Lease, current: Lease) => Lease | undefined;
}

export const SOUND: LeaseRules = {
	checks: true,
	mayTake: (current, owner, now) =>
		current === undefined || current.expiresAt <= now || current.owner === owner,
	isHeld: (lease, current, now) =>
		current !== undefined &&
		current.fencingToken === lease.fencingToken &&
		current.owner === lease.owner &&
		current.expiresAt > now,
	nextToken: (current) => (current?.fencingToken ?? 0) + 1,
	expiry: (now, durationMs) => now + durationMs,
	handOut: (lease) => Object.freeze({ ...lease }),
	isListed: ({ name, expiresAt }, prefix, now) => name.startsWith(prefix) && expiresAt > now,
	given: (lease) => ({ ...lease, expiresAt: 0 }),
};

/** Whether it was given back, as `SOUND.given` leaves it. */
export const isReleased = (lease: Lease | undefined): boolean => lease?.expiresAt === 0;

/** A store that finds everything again. Of each session's store, `rules` and `plant` replace some. */
export function brokenLeases(
	rules: Partial<LeaseRules> = {},
	plant: (store: LeaseStore, session: LeaseSession) => Partial<LeaseStore> = () => ({}),
): MakeLeases {
	return async () => {
		let time = 1_700_000_000_000;
		const disk = new Map<string, Lease>();
		const now = (): number => time;
		const open = (isReopened: boolean) => async (): Promise<LeaseStore> => {
			const session = { disk, now, isReopened };
			const store = storeOn(session, { ...SOUND, ...rules });
			return { ...store, ...plant(store, session) };
		};
		return {
			now,
			async passes(ms) {
				time += ms;
			},
			open: open(false),
			reopen: open(true),
			dispose: async () => undefined,
		};
	};
}

function storeOn({ disk, now }: LeaseSession, rules: LeaseRules): LeaseStore {
	const keep = (lease: Lease): Lease => {
		const out = rules.handOut(lease);
		// A store whose copies are the same object keeps what it hands out.
		disk.set(lease.name, out === lease ? out : { ...lease });
		return out;
	};
	return {
		async acquire(name, owner, durationMs) {
			if (rules.checks) checkLeaseNames(name, owner);
			if (rules.checks) checkLeaseDuration(durationMs);
			const current = disk.get(name);
			if (current !== undefined && !rules.mayTake(current, owner, now()))
				return { _tag: "Held", owner: current.owner, expiresAt: current.expiresAt };
			const fencingToken = rules.nextToken(current, owner);
			const lease = keep({ name, owner, fencingToken, expiresAt: rules.expiry(now(), durationMs) });
			return { _tag: "Acquired", lease };
		},
		async renew(lease, durationMs) {
			if (rules.checks) checkLeaseDuration(durationMs);
			const current = disk.get(lease.name);
			if (!rules.isHeld(lease, current, now())) return { _tag: "LeaseLost" };
			const { name, owner, fencingToken } = lease;
			const expiresAt = rules.expiry(now(), durationMs, current);
			return { _tag: "Renewed", lease: keep({ name, owner, fencingToken, expiresAt }) };
		},
		async release(lease) {
			const current = disk.get(lease.name);
			if (current === undefined || !rules.isHeld(lease, current, now())) return;
			const left = rules.given(lease, current);
			if (left === undefined) disk.delete(lease.name);
			else disk.set(lease.name, left);
		},
		async list(prefix) {
			if (rules.checks) checkLeasePrefix(prefix);
			return [...disk.values()]
				.filter((lease) => rules.isListed(lease, prefix, now()))
				.map(({ name, owner, expiresAt }) => ({ name, owner, expiresAt }));
		},
	};
}
