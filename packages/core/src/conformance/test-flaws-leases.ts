// For the test of the lease store's suite only: stores that grant, extend or take back wrongly.

import type { Lease, LeaseStore } from "../ports/index.js";
import { pause } from "./pause.js";
import { brokenLeases, isReleased, type LeaseFlaw, type LeaseSession, SOUND } from "./test-flawed-leases.js";
import { fnv1a } from "./test-flawed-stores.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const leaseFlaws: Record<string, LeaseFlaw> = {
	"long leases are cut": {
		breaks: ["grant"],
		make: brokenLeases({
			expiry: (now, durationMs, renewed) => now + (renewed ? durationMs : Math.min(durationMs, 500_000)),
		}),
	},
	"a lease is granted twice": {
		breaks: [
			...["granted-once", "expiry", "same-owner", "distinct-names", "arguments", "renew", "renew-older-copy"],
			...["renew-taken", "release", "release-lost", "foreign", "immutable", "concurrent-acquire"],
			...["concurrent-takeover", "reopened"],
		],
		make: brokenLeases({ mayTake: () => true }),
	},
	"a lease is granted twice unless its holder renews it soon": {
		breaks: ["granted-once"],
		make: brokenLeases({}, (store, session) => endingEarly(store, session)),
	},
	"a lease is over a moment late": {
		breaks: ["expiry"],
		make: brokenLeases({
			mayTake: (current, owner, now) => SOUND.mayTake(current, owner, now) && current?.expiresAt !== now,
		}),
	},
	"the token stays when another takes over": {
		breaks: ["tokens-grow"],
		make: brokenLeases({
			nextToken: (current, owner) =>
				current !== undefined && current.owner !== owner && !isReleased(current)
					? current.fencingToken
					: SOUND.nextToken(current, owner),
		}),
	},
	"a lease that is given back takes its token with it": {
		breaks: ["tokens-grow", "reopened"],
		make: brokenLeases({ given: () => undefined }),
	},
	"an owner that comes back is refused": {
		breaks: ["same-owner"],
		make: brokenLeases({
			mayTake: (current, _, now) => current === undefined || current.expiresAt <= now,
		}),
	},
	"an owner that comes back keeps its token": {
		breaks: ["same-owner"],
		make: brokenLeases({
			nextToken: (current, owner) =>
				current?.owner === owner && !isReleased(current)
					? current.fencingToken
					: SOUND.nextToken(current, owner),
		}),
	},
	"names are case-blind": renamed((name) => name.toLowerCase()),
	"names are trimmed": renamed((name) => name.trimEnd() || name),
	"names are cut": renamed((name) => name.slice(0, 255)),
	"names are composed": renamed((name) => name.normalize("NFC")),
	"a hash stands for a name": renamed(
		(name) => (/^[\0-\x7f]*$/.test(name) ? String(fnv1a(name)) : name),
		["list", "list-held", "list-prefix"],
	),
	"owners are case-blind": {
		breaks: ["distinct-names"],
		make: brokenLeases({
			mayTake: (current, owner, now) =>
				SOUND.mayTake(current, owner, now) || current?.owner.toLowerCase() === owner.toLowerCase(),
		}),
	},
	"arguments are not checked": { breaks: ["arguments"], make: brokenLeases({ checks: false }) },
	"a renewal is added to what is left": {
		breaks: ["renew"],
		make: brokenLeases({ expiry: (now, durationMs, renewed) => (renewed?.expiresAt ?? now) + durationMs }),
	},
	"a renewed lease is known by its end": {
		breaks: ["renew-older-copy"],
		make: brokenLeases({
			isHeld: (lease, current, now) =>
				SOUND.isHeld(lease, current, now) && lease.expiresAt === current?.expiresAt,
		}),
	},
	"a lease whose time is over is extended when nobody took it": {
		breaks: ["renew-expired"],
		make: brokenLeases({
			isHeld: (lease, current, now) => SOUND.isHeld(lease, current, isReleased(current) ? now : 0),
		}),
	},
	"a lease is extended in the moment in which it is over": {
		breaks: ["renew-expired"],
		make: brokenLeases({ isHeld: (lease, current, now) => SOUND.isHeld(lease, current, now - 1) }),
	},
	"whoever held a name last but one takes it back by a renewal": {
		breaks: ["renew-taken"],
		make: brokenLeases({}, (store, { disk, now }) => ({
			async renew(lease, durationMs) {
				if (!isOutlived(lease, disk.get(lease.name))) return store.renew(lease, durationMs);
				const renewed = { ...lease, expiresAt: now() + durationMs };
				disk.set(lease.name, renewed);
				return { _tag: "Renewed", lease: renewed };
			},
		})),
	},
	"giving back does nothing": {
		breaks: ["tokens-grow", "release", "renew-released", "list-held", "reopened"],
		make: brokenLeases({}, () => ({ release: async () => undefined })),
	},
	"giving back twice rejects": {
		breaks: ["release"],
		make: brokenLeases({}, (store, { disk }) => ({
			async release(lease) {
				if (isReleased(disk.get(lease.name))) throw new Error("no such lease");
				await store.release(lease);
			},
		})),
	},
	"a lease that was given back is extended": {
		breaks: ["renew-released"],
		make: brokenLeases({}, (store, { disk }) => ({
			async renew(lease, durationMs) {
				const current = disk.get(lease.name);
				if (isReleased(current)) disk.set(lease.name, lease);
				return store.renew(lease, durationMs);
			},
		})),
	},
	"a lost lease that is given back frees the name": {
		breaks: ["release-lost"],
		make: brokenLeases({}, (store, { disk }) => ({
			async release(lease) {
				const current = disk.get(lease.name);
				await store.release(isOutlived(lease, current) && current !== undefined ? current : lease);
			},
		})),
	},
	"a token is enough to hold a lease": {
		breaks: ["foreign"],
		make: brokenLeases({
			isHeld: (lease, current, now) =>
				current?.fencingToken === lease.fencingToken && current.expiresAt > now,
		}),
	},
	"a higher token holds a lease": {
		breaks: ["foreign"],
		make: brokenLeases({
			isHeld: (lease, current, now) =>
				current?.owner === lease.owner &&
				current.fencingToken <= lease.fencingToken &&
				current.expiresAt > now,
		}),
	},
	"a lease is handed out unfrozen, as it is kept": {
		breaks: ["immutable"],
		make: brokenLeases({ handOut: (lease) => lease }),
	},
	"the check of a free name is outside the transaction": {
		breaks: ["concurrent-acquire"],
		make: brokenLeases({}, (store, session) =>
			decidedTooEarly(store, session, (lease) => lease === undefined),
		),
	},
	"the check of a name whose time is over is outside the transaction": {
		breaks: ["concurrent-takeover"],
		make: brokenLeases({}, (store, session) =>
			decidedTooEarly(store, session, (lease, now) => lease !== undefined && lease.expiresAt <= now),
		),
	},
	"it forgets with its process": {
		breaks: ["reopened"],
		make: brokenLeases({}, (_, { disk, isReopened }) => {
			if (isReopened) disk.clear();
			return {};
		}),
	},
	"tokens begin anew in a later process": {
		breaks: ["reopened"],
		make: brokenLeases({}, (_, { disk, isReopened }) => {
			if (isReopened) for (const [name, lease] of disk) if (isReleased(lease)) disk.delete(name);
			return {};
		}),
	},
};

