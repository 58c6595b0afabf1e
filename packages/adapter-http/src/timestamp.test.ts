import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	checkTimestamp,
	DEFAULT_CLOCK_TOLERANCE_MS,
	parseTimestamp,
	parseUtcTimestamp,
} from "./timestamp.js";

const NOW_MS = Date.UTC(2026, 10, 23, 4, 0, 0);
const TOLERANCE_MS = DEFAULT_CLOCK_TOLERANCE_MS;

/** An independent writer: the Chinese wall clock. */
const chinaText = (ms: number): string =>
	new Intl.DateTimeFormat("sv-SE", {
		timeZone: "Asia/Shanghai",
		dateStyle: "short",
		timeStyle: "medium",
	}).format(ms);

describe("parseTimestamp", () => {
	it.each([
		"",
		"2026-02-30 12:00:00",
		"2025-02-29 00:00:00",
		"2026-13-01 00:00:00",
		"2026-00-10 00:00:00",
		"2026-11-23 24:00:00",
		"2026-11-23 23:60:00",
		"2026-11-23 23:59:60",
		"2026-11-23T12:00:00",
		"2026-11-23 12:00",
		"2026-11-23 12:00:00 ",
		"2026-11-23 12:00:00\n",
		"26-11-23 12:00:00",
		"２０２６-11-23 12:00:00",
		"179536349",
		"17953634910",
		"179536349112",
		"17953634911280",
		"-795363491128",
		"1.79536349e12",
	])("refuses %j", (text) => {
		expect(parseTimestamp(text)).toBeUndefined();
	});

	it("reads text as Chinese time, 13 digits as milliseconds and 10 as seconds", () => {
		expect(parseTimestamp("2026-11-23 12:00:00")).toBe(NOW_MS);
		expect(parseTimestamp(String(NOW_MS + 7))).toBe(NOW_MS + 7);
		expect(parseTimestamp(String(NOW_MS / 1000))).toBe(NOW_MS);
		expect(parseTimestamp("2028-02-29 00:00:00")).toBe(Date.UTC(2028, 1, 28, 16));
	});

	it("reads back every second between 2001 and 2286 in all three forms", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1_000_000_000, max: 9_999_999_999 }), (seconds) => {
				const ms = seconds * 1000;
				for (const text of [chinaText(ms), String(ms), String(seconds)])
					expect(parseTimestamp(text)).toBe(ms);
			}),
		);
	});
});

describe("checkTimestamp", () => {
	const check = (text: string): ReturnType<typeof checkTimestamp> =>
		checkTimestamp(text, NOW_MS, TOLERANCE_MS);

	it.each([
		["behind", -1],
		["ahead of", 1],
	])("refuses 11 minutes %s the clock and says so", (direction, sign) => {
		const result = check(String(NOW_MS + sign * 11 * 60_000));
		expect(result).toEqual({
			_tag: "OutOfTime",
			message: `timestamp is 11 min ${direction} the receiver's clock; at most 10 min are allowed`,
		});
	});

	it("tells of the 8 hours when local time of a UTC host was sent as text", () => {
		for (const offMs of [0, -9 * 60_000, 9 * 60_000]) {
			const utcWallClock = new Date(NOW_MS + offMs).toISOString().slice(0, 19).replace("T", " ");
			const result = check(utcWallClock);
			expect(result._tag === "OutOfTime" && result.message).toMatch(/8 hours .*GMT\+8.*TZ=Asia\/Shanghai/);
		}
	});

	it("does not tell of the 8 hours when they cannot be the cause", () => {
		const digits = check(String(NOW_MS - 8 * 3_600_000));
		const ahead = check(chinaText(NOW_MS + 8 * 3_600_000));
		expect(digits).toMatchObject({ message: expect.stringMatching(/^timestamp is 8 h behind/) });
		expect(ahead).toMatchObject({ message: expect.stringMatching(/^timestamp is 8 h ahead of/) });
	});

	it("accepts exactly the tolerance either way and nothing beyond it", () => {
		fc.assert(
			fc.property(fc.integer({ min: -2 * TOLERANCE_MS, max: 2 * TOLERANCE_MS }), (skewMs) => {
				const result = check(String(NOW_MS - skewMs));
				if (Math.abs(skewMs) <= TOLERANCE_MS) expect(result).toEqual({ _tag: "InTime", skewMs });
				else expect(result._tag).toBe("OutOfTime");
			}),
		);
	});
});

describe("a timestamp of Alibaba Cloud's SPI", () => {
	it("is a second in UTC", () => {
		expect(parseUtcTimestamp("2016-02-23T12:46:24Z")).toBe(Date.UTC(2016, 1, 23, 12, 46, 24));
		expect(parseUtcTimestamp("2024-02-29T00:00:00Z")).toBe(Date.UTC(2024, 1, 29));
	});

	it.each([
		"2023-02-29T00:00:00Z",
		"2026-04-31T04:00:00Z",
		"2026-11-23T24:00:00Z",
		"2026-11-23T04:00:60Z",
		"2026-11-23T04:00:00.000Z",
		"2026-11-23T04:00:00",
		"2026-11-23t04:00:00z",
		"+02026-11-23T04:00:00Z",
		" 2026-11-23T04:00:00Z",
		"2026-11-23T04:00:00Z\n",
		"1795406400000",
		"",
	])("is not %j", (text) => {
		expect(parseUtcTimestamp(text)).toBeUndefined();
	});
});
