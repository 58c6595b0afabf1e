import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { objectEnd } from "./object-end.js";

describe("objectEnd", () => {
	it.each<readonly [string, number | undefined]>([
		["", undefined],
		["[]", undefined],
		[" {}", undefined],
		["{", undefined],
		['{"a":"}', undefined],
		['{"a":"\\"}', undefined],
		["{}", 2],
		["{}}", 2],
		['{"a":"}"}x', 9],
		['{"a":"\\"}"}', 11],
		['{"a":"\\\\"}"}', 10],
		["{'python': 'text'} ", 18],
		["{\\}", 3],
	])("of %j is %s", (text, end) => {
		expect(objectEnd(text)).toBe(end);
	});

	it("is the end of whatever JSON.stringify makes of an object, with anything behind it", () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (value, rest) => {
				const text = JSON.stringify(value);
				expect(objectEnd(text + rest)).toBe(text.length);
			}),
		);
	});

	it("takes time that grows with the text, not faster", () => {
		const deep = "{".repeat(200_000);
		const escaped = `{"${'\\"'.repeat(200_000)}`;
		const startedAt = performance.now();
		expect([objectEnd(deep), objectEnd(escaped)]).toEqual([undefined, undefined]);
		expect(performance.now() - startedAt).toBeLessThan(500);
	});
});
