import type { Lease, LeaseStore } from "../ports/lease-store.js";
import type { Clock } from "../ports/runtime.js";

/** Makes a `LeaseStore` for the owners inside one process. */
export function createMemoryLeaseStore(deps: { readonly clock: Pick<Clock, "now"> }): LeaseStore {
	const leases = new Map<string, Lease>();
	const holds = (lease: Lease): boolean => {
		const current = leases.get(lease.name);
		return current?.fencingToken === lease.fencingToken && current.expiresAt > deps.clock.now();
	};
	return {
		async acquire(name, owner, durationMs) {
			const current = leases.get(name);
			const now = deps.clock.now();
			if (current !== undefined && current.expiresAt > now && current.owner !== owner) {
				return { _tag: "Held", owner: current.owner, expiresAt: current.expiresAt };
			}
			const fencingToken = (current?.fencingToken ?? 0) + 1;
			const lease = { name, owner, fencingToken, expiresAt: now + durationMs };
			leases.set(name, lease);
			return { _tag: "Acquired", lease };
		},
		async renew(lease, durationMs) {
			if (!holds(lease)) return { _tag: "LeaseLost" };
			const renewed = { ...lease, expiresAt: deps.clock.now() + durationMs };
			leases.set(lease.name, renewed);
			return { _tag: "Renewed", lease: renewed };
		},
		async release(lease) {
			// The token stays, so that the next grant's is higher.
			if (holds(lease)) leases.set(lease.name, { ...lease, expiresAt: 0 });
		},
	};
}
