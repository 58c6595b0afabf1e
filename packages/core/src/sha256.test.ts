import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256Hex, sha256HexInJavaScript } from "./sha256.js";

test("of a known text", () => {
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	expect(sha256Hex("abc")).toBe(abc);
	expect(sha256HexInJavaScript("abc")).toBe(abc);
});

test("is the same by the runtime and in JavaScript, whatever the text or bytes", () => {
	expect(sha256Hex).not.toBe(sha256HexInJavaScript);
	const text = fc.string({
		unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
	});
	fc.assert(
		fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 300 })), (data) => {
			expect(sha256Hex(data)).toBe(sha256HexInJavaScript(data));
		}),
	);
});
