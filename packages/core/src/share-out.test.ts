import fc from "fast-check";
import { expect, test } from "vitest";
import { quotaOf, shareOf } from "./share-out.js";

test("all shares are somebody's, and nobody has two more than another", () => {
	fc.assert(
		fc.property(fc.nat(100), fc.integer({ min: 1, max: 70 }), (shares, members) => {
			const quotas = Array.from({ length: members }, (_, rank) => quotaOf(shares, members, rank));
			expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBe(shares);
			expect(Math.max(...quotas) - Math.min(...quotas)).toBeLessThanOrEqual(1);
		}),
	);
});

test("a text has its share, whatever it is", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 64 }), (text, shares) => {
			const share = shareOf(text, shares);
			expect(Number.isInteger(share) && share >= 0 && share < shares).toBe(true);
			expect(shareOf(text, shares)).toBe(share);
		}),
	);
});

test("the share of a text stays in every release", () => {
	const names = ["", "a", "recording-1", "recording-d66a1ad2", "视频"];
	expect(names.map((name) => shareOf(name, 16))).toEqual([5, 12, 6, 8, 8]);
});

test("names like recordings' are spread evenly", () => {
	const counts = new Array<number>(16).fill(0);
	for (let index = 0; index < 16_000; index += 1) {
		const share = shareOf(`recording-${index.toString(16).padStart(32, "0")}`, counts.length);
		counts[share] = (counts[share] ?? 0) + 1;
	}
	expect(Math.min(...counts)).toBeGreaterThan(850);
	expect(Math.max(...counts)).toBeLessThan(1_150);
});
