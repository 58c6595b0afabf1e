import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createShiftingClock } from "./shifting-clock.js";

const DAY_MS = 86_400_000;

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => vi.useRealTimers());

const givenSleeper = (delayMs: number, signal?: AbortSignal) => {
	const clock = createShiftingClock();
	const began = clock.now();
	const woken: number[] = [];
	void clock.sleep(delayMs, signal).then(() => woken.push(clock.now() - began));
	return { clock, woken };
};

test("a sleep takes as long as it says, also where that is longer than a timer can wait", async () => {
	for (const delayMs of [1, 1_000, 2 ** 31 - 1, 2 ** 31, 100 * DAY_MS]) {
		const { woken } = givenSleeper(delayMs);
		await vi.advanceTimersByTimeAsync(delayMs - 1);
		expect(woken).toEqual([]);
		await vi.advanceTimersByTimeAsync(1);
		expect(woken).toEqual([delayMs]);
		expect(vi.getTimerCount()).toBe(0);
	}
	for (const none of [0, -1, Number.NaN]) {
		const { woken } = givenSleeper(none);
		await vi.advanceTimersByTimeAsync(0);
		expect(woken).toEqual([0]);
	}
});

test("a shift shortens it, and a signal ends it", async () => {
	const { clock, woken } = givenSleeper(100 * DAY_MS);
	clock.shift(99 * DAY_MS);
	await vi.advanceTimersByTimeAsync(DAY_MS - 1);
	expect(woken).toEqual([]);
	await vi.advanceTimersByTimeAsync(1);
	expect(woken).toEqual([100 * DAY_MS]);
	const stop = new AbortController();
	const stopped = givenSleeper(100 * DAY_MS, stop.signal);
	await vi.advanceTimersByTimeAsync(50 * DAY_MS);
	stop.abort();
	await vi.advanceTimersByTimeAsync(0);
	expect(stopped.woken).toEqual([50 * DAY_MS]);
	expect(vi.getTimerCount()).toBe(0);
});
