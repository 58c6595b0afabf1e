import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_CAP_MS, type Deadline, decideDeadline, MAX_DAYS_AHEAD } from "./deadline.js";
import { linkExpiry } from "./link.js";

const NOW = Date.UTC(2025, 5, 1);
const HOUR = 3_600_000;
const FAR = NOW + MAX_DAYS_AHEAD * 24 * HOUR;
const seconds = (at: number) => ({ at, value: at / 1000 });

interface Row {
	readonly name: string;
	readonly stated: {
		readonly expireTime?: number;
		readonly linkExpiry?: { readonly at: number; readonly value: number };
	};
	readonly deadline: Deadline;
}
const cap = (...ignored: Deadline["ignored"]): Deadline => ({
	at: NOW + DEFAULT_CAP_MS,
	source: "cap",
	ignored,
});

const rows: readonly Row[] = [
	{
		name: "both are past: receipt plus the cap",
		stated: { expireTime: NOW - 1, linkExpiry: seconds(NOW - HOUR) },
		deadline: cap(
			{ source: "expire_time", value: NOW - 1, reason: "past" },
			{ source: "link", value: (NOW - HOUR) / 1000, reason: "past" },
		),
	},
	{
		name: "exactly the time of receipt is past",
		stated: { expireTime: NOW },
		deadline: cap({ source: "expire_time", value: NOW, reason: "past" }),
	},
	{
		name: "expire_time in seconds is in the wrong unit",
		stated: { expireTime: (NOW + HOUR) / 1000 },
		deadline: cap({ source: "expire_time", value: (NOW + HOUR) / 1000, reason: "wrong-unit" }),
	},
	{
		name: "a link's expiry in milliseconds is in the wrong unit",
		stated: { linkExpiry: { at: (NOW + HOUR) * 1000, value: NOW + HOUR } },
		deadline: cap({ source: "link", value: NOW + HOUR, reason: "wrong-unit" }),
	},
	{
		name: "expire_time in seconds, of the past, is past",
		stated: { expireTime: (NOW - HOUR) / 1000 },
		deadline: cap({ source: "expire_time", value: (NOW - HOUR) / 1000, reason: "past" }),
	},
	{
		name: "more than 400 days ahead is too far",
		stated: { expireTime: FAR + 1 },
		deadline: cap({ source: "expire_time", value: FAR + 1, reason: "too-far" }),
	},
	{
		name: "exactly 400 days ahead is believed",
		stated: { expireTime: FAR },
		deadline: { at: FAR, source: "expire_time", ignored: [] },
	},
	{
		name: "zero and negative numbers are past",
		stated: { expireTime: -5, linkExpiry: { at: 0, value: 0 } },
		deadline: cap(
			{ source: "expire_time", value: -5, reason: "past" },
			{ source: "link", value: 0, reason: "past" },
		),
	},
	{ name: "nothing is stated: receipt plus the cap", stated: {}, deadline: cap() },
	{
		name: "the only one is believed",
		stated: { linkExpiry: seconds(NOW + HOUR) },
		deadline: { at: NOW + HOUR, source: "link", ignored: [] },
	},
	{
		name: "the link's is earlier",
		stated: { expireTime: NOW + 2 * HOUR, linkExpiry: seconds(NOW + HOUR) },
		deadline: { at: NOW + HOUR, source: "link", ignored: [] },
	},
	{
		name: "expire_time is earlier, or the same",
		stated: { expireTime: NOW + HOUR, linkExpiry: seconds(NOW + HOUR) },
		deadline: { at: NOW + HOUR, source: "expire_time", ignored: [] },
	},
	{
		name: "the earlier is implausible: the later one governs",
		stated: { expireTime: NOW - HOUR, linkExpiry: seconds(NOW + HOUR) },
		deadline: {
			at: NOW + HOUR,
			source: "link",
			ignored: [{ source: "expire_time", value: NOW - HOUR, reason: "past" }],
		},
	},
];

describe("a deadline", () => {
	for (const { name, stated, deadline } of rows) {
		test(name, () => expect(decideDeadline({ receivedAt: NOW, ...stated })).toEqual(deadline));
	}

	test("of the API page's own example ignores both: expire_time in 2021 and a link of the year 13428", () => {
		const example = linkExpiry(
			new URL(
				"http://ali-cloudgame.oss-cn-zhangjiakou.aliyuncs.com/720p.mp4?OSSAccessKeyId=x&Expires=361605860928",
			),
		);
		if (example === undefined) throw new Error("the example says when it expires");
		expect(
			decideDeadline({ receivedAt: NOW, expireTime: 1639238400000, linkExpiry: example, capMs: HOUR }),
		).toEqual({
			at: NOW + HOUR,
			source: "cap",
			ignored: [
				{ source: "expire_time", value: 1639238400000, reason: "past" },
				{ source: "link", value: 361605860928, reason: "too-far" },
			],
		});
	});

	test("lies ahead of receipt and within 400 days, and names everything that it ignored", () => {
		const anyTime = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: NOW - HOUR, max: FAR + HOUR }));
		fc.assert(
			fc.property(
				fc.option(anyTime, { nil: undefined }),
				fc.option(fc.nat({ max: 10 ** 15 - 1 }), { nil: undefined }),
				(expireTime, value) => {
					const deadline = decideDeadline({
						receivedAt: NOW,
						...(expireTime === undefined ? {} : { expireTime }),
						...(value === undefined ? {} : { linkExpiry: { at: value * 1000, value } }),
					});
					expect(deadline.at).toBeGreaterThan(NOW);
					expect(deadline.at).toBeLessThanOrEqual(FAR);
					const stated = Number(expireTime !== undefined) + Number(value !== undefined);
					if (deadline.source === "cap") expect(deadline.ignored).toHaveLength(stated);
					else expect(deadline.ignored.length).toBeLessThan(stated);
				},
			),
		);
	});
});
