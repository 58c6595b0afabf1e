import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "./defaults.js";

const DAY_MS = 86_400_000;

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => vi.useRealTimers());

test.each([1, 1_000, 2 ** 31 - 1, 2 ** 31, 100 * DAY_MS])(
	"the system's clock sleeps for %d ms",
	async (delayMs) => {
		let isAwake = false;
		void systemClock.sleep(delayMs).then(() => {
			isAwake = true;
		});
		await vi.advanceTimersByTimeAsync(delayMs - 1);
		expect(isAwake).toBe(false);
		await vi.advanceTimersByTimeAsync(1);
		expect(isAwake).toBe(true);
		expect(vi.getTimerCount()).toBe(0);
	},
);

test("a signal wakes it, also behind what one timer can wait", async () => {
	const stop = new AbortController();
	const sleeping = systemClock.sleep(100 * DAY_MS, stop.signal);
	await vi.advanceTimersByTimeAsync(50 * DAY_MS);
	stop.abort();
	await sleeping;
	expect(vi.getTimerCount()).toBe(0);
	await systemClock.sleep(100 * DAY_MS, stop.signal);
});
