import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "./base64url.js";

test("refuses what is no base64url, without throwing", () => {
	for (const text of ["a", "aaaaa", "YQ==", "a+b/", "a b", "é", "\n", "YQ\n"]) {
		expect(fromBase64Url(text)).toBeUndefined();
	}
});

test("refuses another spelling of the same bytes", () => {
	expect(fromBase64Url("YQ")).toEqual(Uint8Array.of(97));
	for (const text of ["YR", "YS", "YWJ"]) expect(fromBase64Url(text)).toBeUndefined();
});

test("gives the same bytes back", () => {
	fc.assert(
		fc.property(fc.uint8Array(), (bytes) => {
			const text = toBase64Url(bytes);
			expect(text).toBe(Buffer.from(bytes).toString("base64url"));
			expect(fromBase64Url(text)).toEqual(bytes);
		}),
	);
});
