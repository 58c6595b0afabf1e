import fc from "fast-check";
import { expect, test } from "vitest";
import { fromText, toText } from "./postgres-text.js";

const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
const anyText = fc.oneof(
	fc.string({ unit }),
	fc.string({ unit: fc.constantFrom("\\", '"', "\0", "u", "0", "\ud800") }),
);

test("any text comes back, and has nothing that PostgreSQL does not take", () => {
	fc.assert(
		fc.property(anyText, (text) => {
			const kept = toText(text);
			expect(fromText(kept)).toBe(text);
			expect(kept).not.toContain("\0");
			expect(Buffer.from(kept).toString()).toBe(kept);
		}),
	);
});

test("two texts stay two", () => {
	fc.assert(
		fc.property(anyText, anyText, (a, b) => {
			expect(toText(a) === toText(b)).toBe(a === b);
		}),
	);
});

test.each(["recording-0a1b", "RecordingReported", "云游戏", "a b/c"])("%s is kept as it is", (text) => {
	expect(toText(text)).toBe(text);
});
