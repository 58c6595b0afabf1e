import { expect, test } from "vitest";
import { createMemoryLeaseStore } from "../memory/lease-store.js";
import type { Lease, LeaseStore } from "../ports/index.js";
import { leaseStoreSuite } from "./lease-store.js";
import { brokenLeases, type MakeLeases } from "./test-flawed-leases.js";
import { leaseFlaws } from "./test-flaws-leases.js";
import { leaseListingFlaws } from "./test-flaws-leases-listing.js";
import { failingOf, testFlaws } from "./test-suite-flaws.js";
import { describeConformance } from "./vitest.js";

const memory: MakeLeases = async () => {
	let time = 1_700_000_000_000;
	const now = (): number => time;
	return {
		now,
		async passes(ms) {
			time += ms;
		},
		open: async () => createMemoryLeaseStore({ clock: { now } }),
		dispose: async () => undefined,
	};
};

describeConformance("the memory lease store", leaseStoreSuite(memory), { skips: ["reopened"] });

const realTime: MakeLeases = async () => ({
	now: () => Date.now(),
	passes: (ms) => new Promise((resolve) => setTimeout(resolve, ms + 5)),
	open: async () => createMemoryLeaseStore({ clock: Date }),
	dispose: async () => undefined,
});

describeConformance("the memory lease store, by the system's clock", leaseStoreSuite(realTime), {
	skips: ["reopened"],
});

const failing = (make: MakeLeases) => failingOf(leaseStoreSuite(make));

test("a sound lease store passes, in which flaws are planted", async () => {
	expect(await failing(brokenLeases())).toEqual([]);
});

testFlaws("lease store", leaseStoreSuite, { ...leaseFlaws, ...leaseListingFlaws });

test("a store that grants everything and a store that grants nothing pass no clause", async () => {
	const lease: Lease = { name: "archiving", owner: "a", fencingToken: 1, expiresAt: 0 };
	const granting: LeaseStore = {
		acquire: async () => ({ _tag: "Acquired", lease }),
		renew: async () => ({ _tag: "Renewed", lease }),
		release: async () => undefined,
		list: async () => [],
	};
	const refusing: LeaseStore = {
		acquire: async () => ({ _tag: "Held", owner: "a", expiresAt: 0 }),
		renew: async () => ({ _tag: "LeaseLost" }),
		release: async () => undefined,
		list: async () => [],
	};
	for (const idle of [granting, refusing]) {
		const open = async (): Promise<LeaseStore> => idle;
		const failed = await failing(async () => ({ ...(await memory()), open, reopen: open }));
		expect(leaseStoreSuite(memory).filter(({ clause }) => !failed.includes(clause))).toEqual([]);
	}
});
