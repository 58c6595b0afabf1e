// The clauses of `LeaseStore` about who gets a name, and under which token.

import { MAX_LEASE_MS, MAX_LEASE_NAME_CHARACTERS } from "../ports/check-lease.js";
import type { AcquireResult, Lease, LeaseStore } from "../ports/lease-store.js";
import { assert, assertMistake, assertSame, describeValue } from "./case.js";
import type { LeaseStoreHarness } from "./lease-store.js";
import { similarTexts } from "./sample-names.js";

/** Milliseconds of a lease: short enough to wait for, long enough not to end between two calls. */
export const LEASE_MS = 400;
/** Milliseconds of a lease that outlasts its case. */
export const LONG_MS = 600_000;

/** Takes what must be free. */
export async function take(
	store: LeaseStore,
	owner: string,
	durationMs = LEASE_MS,
	name = "archiving",
): Promise<Lease> {
	const result = await store.acquire(name, owner, durationMs);
	assert(result._tag === "Acquired", `${owner} gets ${name}, which is free, and is told ${told(result)}`);
	return result.lease;
}

export async function assertHeld(
	store: LeaseStore,
	asking: string,
	holder: Lease,
	name = "archiving",
	when = "",
): Promise<void> {
	const result = await store.acquire(name, asking, LEASE_MS);
	const isHeld = result._tag === "Held";
	assert(
		isHeld,
		`${asking} does not get ${name}, which ${holder.owner} holds${when}: is told ${told(result)}`,
	);
	assertSame(result.owner, holder.owner, `the owner who is said to hold ${name}${when}`);
	assertSame(result.expiresAt, holder.expiresAt, `the expiresAt that is told of ${name}${when}`);
}

const told = (result: AcquireResult): string =>
	result._tag === "Held" ? `Held by ${describeValue(result.owner)} until ${result.expiresAt}` : "Acquired";

/** Fails unless `work` resolves with a time that is `durationMs` from when it was called. */
export async function assertExpiresIn(
	{ now }: LeaseStoreHarness,
	durationMs: number,
	work: () => Promise<Lease>,
): Promise<Lease> {
	const earliest = now() + durationMs;
	const lease = await work();
	const latest = now() + durationMs;
	assert(
		lease.expiresAt >= earliest && lease.expiresAt <= latest,
		`a lease of ${durationMs} ms ends at ${lease.expiresAt}, must end from ${earliest} to ${latest}`,
	);
	return lease;
}

/** Lets the time of `lease` be over, and a little more. */
export async function outlive({ passes, now }: LeaseStoreHarness, lease: Lease): Promise<void> {
	await passes(Math.max(0, lease.expiresAt - now()) + 1);
}

export async function grants(store: LeaseStore, harness: LeaseStoreHarness): Promise<void> {
	const lease = await assertExpiresIn(harness, LONG_MS, () => take(store, "a", LONG_MS));
	assertSame([lease.name, lease.owner], ["archiving", "a"], "the name and the owner of a lease");
	const { fencingToken } = lease;
	assert(Number.isSafeInteger(fencingToken) && fencingToken > 0, "a token is a positive integer");
}

export async function grantsOnce(store: LeaseStore, { passes }: LeaseStoreHarness): Promise<void> {
	const lease = await take(store, "a", LONG_MS);
	await assertHeld(store, "b", lease);
	await passes(LEASE_MS);
	await assertHeld(store, "b", lease);
	await assertHeld(store, "c", lease);
}

export async function grantsAfterExpiry(
	store: LeaseStore,
	{ passes, now }: LeaseStoreHarness,
): Promise<void> {
	const lease = await take(store, "a");
	await passes(Math.max(0, lease.expiresAt - now()));
	const next = await take(store, "b", LONG_MS);
	await assertHeld(store, "a", next);
}

export async function growsTokens(store: LeaseStore, harness: LeaseStoreHarness): Promise<void> {
	const first = await take(store, "a");
	await outlive(harness, first);
	const second = await take(store, "b", LONG_MS);
	assert(second.fencingToken > first.fencingToken, "the token grows when a time was over");
	await store.release(second);
	const third = await take(store, "a", LONG_MS);
	assert(third.fencingToken > second.fencingToken, "the token grows when a lease was given back");
	await store.release(third);
	const fourth = await take(store, "a", LONG_MS);
	assert(fourth.fencingToken > third.fencingToken, "the token grows when an owner comes back");
}

export async function letsOwnerBack(store: LeaseStore): Promise<void> {
	const first = await take(store, "a", LONG_MS);
	const again = await take(store, "a", LONG_MS);
	assert(again.fencingToken > first.fencingToken, "the token grows when an owner takes its name anew");
	assertSame((await store.renew(first, LONG_MS))._tag, "LeaseLost", "the renewal of the lease from before");
	await store.release(first);
	await assertHeld(store, "b", again);
}

export async function tellsNamesApart(store: LeaseStore): Promise<void> {
	const names = similarTexts(MAX_LEASE_NAME_CHARACTERS);
	const leases: Lease[] = [];
	// Name and owner share their text: neighbours differ in both.
	for (const name of names) leases.push(await take(store, name, LONG_MS, name));
	for (const [index, lease] of leases.entries()) {
		const neighbour = names[index % 2 === 0 ? index + 1 : index - 1] ?? "other";
		await assertHeld(store, neighbour, lease, lease.name);
	}
}

export async function refusesArguments(store: LeaseStore): Promise<void> {
	const names = ["", "x".repeat(MAX_LEASE_NAME_CHARACTERS + 1), undefined, 1] as readonly string[];
	const durations = [
		0,
		-1,
		0.5,
		Number.NaN,
		Number.POSITIVE_INFINITY,
		MAX_LEASE_MS + 1,
		"1",
	] as readonly number[];
	const held = await take(store, "a", LONG_MS, "mailing");
	for (const name of names) {
		const given = `${describeValue(name)} of ${name?.length ?? 0} characters`;
		await assertMistake(() => store.acquire(name, "a", LONG_MS), `an acquire of the name ${given}`);
		await assertMistake(() => store.acquire("archiving", name, LONG_MS), `an acquire by the owner ${given}`);
		await assertMistake(() => store.list(name), `a list of the names that begin with ${given}`);
	}
	for (const duration of durations) {
		const given = `for ${describeValue(duration)} ms`;
		await assertMistake(() => store.acquire("archiving", "a", duration), `an acquire ${given}`);
		await assertMistake(() => store.renew(held, duration), `a renewal ${given}`);
	}
	await assertHeld(store, "b", held, "mailing");
	await take(store, "b", MAX_LEASE_MS);
}
