import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock as clock } from "./container/defaults.js";
import { divideWork } from "./divide-work.js";
import { noLeases } from "./hold-lease.js";
import { createMemoryLeaseStore } from "./memory/lease-store.js";
import { silentLogger } from "./observe.js";
import type { LeaseStore } from "./ports/lease-store.js";
import { storeFault } from "./ports/store-fault.js";
import { cuttable } from "./test-leases.js";
import { whenAborted } from "./when-aborted.js";

const SHARES = 16;
const ALL = Array.from({ length: SHARES }, (_, share) => share);
/** Until everybody has what is theirs, after who takes part has changed. */
const SETTLED_MS = 60_000;
const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Processes that divide a work, on one clock. */
function given(shares = SHARES) {
	const memory = createMemoryLeaseStore({ clock });
	const atWork = new Map<number, Set<string>>();
	/** Shares that two worked at. */
	const twice: string[] = [];
	const start = (
		owner: string,
		{ leases = memory, slowMs = 0 }: { leases?: LeaseStore; slowMs?: number } = {},
	) => {
		const own = cuttable(leases);
		const stopping = new AbortController();
		const divided = divideWork(
			{ leases: own.leases, clock, logger: silentLogger },
			{
				name: "work",
				owner,
				shares,
				signal: stopping.signal,
				async work(share, held) {
					const workers = atWork.get(share) ?? new Set();
					atWork.set(share, workers.add(owner));
					if (workers.size > 1) twice.push(`${share}: ${[...workers]}`);
					await whenAborted(held);
					if (slowMs > 0) await clock.sleep(slowMs);
					workers.delete(owner);
				},
			},
		);
		return { ...own, ...divided, owner, stop: () => stopping.abort() };
	};
	const heldBy = (owner: string): readonly number[] =>
		ALL.slice(0, shares).filter((share) => atWork.get(share)?.has(owner) === true);
	return { memory, start, heldBy, twice };
}

