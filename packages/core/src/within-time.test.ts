import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock as clock } from "./container/defaults.js";
import { withinTime } from "./within-time.js";

const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const never = new Promise<string>(() => undefined);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
	expect(vi.getTimerCount()).toBe(0);
	vi.useRealTimers();
});

test("is what was asked for, when that comes in time", async () => {
	expect(await withinTime(clock, Promise.resolve("answer"), 1_000)).toBe("answer");
});

test("is nothing when it comes too late, and is not disturbed by a late failure", async () => {
	const failing = clock.sleep(2_000).then(() => Promise.reject(new Error("late")));
	const waited = withinTime(clock, failing, 1_000);
	await passes(1_000);
	expect(await waited).toBeUndefined();
	await passes(1_000);
});

test("rejects as what was asked for does in time", async () => {
	const failure = new Error("no");
	await expect(withinTime(clock, Promise.reject(failure), 1_000)).rejects.toBe(failure);
});

test.each(["before", "meanwhile"])("is nothing once its signal aborts, %s", async (when) => {
	const stopping = new AbortController();
	if (when === "before") stopping.abort();
	const waited = withinTime(clock, never, 1_000, stopping.signal);
	stopping.abort();
	expect(await waited).toBeUndefined();
});
