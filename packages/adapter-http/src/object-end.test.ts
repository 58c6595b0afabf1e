import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memberSource, objectEnd } from "./object-end.js";

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

describe("memberSource", () => {
	it.each<readonly [string, string | undefined]>([
		["{}", undefined],
		['{"b":{"a":1}}', undefined],
		['{"a":1}', "1"],
		['{ "b":["a",{"a":2}] , "a" : { "x" : 1.0 } }', '{ "x" : 1.0 }'],
		['{"a":1,"\\u0061":2,"b":3}', "2"],
		['{"a":"}\\",\\"a\\":5","b":0}', '"}\\",\\"a\\":5"'],
		['{"b":":","a":[[],{}]}', "[[],{}]"],
		['{"a":null}', "null"],
	])("of a in %s is %s", (json, source) => {
		expect(memberSource(json, "a")).toBe(source);
	});

	it("means what JSON.parse makes of the member, whatever the document", () => {
		const documents = fc.dictionary(fc.constantFrom("a", "b", 'c"', "d\\", "{", ":,"), fc.jsonValue());
		fc.assert(
			fc.property(documents, fc.constantFrom(undefined, 1, "\t"), (document, space) => {
				const json = JSON.stringify(document, undefined, space);
				for (const name of ["a", "b", 'c"', "d\\", "{", ":,", "e"]) {
					const source = memberSource(json, name);
					const expected = JSON.parse(json)[name];
					expect(source === undefined ? undefined : JSON.parse(source)).toEqual(expected);
				}
			}),
		);
	});

	it("takes time that grows with the text, not faster", () => {
		const deep = `{"a":${'{"a":'.repeat(30_000)}1${"}".repeat(30_000)}}`;
		const startedAt = performance.now();
		expect(memberSource(deep, "a")).toHaveLength(deep.length - 6);
		expect(performance.now() - startedAt).toBeLessThan(500);
	});
});