/** A store that takes one name for another. */
function renamed(rename: (name: string) => string, listing: readonly string[] = ["list-prefix"]): LeaseFlaw {
	const other = (lease: Lease): Lease => ({ ...lease, name: rename(lease.name) });
	return {
		breaks: ["distinct-names", ...listing],
		make: brokenLeases({}, (store) => ({
			async acquire(name, owner, durationMs) {
				// What is no name stays none.
				if (typeof name !== "string" || name === "" || name.length > 256)
					return store.acquire(name, owner, durationMs);
				const result = await store.acquire(rename(name), owner, durationMs);
				return result._tag === "Held" ? result : { ...result, lease: { ...result.lease, name } };
			},
			async renew(lease, durationMs) {
				const result = await store.renew(other(lease), durationMs);
				return result._tag === "LeaseLost"
					? result
					: { ...result, lease: { ...result.lease, name: lease.name } };
			},
			release: (lease) => store.release(other(lease)),
		})),
	};
}

/** Whether another took what `lease` once held. */
function isOutlived(lease: Lease, current: Lease | undefined): boolean {
	return current !== undefined && current.fencingToken > lease.fencingToken && current.owner !== lease.owner;
}

/** Who was granted a name loses it after 400 ms, but for who renewed it. */
function endingEarly(store: LeaseStore, { disk, now }: LeaseSession): Partial<LeaseStore> {
	const grantedAt = new Map<string, number>();
	const idOf = ({ name, fencingToken }: Lease): string => `${fencingToken} ${name}`;
	return {
		async acquire(name, owner, durationMs) {
			const current = disk.get(name);
			const since = (current && grantedAt.get(idOf(current))) ?? Number.POSITIVE_INFINITY;
			if (current !== undefined && now() - since >= 400) disk.set(name, { ...current, expiresAt: 0 });
			const result = await store.acquire(name, owner, durationMs);
			if (result._tag === "Acquired") grantedAt.set(idOf(result.lease), now());
			return result;
		},
		renew(lease, durationMs) {
			grantedAt.delete(idOf(lease));
			return store.renew(lease, durationMs);
		},
	};
}

function decidedTooEarly(
	store: LeaseStore,
	{ disk, now }: LeaseSession,
	isEarly: (current: Lease | undefined, now: number) => boolean,
): Partial<LeaseStore> {
	return {
		async acquire(name, owner, durationMs) {
			if (!isEarly(disk.get(name), now())) return store.acquire(name, owner, durationMs);
			await pause();
			const taken = disk.get(name);
			if (taken !== undefined) disk.set(name, { ...taken, expiresAt: 0 });
			return store.acquire(name, owner, durationMs);
		},
	};
}
