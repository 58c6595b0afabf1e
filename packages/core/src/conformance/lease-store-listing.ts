// The clauses of `LeaseStore` about who is said to hold what.

import { MAX_LEASE_NAME_CHARACTERS } from "../ports/check-lease.js";
import type { Lease, LeaseHolder, LeaseStore } from "../ports/lease-store.js";
import { assert, assertSame, describeValue } from "./case.js";
import type { LeaseStoreHarness } from "./lease-store.js";
import { LEASE_MS, LONG_MS, outlive, take } from "./lease-store-granting.js";
import { similarTexts } from "./sample-names.js";

/** More than a store that reads by pages would show at once by mistake. */
const MANY = 120;

async function assertListed(
	store: LeaseStore,
	prefix: string,
	expected: readonly LeaseHolder[],
	message: string,
): Promise<void> {
	assertSame(inOrder(await store.list(prefix)), inOrder(expected), message);
}

function inOrder(holders: readonly LeaseHolder[]): readonly LeaseHolder[] {
	return holders
		.map(({ name, owner, expiresAt }) => ({ name, owner, expiresAt }))
		.sort((left, right) => (left.name < right.name ? -1 : 1));
}

export async function lists(store: LeaseStore): Promise<void> {
	await assertListed(store, "archiving", [], "what is listed where nothing was ever granted");
	const held: Lease[] = [];
	for (let index = 0; index < MANY; index += 1) {
		held.push(await take(store, `owner-${index % 3}`, LONG_MS, `archiving/${index}`));
	}
	await take(store, "a", LONG_MS, "mailing");
	await take(store, "a", LONG_MS, "not-archiving");
	await assertListed(store, "archiving", held, `what is listed of ${MANY} leases`);
	const [first, ...rest] = held;
	const renewed = first && (await store.renew(first, 2 * LONG_MS));
	assert(renewed?._tag === "Renewed", "a lease that is held is renewed");
	await assertListed(store, "archiving", [renewed.lease, ...rest], "what is listed of a renewed lease");
}

export async function listsHeldOnly(store: LeaseStore, harness: LeaseStoreHarness): Promise<void> {
	const short = await take(store, "a", LEASE_MS, "archiving/short");
	const released = await take(store, "a", LONG_MS, "archiving/released");
	const long = await take(store, "b", LONG_MS, "archiving/long");
	await store.release(released);
	await assertListed(store, "archiving", [short, long], "what is listed when a lease was given back");
	await harness.passes(Math.max(0, short.expiresAt - harness.now()));
	await assertListed(store, "archiving", [long], "what is listed in the moment in which a lease is over");
	await outlive(harness, short);
	const taken = await take(store, "b", LONG_MS, "archiving/short");
	await assertListed(store, "archiving", [taken, long], "what is listed when another took a lease over");
}

export async function listsByPrefix(store: LeaseStore): Promise<void> {
	const names = [
		...similarTexts(MAX_LEASE_NAME_CHARACTERS),
		...["a_c", "abc", "a%c", "abbc", "a.c", "a\\_c", "archiving", "Archiving", "archiving/1", "re-archiving"],
	].filter((name, index, all) => all.indexOf(name) === index);
	const held: LeaseHolder[] = [];
	for (const name of names) held.push(await take(store, name, LONG_MS, name));
	const prefixes = names.flatMap((name) => [name, name.slice(0, -1)]).filter((prefix) => prefix !== "");
	for (const prefix of new Set(prefixes)) {
		const expected = held.filter(({ name }) => name.startsWith(prefix));
		await assertListed(store, prefix, expected, `what is listed of ${describeValue(prefix)}`);
	}
}
