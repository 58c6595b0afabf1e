import { describe, expect, it } from "vitest";
import { measureThroughput } from "./throughput.js";

const LIMIT = { minBytesPerSecond: 1_024, throughputWindowMs: 30_000 };

describe("measureThroughput", () => {
	it("finds a byte every 50 ms too slow once a window is over, not before", () => {
		const throughput = measureThroughput(LIMIT);
		const judged = Array.from({ length: 600 }, () => throughput.isTooSlow(1, 50));
		expect(judged.indexOf(true)).toBe(599);
	});

	it("judges each window by itself: a quick start buys no slow end", () => {
		const throughput = measureThroughput(LIMIT);
		expect(throughput.isTooSlow(1_000_000_000, 30_000)).toBe(false);
		expect(throughput.isTooSlow(30_719, 30_000)).toBe(true);
		expect(throughput.isTooSlow(30_720, 30_000)).toBe(false);
	});

	it("never judges bytes that nobody waited for, nor any pace when there is no least one", () => {
		const throughput = measureThroughput(LIMIT);
		for (let chunk = 0; chunk < 1_000; chunk += 1) expect(throughput.isTooSlow(1, 0)).toBe(false);
		expect(measureThroughput({ ...LIMIT, minBytesPerSecond: 0 }).isTooSlow(1, 90_000)).toBe(false);
	});
});
