// For the test of the lease store's suite only: stores that say wrongly who holds what.

import { brokenLeases, isReleased, type LeaseFlaw, SOUND } from "./test-flawed-leases.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const leaseListingFlaws: Record<string, LeaseFlaw> = {
	"what is over is listed": {
		breaks: ["list-held"],
		make: brokenLeases({ isListed: (lease, prefix) => lease.name.startsWith(prefix) && !isReleased(lease) }),
	},
	"what was given back is listed": {
		breaks: ["list-held"],
		make: brokenLeases({
			isListed: (lease, prefix, now) =>
				SOUND.isListed(lease, prefix, now) || (lease.name.startsWith(prefix) && isReleased(lease)),
		}),
	},
	"a lease is listed a moment too long": {
		breaks: ["list-held"],
		make: brokenLeases({ isListed: (lease, prefix, now) => SOUND.isListed(lease, prefix, now - 1) }),
	},
	"a list is empty": {
		breaks: ["list", "list-held", "list-prefix"],
		make: brokenLeases({ isListed: () => false }),
	},
	"one page of ten is listed": {
		breaks: ["list", "list-prefix"],
		make: brokenLeases({}, (store) => ({ list: async (prefix) => (await store.list(prefix)).slice(0, 10) })),
	},
	"a list tells when leases were granted to end": {
		breaks: ["list"],
		make: brokenLeases({}, (store) => {
			const granted = new Map<string, number>();
			return {
				async acquire(...asked) {
					const result = await store.acquire(...asked);
					if (result._tag === "Acquired") granted.set(result.lease.name, result.lease.expiresAt);
					return result;
				},
				list: async (prefix) =>
					(await store.list(prefix)).map((held) => ({
						...held,
						expiresAt: granted.get(held.name) ?? held.expiresAt,
					})),
			};
		}),
	},
	"a list takes names by a pattern": {
		breaks: ["list-prefix"],
		make: brokenLeases({
			isListed: (lease, prefix, now) => likeOf(prefix).test(lease.name) && lease.expiresAt > now,
		}),
	},
	"a list is case-blind": {
		breaks: ["list-prefix"],
		make: brokenLeases({
			isListed: (lease, prefix, now) =>
				SOUND.isListed({ ...lease, name: lease.name.toLowerCase() }, prefix.toLowerCase(), now),
		}),
	},
	"a list looks for names that contain what was asked for": {
		breaks: ["list", "list-prefix"],
		make: brokenLeases({
			isListed: ({ name, expiresAt }, prefix, now) => name.includes(prefix) && expiresAt > now,
		}),
	},
	"a list leaves out the name that is asked for itself": {
		breaks: ["list-prefix"],
		make: brokenLeases({
			isListed: (lease, prefix, now) => SOUND.isListed(lease, prefix, now) && lease.name !== prefix,
		}),
	},
};

/** As SQL's `LIKE` takes it. */
function likeOf(prefix: string): RegExp {
	const quoted = prefix.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	return new RegExp(`^${quoted.replaceAll("%", ".*").replaceAll("_", ".")}`, "s");
}
