import { describe, expect, test } from "vitest";
import type { ConformanceCase } from "./case.js";
import { conformanceTests, type DescribeOptions } from "./describe-options.js";

const caseOf = (clause: string, result: "passed" | "not-supported"): ConformanceCase => ({
	clause,
	name: `checks ${clause}`,
	run: async () => result,
});

/** For each test its name and what became of it. */
async function outcomesOf(cases: readonly ConformanceCase[], options: DescribeOptions = {}) {
	const outcomes: (readonly [name: string, outcome: string])[] = [];
	for (const { name, run } of conformanceTests(cases, options)) {
		const outcome = await run().then(
			(reason) => (reason === undefined ? "passed" : "skipped"),
			(error: Error) => error.message,
		);
		outcomes.push([name, outcome]);
	}
	return outcomes;
}

const LAST = "is held to some clause: not all of them are skipped";

describe("cases as tests", () => {
	test("of which everything is skipped fail", async () => {
		const cases = [caseOf("a", "not-supported"), caseOf("b", "not-supported")];
		expect(await outcomesOf(cases)).toEqual([
			["a: checks a", "skipped"],
			["b: checks b", "skipped"],
			[LAST, "the implementation supports nothing that was checked"],
		]);
	});

	test("fail when a skip was not expected, and when an expected one passes", async () => {
		const cases = [caseOf("a", "not-supported"), caseOf("b", "passed")];
		expect(await outcomesOf(cases, { skips: [] })).toEqual([
			["a: checks a", "a is not supported, and no skip of it is expected"],
			["b: checks b", "passed"],
			[LAST, "passed"],
		]);
		expect((await outcomesOf(cases, { skips: ["a", "b"] }))[1]).toEqual([
			"b: checks b",
			"b passes: take it out of the skips that are expected",
		]);
		expect(await outcomesOf(cases, { skips: ["a"] })).toEqual([
			["a: checks a", "skipped"],
			["b: checks b", "passed"],
			[LAST, "passed"],
		]);
	});

	test("fail as the case does", async () => {
		const failing = { ...caseOf("a", "passed"), run: () => Promise.reject(new Error("is broken")) };
		expect(await outcomesOf([failing])).toEqual([
			["a: checks a", "is broken"],
			[LAST, "passed"],
		]);
	});

	test("are refused when there are none, two of one clause, or a skip of none", () => {
		const a = caseOf("a", "passed");
		expect(() => conformanceTests([], {})).toThrow(TypeError);
		expect(() => conformanceTests([a, a], {})).toThrow(TypeError);
		expect(() => conformanceTests([a], { skips: ["b"] })).toThrow(TypeError);
	});
});
