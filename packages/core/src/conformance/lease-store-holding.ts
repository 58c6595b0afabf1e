// The clauses of `LeaseStore` about a lease in someone's hands: how it goes on and how it ends.

import type { Lease, LeaseStore } from "../ports/lease-store.js";
import { assert, assertSame } from "./case.js";
import type { LeaseStoreHarness } from "./lease-store.js";
import { assertExpiresIn, assertHeld, LEASE_MS, LONG_MS, outlive, take } from "./lease-store-granting.js";

async function renew(store: LeaseStore, lease: Lease, durationMs = LONG_MS): Promise<Lease> {
	const result = await store.renew(lease, durationMs);
	assert(result._tag === "Renewed", `${lease.owner} extends the lease that it holds`);
	return result.lease;
}

async function assertLost(store: LeaseStore, lease: Lease, message: string): Promise<void> {
	assertSame((await store.renew(lease, LONG_MS))._tag, "LeaseLost", `the renewal of ${message}`);
}

export async function renews(store: LeaseStore, harness: LeaseStoreHarness): Promise<void> {
	const lease = await take(store, "a");
	const longer = await assertExpiresIn(harness, LONG_MS, () => renew(store, lease));
	const { name, owner, fencingToken } = lease;
	assertSame(
		[longer.name, longer.owner, longer.fencingToken],
		[name, owner, fencingToken],
		"the name, the owner and the token of a renewed lease",
	);
	await outlive(harness, lease);
	await assertHeld(store, "b", longer);
	const shorter = await assertExpiresIn(harness, LEASE_MS, () => renew(store, longer, LEASE_MS));
	await outlive(harness, shorter);
	await take(store, "b");
}

export async function renewsByOlderCopy(store: LeaseStore): Promise<void> {
	const lease = await take(store, "a");
	await renew(store, lease);
	const again = await renew(store, { ...lease });
	await assertHeld(store, "b", again);
}

export async function losesExpired(store: LeaseStore, harness: LeaseStoreHarness): Promise<void> {
	const lease = await take(store, "a");
	await harness.passes(Math.max(0, lease.expiresAt - harness.now()));
	await assertLost(store, lease, "a lease whose time is over");
	await outlive(harness, lease);
	await take(store, "b");
}

export async function losesTaken(store: LeaseStore, harness: LeaseStoreHarness): Promise<void> {
	const lease = await take(store, "a");
	await outlive(harness, lease);
	const others = await take(store, "b", LONG_MS);
	await assertLost(store, lease, "a lease that another has taken");
	await assertHeld(store, "c", others);
	await renew(store, others);
}

export async function releases(store: LeaseStore): Promise<void> {
	const lease = await take(store, "a", LONG_MS);
	await assertHeld(store, "b", lease);
	await store.release(lease);
	await store.release(lease);
	await take(store, "b", LONG_MS);
}

export async function losesReleased(store: LeaseStore): Promise<void> {
	const lease = await take(store, "a", LONG_MS);
	await store.release(lease);
	await assertLost(store, lease, "a lease that was given back");
	await take(store, "b", LONG_MS);
}

export async function releasesNoOthers(store: LeaseStore, harness: LeaseStoreHarness): Promise<void> {
	const lease = await take(store, "a");
	await outlive(harness, lease);
	const others = await take(store, "b", LONG_MS);
	await store.release(lease);
	await assertHeld(store, "c", others);
}

export async function refusesForeign(store: LeaseStore): Promise<void> {
	const lease = await take(store, "a", LONG_MS);
	const foreign = [
		{ ...lease, owner: "b" },
		{ ...lease, fencingToken: lease.fencingToken + 1 },
		{ ...lease, name: "mailing" },
	];
	for (const wrong of foreign) {
		await assertLost(store, wrong, `a lease of ${wrong.owner} on ${wrong.name}, token ${wrong.fencingToken}`);
		await store.release(wrong);
		await assertHeld(store, "c", lease);
	}
	await take(store, "c", LONG_MS, "mailing");
}

export async function keepsLeasesImmutable(store: LeaseStore): Promise<void> {
	const lease = await take(store, "a", LONG_MS);
	const held = { ...lease };
	meddleWith(lease);
	await assertHeld(store, "b", held, "archiving", ", when a wrote into the lease that acquire gave out");
	const renewed = await renew(store, held);
	const longer = { ...renewed };
	meddleWith(renewed);
	await assertHeld(store, "b", longer, "archiving", ", when a wrote into the lease that renew gave out");
}

/** Strict code may not write to what is frozen; whoever may, changes a copy. */
function meddleWith(lease: Lease): void {
	Reflect.set(lease, "owner", "b");
	Reflect.set(lease, "expiresAt", 0);
	Reflect.set(lease, "fencingToken", 0);
}
