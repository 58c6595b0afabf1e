import { checkLeaseDuration, checkLeaseNames, checkLeasePrefix } from "../ports/check-lease.js";
import type { Lease, LeaseStore } from "../ports/lease-store.js";
import type { Clock } from "../ports/runtime.js";

/** Makes a `LeaseStore` for the owners inside one process. */
export function createMemoryLeaseStore(deps: { readonly clock: Pick<Clock, "now"> }): LeaseStore {
	const leases = new Map<string, Lease>();
	const holds = (lease: Lease): boolean => {
		const current = leases.get(lease.name);
		const isSame = current?.fencingToken === lease.fencingToken && current.owner === lease.owner;
		return isSame && current.expiresAt > deps.clock.now();
	};
	const keep = (lease: Lease): Lease => {
		leases.set(lease.name, Object.freeze(lease));
		return lease;
	};
	return {
		async acquire(name, owner, durationMs) {
			checkLeaseNames(name, owner);
			checkLeaseDuration(durationMs);
			const current = leases.get(name);
			const now = deps.clock.now();
			if (current !== undefined && current.expiresAt > now && current.owner !== owner) {
				return { _tag: "Held", owner: current.owner, expiresAt: current.expiresAt };
			}
			const fencingToken = (current?.fencingToken ?? 0) + 1;
			return { _tag: "Acquired", lease: keep({ name, owner, fencingToken, expiresAt: now + durationMs }) };
		},
		async renew(lease, durationMs) {
			checkLeaseDuration(durationMs);
			if (!holds(lease)) return { _tag: "LeaseLost" };
			const { name, owner, fencingToken } = lease;
			const expiresAt = deps.clock.now() + durationMs;
			return { _tag: "Renewed", lease: keep({ name, owner, fencingToken, expiresAt }) };
		},
		async release(lease) {
			// The token stays, so that the next grant's is higher.
			if (holds(lease)) keep({ ...lease, expiresAt: 0 });
		},
		async list(prefix) {
			checkLeasePrefix(prefix);
			const now = deps.clock.now();
			return [...leases.values()]
				.filter(({ name, expiresAt }) => name.startsWith(prefix) && expiresAt > now)
				.map(({ name, owner, expiresAt }) => ({ name, owner, expiresAt }));
		},
	};
}