describe("divideWork", () => {
	test("one process has all of it, and has it once it is decided", async () => {
		const { start, heldBy } = given();
		await start("a").decided;
		expect(heldBy("a")).toEqual(ALL);
	});

	test("where leases are for ever, one process has all of it, and no timer runs", async () => {
		const { start, heldBy } = given();
		const { decided, ended, stop } = start("a", { leases: noLeases });
		await decided;
		expect(heldBy("a")).toEqual(ALL);
		expect(vi.getTimerCount()).toBe(0);
		stop();
		await ended;
		expect(heldBy("a")).toEqual([]);
	});

	test.each([2, 3, 5, 16])("%i processes that begin at once have equal parts", async (count) => {
		const { start, heldBy, twice } = given();
		const owners = ALL.slice(0, count).map((index) => `process-${index}`);
		for (const owner of owners) start(owner);
		await passes(SETTLED_MS);
		const parts = owners.map((owner) => heldBy(owner).length);
		expect(parts.reduce((sum, part) => sum + part, 0)).toBe(SHARES);
		expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
		expect(twice).toEqual([]);
	});

	test("of more processes than shares, some stand by, and one of them goes on for who stops", async () => {
		const { start, heldBy } = given(2);
		const all = ["a", "b", "c"].map((owner) => start(owner));
		await passes(SETTLED_MS);
		const working = all.filter(({ owner }) => heldBy(owner).length === 1);
		expect(working).toHaveLength(2);
		working[0]?.stop();
		await passes(SETTLED_MS);
		expect(all.map(({ owner }) => heldBy(owner).length).sort()).toEqual([0, 1, 1]);
		expect(heldBy(working[0]?.owner ?? "")).toEqual([]);
	});

	test("one that joins gets its part within 30 seconds, and only that changes hands", async () => {
		const { start, heldBy, twice } = given();
		start("a");
		start("b");
		await passes(SETTLED_MS);
		const before = [heldBy("a"), heldBy("b")];
		start("c");
		await passes(30_000);
		expect(heldBy("c").length).toBeGreaterThanOrEqual(5);
		for (const [index, owner] of ["a", "b"].entries()) {
			expect(before[index]).toEqual(expect.arrayContaining([...heldBy(owner)]));
		}
		expect(twice).toEqual([]);
	});

	test("one that stops gives its part back, and the others have it within 10 seconds", async () => {
		const { start, heldBy } = given();
		start("a");
		const other = start("b");
		await passes(SETTLED_MS);
		other.stop();
		await other.ended;
		await passes(10_000);
		expect(heldBy("a")).toEqual(ALL);
	});

	test("one that dies is replaced within 40 seconds, and not before its leases are over", async () => {
		const { start, heldBy, twice } = given();
		start("a");
		const other = start("b");
		await passes(SETTLED_MS);
		other.cut();
		await passes(15_000);
		expect(heldBy("a")).toHaveLength(SHARES / 2);
		await passes(25_000);
		expect(heldBy("a")).toEqual(ALL);
		expect(twice).toEqual([]);
	});

	test("what is given back is worked at by nobody else before its work has stopped", async () => {
		const { start, heldBy, twice } = given();
		start("slow", { slowMs: 8_000 });
		await passes(1_000);
		start("b");
		await passes(SETTLED_MS);
		expect(heldBy("b")).toHaveLength(SHARES / 2);
		expect(twice).toEqual([]);
	});

	test("a store that cannot be reached for a moment takes nothing away", async () => {
		const { start, heldBy } = given();
		const one = start("a");
		await one.decided;
		one.hang();
		await passes(15_000);
		expect(heldBy("a")).toEqual(ALL);
		one.goOn();
		await passes(SETTLED_MS);
		expect(heldBy("a")).toEqual(ALL);
	});

	test("a stop does not wait for a store that does not answer", async () => {
		const { start, heldBy } = given();
		const one = start("a");
		await one.decided;
		one.cut();
		await passes(12_000);
		one.stop();
		let hasEnded = false;
		void one.ended.then(() => {
			hasEnded = true;
		});
		await passes(5_000);
		expect([hasEnded, heldBy("a")]).toEqual([true, []]);
	});

	test("a list that never comes is asked for again", async () => {
		const { memory, start, heldBy } = given();
		let lists = 0;
		const leases: LeaseStore = {
			...memory,
			list: (prefix) => {
				lists += 1;
				return lists === 2 ? new Promise(() => undefined) : memory.list(prefix);
			},
		};
		start("a", { leases });
		await passes(SETTLED_MS);
		expect(heldBy("a")).toEqual(ALL);
	});

	test("one that dies again and again takes nothing from who lives", async () => {
		const { start, heldBy } = given();
		start("a");
		await passes(SETTLED_MS);
		for (let life = 0; life < 20; life += 1) {
			const short = start(`short-${life}`);
			await passes(5_000);
			short.cut();
			expect(heldBy("a")).toEqual(ALL);
		}
	});

	test("one whose seat was granted and whose answer was lost does not count twice", async () => {
		const { memory, start, heldBy } = given();
		let isLost = false;
		const leases: LeaseStore = {
			...memory,
			async acquire(...asked) {
				const result = await memory.acquire(...asked);
				if (isLost) return result;
				isLost = true;
				throw storeFault("io", "the answer is lost");
			},
		};
		start("a", { leases });
		await passes(15_000);
		expect(heldBy("a")).toEqual(ALL);
	});

	test("a start does not wait for a store that cannot be reached", async () => {
		const { memory, start, heldBy } = given();
		let isDown = true;
		const sometimes: LeaseStore = {
			...memory,
			async list(prefix) {
				if (isDown) throw storeFault("io", "the leases cannot be reached");
				return memory.list(prefix);
			},
		};
		await start("a", { leases: sometimes }).decided;
		expect(heldBy("a")).toEqual([]);
		isDown = false;
		await passes(11_000);
		expect(heldBy("a")).toEqual(ALL);
	});

	test("rejects with what a share's work rejects with, once the others have stopped", async () => {
		let running = 0;
		const { ended } = divideWork(
			{ leases: createMemoryLeaseStore({ clock }), clock, logger: silentLogger },
			{
				name: "work",
				owner: "a",
				shares: 3,
				signal: new AbortController().signal,
				async work(share, held) {
					if (share === 1) throw new Error("out of order");
					running += 1;
					await whenAborted(held);
					running -= 1;
				},
			},
		);
		await expect(ended).rejects.toThrow("out of order");
		expect(running).toBe(0);
	});

	test("whoever comes and goes, no share has two workers, and in the end each has one", async () => {
		const step = fc.record({
			kind: fc.constantFrom("start", "stop", "die", "hang", "goOn"),
			who: fc.nat(7),
			thenMs: fc.integer({ min: 0, max: 45_000 }),
		});
		await fc.assert(
			fc.asyncProperty(
				fc.array(step, { maxLength: 25 }),
				fc.constantFrom(1, 5, 16),
				async (steps, shares) => {
					const { start, heldBy, twice } = given(shares);
					const living = [start("first")];
					const gone: string[] = [];
					for (const [index, { kind, who, thenMs }] of steps.entries()) {
						const one = living[who % living.length];
						if (kind === "start" && living.length < 8) living.push(start(`process-${index}`));
						if (kind === "hang") one?.hang();
						if (kind === "goOn") one?.goOn();
						if ((kind === "stop" || kind === "die") && one !== undefined && living.length > 1) {
							living.splice(living.indexOf(one), 1);
							gone.push(one.owner);
							if (kind === "stop") one.stop();
							else one.cut();
						}
						await passes(thenMs);
					}
					for (const { goOn } of living) goOn();
					await passes(2 * SETTLED_MS);
					const parts = living.map(({ owner }) => heldBy(owner).length);
					expect(twice).toEqual([]);
					expect(gone.flatMap(heldBy)).toEqual([]);
					expect(parts.reduce((sum, part) => sum + part, 0)).toBe(shares);
					expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
					for (const { stop } of living) stop();
					await passes(SETTLED_MS);
				},
			),
			{ numRuns: 60 },
		);
	}, 60_000);
});
