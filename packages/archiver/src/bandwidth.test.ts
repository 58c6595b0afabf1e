import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bandwidth, measureBandwidth } from "./bandwidth.js";

const START = Date.UTC(2026, 10, 23);
const SECOND = 1_000;
const WINDOW_MS = 30 * SECOND;

/** One download that is under way from `START` on, and gets `bytesPerSecond` for `seconds`. */
function measured(bytesPerSecond: number, seconds: number): Bandwidth {
	const bandwidth = measureBandwidth();
	bandwidth.underway(1, START);
	for (let second = 1; second <= seconds; second += 1) {
		bandwidth.add(bytesPerSecond, START + second * SECOND - 1);
	}
	return bandwidth;
}

describe("a measured bandwidth", () => {
	it("is none before there were two busy seconds, whatever came", () => {
		const bandwidth = measured(1_000, 3);
		expect(bandwidth.bytesPerSecond(START + 1_999)).toBeUndefined();
		expect(bandwidth.bytesPerSecond(START + 3 * SECOND)).toBe(1_000);
	});

	it("is none while nothing is under way, however long", () => {
		const bandwidth = measureBandwidth();
		bandwidth.add(5, START);
		expect(bandwidth.bytesPerSecond(START + 3_600 * SECOND)).toBeUndefined();
	});

	it("is that of the last 30 seconds: what was before counts no more", () => {
		const bandwidth = measured(1_000, 40);
		for (let second = 41; second <= 80; second += 1) {
			expect(bandwidth.bytesPerSecond(START + (second - 1) * SECOND)).toBeGreaterThan(0);
			bandwidth.add(10, START + second * SECOND - 1);
		}
		expect(bandwidth.bytesPerSecond(START + 80 * SECOND)).toBe(10);
	});

	it("does not get less by times in which nothing is under way, and is remembered through them", () => {
		const bandwidth = measured(1_000, 10);
		bandwidth.underway(0, START + 10 * SECOND);
		expect(bandwidth.bytesPerSecond(START + 25 * SECOND)).toBe(1_000);
		expect(bandwidth.bytesPerSecond(START + 3_600 * SECOND)).toBe(1_000);
		bandwidth.underway(1, START + 7_200 * SECOND);
		bandwidth.add(900, START + 7_201 * SECOND - 1);
		expect(bandwidth.bytesPerSecond(START + 7_201 * SECOND)).toBe(1_000);
		bandwidth.add(900, START + 7_202 * SECOND - 1);
		expect(bandwidth.bytesPerSecond(START + 7_202 * SECOND)).toBe(900);
	});

	it("is that of all downloads together, and busy time counts once", () => {
		const bandwidth = measureBandwidth();
		for (const [count, second] of [
			[1, 0],
			[2, 1],
			[3, 2],
			[1, 3],
		] as const) {
			bandwidth.underway(count, START + second * SECOND);
			for (let each = 0; each < count; each += 1) bandwidth.add(100, START + second * SECOND + 500);
		}
		bandwidth.underway(0, START + 4 * SECOND);
		expect(bandwidth.bytesPerSecond(START + 9 * SECOND)).toBe(175);
	});

	it("falls while downloads are under way and get nothing", () => {
		const bandwidth = measured(1_000, 10);
		const later = [15, 20, 25].map((second) => bandwidth.bytesPerSecond(START + second * SECOND) ?? -1);
		expect(later).toEqual([10_000 / 15, 10_000 / 20, 10_000 / 25]);
		expect(bandwidth.bytesPerSecond(START + 60 * SECOND)).toBe(0);
	});

	it("goes on with a clock that was set back, by what comes from then on", () => {
		const bandwidth = measured(1_000, 10);
		expect(bandwidth.bytesPerSecond(START + 10 * SECOND)).toBe(1_000);
		const back = START - 3_600 * SECOND;
		expect(bandwidth.bytesPerSecond(back)).toBe(1_000);
		for (let second = 1; second <= 5; second += 1) bandwidth.add(70, back + second * SECOND - 1);
		expect(bandwidth.bytesPerSecond(back + 5 * SECOND)).toBe(70);
	});

	it("goes on with a clock that was set back by less than its window", () => {
		const bandwidth = measured(1_000, 10);
		bandwidth.bytesPerSecond(START + 10 * SECOND);
		for (let second = 6; second <= 40; second += 1) {
			bandwidth.add(70, START + second * SECOND - 1);
			bandwidth.bytesPerSecond(START + second * SECOND);
		}
		expect(bandwidth.bytesPerSecond(START + 40 * SECOND)).toBe(70);
	});

	it("counts what has just come when it was not asked for 30 seconds", () => {
		const bandwidth = measureBandwidth();
		bandwidth.underway(1, START);
		bandwidth.add(29_000, START + 31 * SECOND);
		expect(bandwidth.bytesPerSecond(START + 31 * SECOND + 1)).toBeGreaterThan(900);
	});

	it("is what a list of all that ever came says", () => {
		const steps = fc.array(
			fc.record({
				ms: fc.nat({ max: 9_000 }),
				bytes: fc.nat({ max: 5_000 }),
				underway: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
			}),
			{ minLength: 1, maxLength: 60 },
		);
		fc.assert(
			fc.property(steps, (all) => {
				const bandwidth = measureBandwidth();
				const came: { readonly at: number; readonly bytes: number }[] = [];
				const busy: { readonly from: number; to: number }[] = [];
				let now = START;
				let isBusy = false;
				let expected: number | undefined;
				for (const { ms, bytes, underway } of all) {
					now += ms;
					const last = busy.at(-1);
					if (isBusy && last !== undefined) last.to = now;
					if (underway !== undefined) {
						bandwidth.underway(underway, now);
						if (underway > 0 && !isBusy) busy.push({ from: now, to: now });
						isBusy = underway > 0;
					}
					bandwidth.add(bytes, now);
					came.push({ at: now, bytes });
					// Whole seconds, the one that has just begun included.
					const since = Math.floor((now - WINDOW_MS) / SECOND + 1) * SECOND;
					const busyMs = busy.reduce((sum, { from, to }) => sum + Math.max(to - Math.max(from, since), 0), 0);
					const recent = came.filter(({ at }) => at >= since).reduce((sum, each) => sum + each.bytes, 0);
					if (busyMs >= 2 * SECOND) expected = (recent * SECOND) / busyMs;
					expect(bandwidth.bytesPerSecond(now)).toBe(expected);
				}
			}),
			{ numRuns: 300 },
		);
	});
});
