import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PlannedDownload, planRescue } from "./rescue-plan.js";

const NOW = 1_000_000;
const line = { now: NOW, bytesPerSecond: 10 };

/** *Units*: `due` in seconds from now. */
const job = (due: number, bytes: number): PlannedDownload => ({ dueAt: NOW + due * 1_000, bytes });
const sorted = (jobs: readonly PlannedDownload[]) =>
	[...jobs].sort((left, right) => left.dueAt - right.dueAt);

/** Whether all of `jobs`, one by one in deadline order, end in time: if any order does, this one does (Jackson 1955). */
function fits(jobs: readonly PlannedDownload[], bytesPerSecond: number): boolean {
	let bytes = 0;
	return sorted(jobs).every((each) => {
		bytes += each.bytes;
		return bytes * 1_000 <= (each.dueAt - NOW) * bytesPerSecond;
	});
}

/** The most that can be kept, by looking at every subset. */
function mostByBruteForce(jobs: readonly PlannedDownload[], bytesPerSecond: number): number {
	let most = 0;
	for (let mask = 0; mask < 2 ** jobs.length; mask += 1) {
		const subset = jobs.filter((_, index) => (mask & (1 << index)) !== 0);
		if (subset.length > most && fits(subset, bytesPerSecond)) most = subset.length;
	}
	return most;
}

/** What a line saves that works through the deadlines and never looks at sizes. */
function savedByDeadlineOrder(jobs: readonly PlannedDownload[], bytesPerSecond: number): number {
	let bytes = 0;
	return sorted(jobs).filter((each) => {
		bytes += each.bytes;
		return bytes * 1_000 <= (each.dueAt - NOW) * bytesPerSecond;
	}).length;
}

const scenes = fc
	.record({
		// Some are over already, some are due at once, many share a deadline or a size.
		jobs: fc.array(fc.tuple(fc.integer({ min: -2, max: 12 }), fc.integer({ min: 0, max: 40 })), {
			maxLength: 10,
		}),
		bytesPerSecond: fc.integer({ min: 1, max: 20 }),
	})
	.map(({ jobs, bytesPerSecond }) => {
		const all = sorted(jobs.map(([due, bytes]) => job(due, bytes)));
		return { all, bytesPerSecond, plan: planRescue(all, { now: NOW, bytesPerSecond }) };
	});

describe("a rescue plan", () => {
	it("saves exactly as many as the best of all subsets does", () => {
		fc.assert(
			fc.property(scenes, ({ all, bytesPerSecond, plan }) => {
				expect(all.length - plan.late.size).toBe(mostByBruteForce(all, bytesPerSecond));
			}),
			{ numRuns: 300 },
		);
	});

	it("keeps what ends in time, in deadline order", () => {
		fc.assert(
			fc.property(scenes, ({ all, bytesPerSecond, plan }) => {
				expect([...plan.late].every((each) => all.includes(each))).toBe(true);
				expect(
					fits(
						all.filter((each) => !plan.late.has(each)),
						bytesPerSecond,
					),
				).toBe(true);
			}),
			{ numRuns: 500 },
		);
	});

	it("never saves fewer than plain deadline order", () => {
		fc.assert(
			fc.property(scenes, ({ all, bytesPerSecond, plan }) => {
				const byOrder = savedByDeadlineOrder(all, bytesPerSecond);
				expect(all.length - plan.late.size).toBeGreaterThanOrEqual(byOrder);
			}),
		);
	});

	it("saves eight where plain deadline order, under overload, saves none", () => {
		const large = job(10, 110);
		const small = Array.from({ length: 8 }, (_, index) => job(11 + index, 20));
		const all = [large, ...small];
		expect(savedByDeadlineOrder(all, line.bytesPerSecond)).toBe(0);
		expect(planRescue(all, line).late).toEqual(new Set([large]));
	});

	it("lets none give way as long as all can end in time, however large they are", () => {
		const all = [job(1, 10), job(100, 990), job(100.1, 1)];
		const plan = planRescue(all, line);
		expect(plan.late.size).toBe(0);
		expect(plan.cutoff(NOW)).toBe(Number.POSITIVE_INFINITY);
	});

	it("has no time for what is over, not even for nothing", () => {
		const over = [job(-1, 0), job(-0.001, 5)];
		expect(planRescue([...over, job(0, 0), job(1, 10)], line).late).toEqual(new Set(over));
	});

	it("of equal sizes lets those go that are due first, and only as many as it must", () => {
		const all = [job(1, 10), job(1, 10), job(2, 10), job(3, 10), job(3, 10)];
		const { late } = planRescue(all, line);
		expect(late).toEqual(new Set([all[0], all[2]]));
	});

	it("of nothing is nothing", () => {
		const plan = planRescue([], line);
		expect(plan.late.size).toBe(0);
		expect(plan.cutoff(NOW)).toBe(Number.POSITIVE_INFINITY);
	});
});

describe("its cutoff", () => {
	const at = fc.integer({ min: -3, max: 13 }).map((due) => NOW + due * 1_000);

	it("never falls with a later deadline", () => {
		fc.assert(
			fc.property(scenes, at, at, ({ plan }, one, other) => {
				const [earlier, later] = one < other ? [one, other] : [other, one];
				expect(plan.cutoff(earlier)).toBeLessThanOrEqual(plan.cutoff(later));
			}),
		);
	});

	it("stands between what is late and what is not", () => {
		fc.assert(
			fc.property(scenes, ({ all, plan }) => {
				for (const each of all) {
					const cutoff = plan.cutoff(each.dueAt);
					if (plan.late.has(each)) expect(each.bytes).toBeGreaterThanOrEqual(cutoff);
					else expect(each.bytes).toBeLessThanOrEqual(cutoff);
				}
			}),
			{ numRuns: 500 },
		);
	});

	it("is infinite behind the last deadline by which something had to give way", () => {
		const plan = planRescue([job(1, 30), job(2, 15), job(9, 10)], line);
		expect([0, 1, 1.001, 2, 9].map((due) => plan.cutoff(NOW + due * 1_000))).toEqual([
			30,
			30,
			...Array<number>(3).fill(Number.POSITIVE_INFINITY),
		]);
	});

	it("is the size from which on one more of that deadline would be late", () => {
		fc.assert(
			fc.property(scenes, at, fc.nat({ max: 60 }), ({ all, bytesPerSecond, plan }, dueAt, bytes) => {
				const cutoff = plan.cutoff(dueAt);
				const more = { dueAt, bytes };
				const planned = planRescue(sorted([...all, more]), { now: NOW, bytesPerSecond });
				// Of the same size either may go.
				if (bytes > cutoff) expect(planned.late.has(more)).toBe(true);
			}),
			{ numRuns: 300 },
		);
	});
});
