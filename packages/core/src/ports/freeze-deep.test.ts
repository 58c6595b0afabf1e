import { expect, test } from "vitest";
import { freezeDeep } from "./freeze-deep.js";

test("freezes what is in objects and arrays, at any depth", () => {
	const value = freezeDeep({ a: [{ b: { c: [] } }], d: null, e: "text" });
	const parts = [value, value.a, value.a[0], value.a[0]?.b, value.a[0]?.b.c];
	expect(parts.every(Object.isFrozen)).toBe(true);
});

test("takes what JSON.parse takes, however deep", () => {
	const depth = 5_000;
	let at: unknown = freezeDeep(JSON.parse("[".repeat(depth) + "]".repeat(depth)));
	for (let level = 0; level < depth; level += 1) {
		expect(Object.isFrozen(at)).toBe(true);
		[at] = at as readonly unknown[];
	}
});

test("comes to an end where something holds itself", () => {
	const circle: { self?: object } = {};
	circle.self = circle;
	expect(Object.isFrozen(freezeDeep(circle))).toBe(true);
});

test.each([undefined, null, 1, "text"])("gives back %s", (value) => {
	expect(freezeDeep(value)).toBe(value);
});
