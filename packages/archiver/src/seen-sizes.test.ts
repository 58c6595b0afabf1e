import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeenSizes } from "./seen-sizes.js";

const REMEMBERED = 512;

describe("seen sizes", () => {
	it("assume nothing while none was seen", () => {
		const sizes = createSeenSizes();
		expect([sizes.assume(0), sizes.assume(7)]).toEqual([0, 0]);
	});

	it("assume each size as often as it was seen", () => {
		fc.assert(
			fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), fc.nat({ max: 5 }), (seen, times) => {
				const sizes = createSeenSizes();
				for (const bytes of seen) sizes.add(bytes);
				const assumed = Array.from({ length: seen.length * times }, (_, index) => sizes.assume(index));
				const expected = Array.from({ length: times }, () => seen).flat();
				expect(assumed.sort()).toEqual(expected.sort());
			}),
		);
	});

	it("remember the last 512", () => {
		const sizes = createSeenSizes();
		for (let bytes = 1; bytes <= 3 * REMEMBERED + 100; bytes += 1) sizes.add(bytes);
		const assumed = Array.from({ length: 2 * REMEMBERED }, (_, index) => sizes.assume(index));
		expect(new Set(assumed).size).toBe(REMEMBERED);
		expect(Math.min(...assumed)).toBe(2 * REMEMBERED + 101);
		expect(Math.max(...assumed)).toBe(3 * REMEMBERED + 100);
	});
});
