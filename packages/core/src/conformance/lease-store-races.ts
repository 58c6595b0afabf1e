// The clauses of `LeaseStore` about owners that ask at once, and about what a later process finds.

import type { LeaseStore } from "../ports/lease-store.js";
import { assert, assertSame } from "./case.js";
import type { LeaseStoreHarness } from "./lease-store.js";
import { assertHeld, LEASE_MS, LONG_MS, outlive, take } from "./lease-store-granting.js";

export async function grantsOnceConcurrently(store: LeaseStore): Promise<void> {
	await race(store, 50);
}

export async function takesOverOnceConcurrently(
	store: LeaseStore,
	harness: LeaseStoreHarness,
): Promise<void> {
	const lease = await take(store, "a", LEASE_MS);
	await outlive(harness, lease);
	await race(store, 20);
}

async function race(store: LeaseStore, count: number): Promise<void> {
	const owners = Array.from({ length: count }, (_, index) => `owner-${index}`);
	const results = await Promise.all(owners.map((owner) => store.acquire("archiving", owner, LONG_MS)));
	const leases = results.flatMap((result) => (result._tag === "Acquired" ? result.lease : []));
	assertSame(leases.length, 1, `of ${count} owners that ask at once, those that get the name`);
	const [winner] = leases;
	assert(
		results.every((result) => result._tag === "Acquired" || result.owner === winner?.owner),
		"those that lost are told who holds the name",
	);
	if (winner !== undefined) await assertHeld(store, "late", winner);
}

export async function findsAgain(store: LeaseStore, harness: LeaseStoreHarness): Promise<void> {
	const held = await take(store, "a", LONG_MS);
	const released = await take(store, "a", LONG_MS, "mailing");
	await store.release(released);
	const later = await harness.reopen?.();
	assert(later !== undefined, "the harness opens the store again");
	await assertHeld(later, "b", held);
	const next = await take(later, "b", LONG_MS, "mailing");
	assert(next.fencingToken > released.fencingToken, "the token grows across processes");
	assertSame((await later.renew(held, LONG_MS))._tag, "Renewed", "the renewal of a lease that is held");
}
