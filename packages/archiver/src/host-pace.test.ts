import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fullPace, type HostPace, slowDown, speedUp } from "./host-pace.js";
import { DEFAULT_RETRY_POLICY as policy } from "./retry.js";

const NOW = Date.UTC(2026, 10, 23);
const busy = (pace: HostPace, of: { readonly random?: number; readonly retryAfterMs?: number } = {}) =>
	slowDown(pace, { now: NOW, random: 0.999_999, policy, ...of });

describe("a host that asks for patience", () => {
	it("is asked half as much each time, and never nothing for ever", () => {
		const limits: number[] = [];
		for (let pace = fullPace(9); limits.length < 5; pace = busy(pace)) limits.push(pace.limit);
		expect(limits).toEqual([9, 4, 2, 1, 1]);
	});

	it("gets pauses that grow, up to the longest delay", () => {
		const pauses: number[] = [];
		let pace = fullPace(4);
		for (let times = 0; times < 12; times += 1) {
			pace = busy({ ...pace, pausedUntil: 0 });
			pauses.push(Math.ceil((pace.pausedUntil - NOW) / 1_000));
		}
		expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
	});

	it("gets the patience that it asks for, but not for longer than the longest delay", () => {
		expect(busy(fullPace(4), { retryAfterMs: 60_000 }).pausedUntil).toBe(NOW + 60_000);
		expect(busy(fullPace(4), { retryAfterMs: 86_400_000 }).pausedUntil).toBe(NOW + policy.maxDelayMs);
	});

	it("is not asked earlier because a second answer asks for less", () => {
		const pace = busy(fullPace(4), { retryAfterMs: 60_000 });
		expect(busy(pace, { random: 0 }).pausedUntil).toBe(NOW + 60_000);
	});

	it("is asked one more at a time with each video, and its strikes are forgotten with the first", () => {
		let pace = busy(busy(fullPace(4)));
		const { pausedUntil } = pace;
		const seen: (readonly number[])[] = [];
		for (let times = 0; times < 4; times += 1) {
			pace = speedUp(pace, 4);
			seen.push([pace.limit, pace.strikes]);
		}
		expect(seen).toEqual([
			[2, 0],
			[3, 0],
			[4, 0],
			[4, 0],
		]);
		// What was begun before says nothing about what the host asked for since.
		expect(pace.pausedUntil).toBe(pausedUntil);
		expect(speedUp(pace, 4)).toBe(pace);
	});

	it("is never asked more than `limit`, less than one, nor paused longer than the longest delay", () => {
		const answer = fc.record({
			isBusy: fc.boolean(),
			random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
			retryAfterMs: fc.option(fc.nat({ max: 1e9 }), { nil: undefined }),
			ms: fc.nat({ max: 100_000 }),
		});
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 8 }), fc.array(answer), (limit, answers) => {
				let pace = fullPace(limit);
				let now = NOW;
				for (const { isBusy, random, retryAfterMs, ms } of answers) {
					now += ms;
					const before = pace.pausedUntil;
					pace = isBusy ? slowDown(pace, { now, random, retryAfterMs, policy }) : speedUp(pace, limit);
					expect(pace.limit).toBeGreaterThanOrEqual(1);
					expect(pace.limit).toBeLessThanOrEqual(limit);
					expect(pace.pausedUntil).toBeGreaterThanOrEqual(before);
					expect(pace.pausedUntil).toBeLessThanOrEqual(now + policy.maxDelayMs);
					if (isBusy) expect(pace.pausedUntil).toBeGreaterThan(now);
				}
			}),
		);
	});
});
