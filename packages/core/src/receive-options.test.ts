import { describe, expect, it } from "vitest";
import { createReelkeep } from "./container/reelkeep.js";
import { memoryStorage } from "./memory/plugin.js";
import { type ReceiveOptions, resolveReceiveOptions } from "./receive.js";

const DAY_MS = 24 * 3_600_000;
const MOST = {
	maxInFlight: Number.MAX_SAFE_INTEGER,
	timeoutMs: 2 ** 31 - 1,
	deadlineCapMs: 400 * DAY_MS,
};
const numbers = Object.entries(MOST);

describe("the numbers among the options of receive", () => {
	it.each(numbers)("take %s from 1 to %d", (option, most) => {
		for (const value of [1, most]) expect(() => resolveReceiveOptions({ [option]: value })).not.toThrow();
	});

	it.each(numbers)("are refused by name, with what %s takes", (option, most) => {
		const wrong = [0, -1, 1.5, most + 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
		for (const value of wrong) {
			expect(() => resolveReceiveOptions({ [option]: value })).toThrow(
				new RangeError(`${option} must be a whole number from 1 to ${most}`),
			);
		}
	});

	it("may be left out", () => {
		expect(resolveReceiveOptions({})).toMatchObject({ maxInFlight: 1024, timeoutMs: 10_000 });
	});

	it.each<ReceiveOptions>([
		{ deadlineCapMs: Number.NaN },
		{ timeoutMs: Number.POSITIVE_INFINITY },
		{ rateLimit: { reportsPerSecond: Number.NaN } },
	])("are looked at when Reelkeep is made, not when the first report comes: %o", (receive) => {
		expect(() => createReelkeep({ plugins: [memoryStorage()], receive })).toThrow(RangeError);
	});
});
