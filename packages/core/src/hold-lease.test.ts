import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock as clock } from "./container/defaults.js";
import { holdLease, noLeases } from "./hold-lease.js";
import { createMemoryLeaseStore } from "./memory/lease-store.js";
import { silentLogger } from "./observe.js";
import type { LeaseStore } from "./ports/lease-store.js";
import { storeFault } from "./ports/store-fault.js";
import { cuttable } from "./test-leases.js";

const DURATION_MS = 30_000;
const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Processes that want the same work, on one clock, and what they do of it. */
function given(flaws: (leases: LeaseStore) => Partial<LeaseStore> = () => ({})) {
	const memory = createMemoryLeaseStore({ clock });
	const leases = { ...memory, ...flaws(memory) };
	const atWork = new Set<string>();
	const log: string[] = [];
	const start = (owner: string, its: LeaseStore = leases) => {
		const stopping = new AbortController();
		const held = holdLease(
			{ leases: its, clock, logger: silentLogger },
			{
				name: "work",
				owner,
				signal: stopping.signal,
				durationMs: DURATION_MS,
				async work(signal) {
					atWork.add(owner);
					log.push(`${owner} begins`);
					await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
					log.push(`${owner} ends`);
					atWork.delete(owner);
				},
			},
		);
		return { ...held, stop: () => stopping.abort() };
	};
	return { leases, memory, atWork, log, start };
}

describe("holdLease", () => {
	test("lets one work, tells the others who, and lets another in when it stops", async () => {
		const { atWork, start } = given();
		const one = start("one");
		await one.decided;
		const other = start("other");
		await other.decided;
		expect([[...atWork], one.heldBy(), other.heldBy()]).toEqual([["one"], undefined, "one"]);
		await passes(20 * DURATION_MS);
		expect([...atWork]).toEqual(["one"]);
		one.stop();
		await one.ended;
		await passes(DURATION_MS / 3);
		expect([[...atWork], other.heldBy()]).toEqual([["other"], undefined]);
		other.stop();
		await other.ended;
		expect(vi.getTimerCount()).toBe(0);
	});

	test("lets another in within the lease and a third more when one dies", async () => {
		const { memory, atWork, log, start } = given();
		const dying = cuttable(memory);
		await start("one", dying.leases).decided;
		await start("other").decided;
		dying.cut();
		await passes(DURATION_MS + DURATION_MS / 3);
		expect([...atWork]).toEqual(["other"]);
		// Before the other began, and without an answer of the store.
		expect(log).toEqual(["one begins", "one ends", "other begins"]);
	});

	test("ends the work when the lease was lost to another", async () => {
		const { memory, log, start } = given();
		await start("one").decided;
		// The store's operator gave it away.
		const lease = await memory.acquire("work", "one", DURATION_MS);
		if (lease._tag === "Acquired") await memory.release(lease.lease);
		await memory.acquire("work", "other", DURATION_MS);
		await passes(DURATION_MS / 3);
		expect(log).toEqual(["one begins", "one ends"]);
	});

	test("goes on while the store fails for less than the lease, and asks again when it cannot be taken", async () => {
		let isAway = true;
		const { log, atWork, start } = given((memory) => ({
			acquire: async (...asked) => {
				if (isAway) throw storeFault("io", "away");
				return memory.acquire(...asked);
			},
			renew: async (...asked) => {
				if (isAway) throw storeFault("io", "away");
				return memory.renew(...asked);
			},
		}));
		start("one");
		await passes(DURATION_MS);
		expect(log).toEqual([]);
		isAway = false;
		await passes(DURATION_MS / 3);
		expect([...atWork]).toEqual(["one"]);
		isAway = true;
		await passes(DURATION_MS / 2);
		isAway = false;
		await passes(DURATION_MS * 3);
		expect(log).toEqual(["one begins"]);
	});

	test("ends with a fault that will not pass, and with what the work rejects with", async () => {
		const fault = storeFault("closed", "closed");
		const { leases, start } = given(() => ({
			acquire: async () => {
				throw fault;
			},
		}));
		await expect(start("one").ended).rejects.toBe(fault);
		await expect(start("one").decided).rejects.toBe(fault);
		const failure = new Error("the work");
		const work = async (): Promise<void> => {
			throw failure;
		};
		const { signal } = new AbortController();
		const deps = { leases: { ...leases, ...noLeases }, clock, logger: silentLogger };
		await expect(holdLease(deps, { name: "w", owner: "o", work, signal }).ended).rejects.toBe(failure);
	});

	test("gives the lease back only once the work has ended, also when it cannot be renewed for good", async () => {
		const { memory, leases } = given();
		let finish = (): void => undefined;
		const released: string[] = [];
		const flawed: LeaseStore = {
			...leases,
			renew: async () => {
				throw storeFault("io", "refused", { retryable: false });
			},
			release: async (lease) => {
				released.push(lease.owner);
				return memory.release(lease);
			},
		};
		const { signal } = new AbortController();
		const work = () => new Promise<void>((resolve) => (finish = resolve));
		const { ended } = holdLease(
			{ leases: flawed, clock, logger: silentLogger },
			{ name: "work", owner: "one", work, signal, durationMs: DURATION_MS },
		);
		ended.catch(() => undefined);
		await passes(DURATION_MS / 2);
		expect(released).toEqual([]);
		finish();
		await expect(ended).rejects.toMatchObject({ reason: "io" });
		expect(released).toEqual(["one"]);
	});

	test("stops though the store does not answer, and gives back what it grants too late", async () => {
		let grant = (): void => undefined;
		const released: string[] = [];
		const { start } = given((memory) => ({
			acquire: async (...asked) => {
				await new Promise<void>((resolve) => (grant = resolve));
				return memory.acquire(...asked);
			},
			release: async (lease) => void released.push(lease.owner),
		}));
		const one = start("one");
		await passes(0);
		one.stop();
		await one.ended;
		grant();
		await passes(0);
		expect(released).toEqual(["one"]);
	});

	test("does not begin on a lease that came so late that it is over", async () => {
		let isSlow = true;
		const { log, start } = given((memory) => ({
			acquire: async (...asked) => {
				const result = await memory.acquire(...asked);
				if (isSlow) await clock.sleep(DURATION_MS + 1);
				return result;
			},
		}));
		start("one");
		await passes(DURATION_MS);
		isSlow = false;
		expect(log).toEqual([]);
		await passes(DURATION_MS);
		expect(log).toEqual(["one begins"]);
	});

	test("renews nothing where there are no other processes", async () => {
		const { atWork, start } = given();
		const one = start("one", noLeases);
		await one.decided;
		await passes(0);
		expect([...atWork]).toEqual(["one"]);
		expect(vi.getTimerCount()).toBe(0);
		one.stop();
		await one.ended;
		expect([...atWork]).toEqual([]);
	});
});
