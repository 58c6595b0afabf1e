import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createRateLimiter } from "./rate-limit.js";

describe("createRateLimiter", () => {
	const NO_NUMBERS = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "5" as never];

	it.each([...NO_NUMBERS, Number.MIN_VALUE, 0.000_9, 100_001, Number.MAX_VALUE])(
		"refuses a reportsPerSecond of %o, which lets nothing or everything through",
		(reportsPerSecond) => {
			const words = "rateLimit takes a reportsPerSecond from 0.001 to 100000";
			expect(() => createRateLimiter({ reportsPerSecond, burst: 1 })).toThrow(new RangeError(words));
		},
	);

	it.each([...NO_NUMBERS, 0.9, 1_000_001])("refuses a burst of %o", (burst) => {
		const words = "rateLimit takes a burst from 1 to 1000000";
		expect(() => createRateLimiter({ reportsPerSecond: 1, burst })).toThrow(new RangeError(words));
	});

	it.each([
		[5_000, 2, 5],
		[1_001, 1, 2],
		[100_000, 99.9, 100],
	])(
		"refuses %d a second with a burst of %d: no more would get through in a millisecond",
		(rate, burst, least) => {
			const words = `rateLimit takes a burst of at least ${least} with a reportsPerSecond of ${rate}: that many come in a millisecond`;
			expect(() => createRateLimiter({ reportsPerSecond: rate, burst })).toThrow(new RangeError(words));
		},
	);

	it.each([
		[1_000, 1],
		[1_500, 2],
		[5_000, 5],
		[100_000, 100],
		[100_000, undefined],
		[0.001, undefined],
	])("lets %d a second through with a burst of %s, which it takes", (reportsPerSecond, burst) => {
		const takeTurn = createRateLimiter({ reportsPerSecond, ...(burst !== undefined && { burst }) });
		const today = 1_800_000_000_000;
		let admitted = 0;
		for (let now = today; now < today + 1_000; now++) {
			while (takeTurn("a", now) === 0) admitted += 1;
		}
		expect(admitted).toBeGreaterThanOrEqual(Math.max(1, 0.95 * reportsPerSecond));
		expect(admitted).toBeLessThanOrEqual(reportsPerSecond + (burst ?? Math.max(1, reportsPerSecond)));
	});

	it("keeps to the highest rate that it takes, at the time of today", () => {
		const takeTurn = createRateLimiter({ reportsPerSecond: 100_000, burst: 1_000 });
		const today = 1_800_000_000_000;
		let admitted = 0;
		for (let now = today; now < today + 100; now++) {
			for (let report = 0; report < 2_000; report++) if (takeTurn("a", now) === 0) admitted += 1;
		}
		// Those of 99 ms and the burst; an interval may be rounded by some thousandths.
		expect(admitted).toBeGreaterThan(10_800);
		expect(admitted).toBeLessThan(11_000);
	});

	it("keeps to the lowest rate that it takes, and says a time that can be waited for", () => {
		const takeTurn = createRateLimiter({ reportsPerSecond: 0.001 });
		const today = 1_800_000_000_000;
		expect([0, 0, 999_999, 1_000_000].map((ms) => takeTurn("a", today + ms))).toEqual([0, 1_000_000, 1, 0]);
	});

	it("lets a burst through, then one each interval, and says how long to wait", () => {
		const takeTurn = createRateLimiter({ reportsPerSecond: 10, burst: 3 });
		expect([0, 0, 0, 0].map((now) => takeTurn("a", now))).toEqual([0, 0, 0, 100]);
		expect(takeTurn("a", 60)).toBe(40);
		expect(takeTurn("a", 100)).toBe(0);
		expect(takeTurn("a", 100)).toBe(100);
	});

	it("counts each app by itself, and a refused report not at all", () => {
		const takeTurn = createRateLimiter({ reportsPerSecond: 1 });
		expect(takeTurn("a", 0)).toBe(0);
		for (let times = 0; times < 100; times++) expect(takeTurn("a", 0)).toBe(1000);
		expect(takeTurn("b", 0)).toBe(0);
		expect(takeTurn("a", 1000)).toBe(0);
	});

	it("keeps nobody out for longer than an interval when the clock is set back", () => {
		const takeTurn = createRateLimiter({ reportsPerSecond: 1 });
		expect(takeTurn("a", 1_000_000)).toBe(0);
		expect(takeTurn("a", 0)).toBeLessThanOrEqual(1000);
	});

	it("never lets more through than the burst and the rate allow, whenever reports come", () => {
		const gaps = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 200 });
		fc.assert(
			fc.property(gaps, fc.integer({ min: 1, max: 5 }), (pauses, burst) => {
				const takeTurn = createRateLimiter({ reportsPerSecond: 10, burst });
				let now = 0;
				const admitted: number[] = [];
				for (const pause of pauses) {
					now += pause;
					if (takeTurn("a", now) === 0) admitted.push(now);
				}
				for (const [index, from] of admitted.entries()) {
					for (const [offset, to] of admitted.slice(index).entries()) {
						expect(offset + 1).toBeLessThanOrEqual(burst + (to - from) / 100 + 1e-9);
					}
				}
			}),
		);
	});

	it("forgets apps that have paused, so that many of them hold no memory", () => {
		const takeTurn = createRateLimiter({ reportsPerSecond: 1 });
		for (let app = 0; app < 5000; app++) expect(takeTurn(`app-${app}`, app * 10)).toBe(0);
		expect(takeTurn("app-4999", 49_990)).toBe(1000);
		expect(takeTurn("app-0", 49_990)).toBe(0);
	});

	it("looks through the apps that it remembers only when they have become twice as many", () => {
		const takeTurn = createRateLimiter({ reportsPerSecond: 0.001, burst: 10 });
		const looks = vi.spyOn(Map.prototype, Symbol.iterator);
		for (let app = 0; app < 5000; app++) takeTurn(`app-${app}`, 0);
		for (let app = 0; app < 5000; app++) takeTurn(`app-${app}`, 1);
		const times = looks.mock.calls.length;
		looks.mockRestore();
		// At 1024, 2048 and 4096.
		expect(times).toBe(3);
	});
});
