import fc from "fast-check";
import { expect, test } from "vitest";
import { quotaOf, type Standing, shareOf, shareOut } from "./share-out.js";

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

const standing = (held: Record<string, readonly number[]>, over: Partial<Standing> = {}): Standing => ({
	shares: 8,
	members: Object.keys(held),
	self: "a",
	holders: new Map(Object.entries(held).flatMap(([owner, its]) => its.map((share) => [share, owner]))),
	wanted: held.a ?? [],
	leaving: new Set(),
	...over,
});

test("whoever begins alone asks for all", () => {
	expect(shareOut(standing({ a: [] }))).toEqual({ giveBack: [], askFor: range(0, 8), isEnough: true });
});

test("what others are short of and do not find free is given back", () => {
	expect(shareOut(standing({ a: range(0, 8), b: [] })).giveBack).toEqual(range(4, 8));
	expect(shareOut(standing({ a: range(0, 6), b: [] })).giveBack).toEqual([4, 5]);
	expect(shareOut(standing({ a: range(0, 4), b: [] })).giveBack).toEqual([]);
});

test("what is about to be given back is not given back twice", () => {
	const leaving = standing({ a: range(0, 8), b: [] }, { wanted: range(0, 4), leaving: new Set(range(4, 8)) });
	expect(shareOut(leaving)).toEqual({ giveBack: [], askFor: [], isEnough: true });
});

test("what another has got meanwhile is given up, and something else asked for", () => {
	const lost = standing({ a: [0, 1], b: [2, 3, 4] }, { wanted: [0, 1, 2] });
	expect(shareOut(lost)).toEqual({ giveBack: [2], askFor: [5, 6], isEnough: true });
});

test("who is no member any more asks for nothing", () => {
	expect(shareOut(standing({ b: [] }, { wanted: [1] }))).toEqual({
		giveBack: [],
		askFor: [],
		isEnough: false,
	});
});

test("members that look in turns come to rest with equal parts, however they begin", () => {
	const owners = fc.integer({ min: 1, max: 9 });
	fc.assert(
		fc.property(owners, fc.array(fc.nat(9), { minLength: 16, maxLength: 16 }), (count, begins) => {
			const members = Array.from({ length: count }, (_, index) => `m${index}`);
			const holders = new Map<number, string>();
			for (const [share, owner] of begins.entries()) {
				const member = members[owner];
				if (member !== undefined) holders.set(share, member);
			}
			const wantedBy = (self: string) =>
				[...holders].filter(([, owner]) => owner === self).map(([share]) => share);
			for (let round = 0; round < 4; round += 1) {
				for (const self of members) {
					const { giveBack, askFor } = shareOut({
						...{ shares: 16, members, self, holders },
						wanted: wantedBy(self),
						leaving: new Set(),
					});
					for (const share of giveBack) holders.delete(share);
					for (const share of askFor) holders.set(share, self);
				}
			}
			const parts = members.map((member) => wantedBy(member).length);
			expect(parts.reduce((sum, part) => sum + part, 0)).toBe(16);
			expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
		}),
	);
});

const range = (from: number, to: number): number[] =>
	Array.from({ length: to - from }, (_, index) => from + index);
