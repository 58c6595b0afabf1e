// For the tests of suites only: whether broken implementations fail their clauses, and no others.

import { describe, expect, test } from "vitest";
import type { ConformanceCase } from "./case.js";

/** The clauses that fail, one after the other. */
export async function failingOf(cases: readonly ConformanceCase[]): Promise<readonly string[]> {
	const failed: string[] = [];
	for (const { clause, run } of cases) await run().catch(() => failed.push(clause));
	return failed;
}

/** The clauses that fail, in the order of the suite; all of them run at once. */
export async function failingAtOnce(cases: readonly ConformanceCase[]): Promise<readonly string[]> {
	const failed = cases.map(({ clause, run }) =>
		run().then(
			() => [],
			() => [clause],
		),
	);
	return (await Promise.all(failed)).flat();
}

export interface TestFlawsOptions {
	/** The flaws run beside each other, and so do the clauses of each: for suites that mostly wait. Default: one by one. */
	readonly atOnce?: boolean;
	/** Milliseconds that one flaw may take. Default: what the runner's configuration says. */
	readonly timeoutMs?: number;
}

/** Tests that each flaw fails exactly what it `breaks`, and that each clause of `suite` has one that breaks it alone. */
export function testFlaws<Make>(
	implementation: string,
	suite: (make: Make) => readonly ConformanceCase[],
	flaws: Readonly<Record<string, { readonly breaks: readonly string[]; readonly make: Make }>>,
	{ atOnce = false, timeoutMs }: TestFlawsOptions = {},
): void {
	const failing = atOnce ? failingAtOnce : failingOf;
	const options = { concurrent: atOnce, ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }) };
	describe(`a broken ${implementation} fails exactly its clauses`, options, () => {
		for (const [flaw, { breaks, make }] of Object.entries(flaws)) {
			test(`when ${flaw}`, async ({ expect }) => {
				expect(await failing(suite(make))).toEqual(breaks);
			});
		}
	});

	test("every clause has a flaw that breaks it and no other", () => {
		const [some] = Object.values(flaws);
		if (some === undefined) throw new Error("there are no flaws");
		const alone = Object.values(flaws).flatMap(({ breaks }) => (breaks.length === 1 ? breaks : []));
		const clauses = suite(some.make).map(({ clause }) => clause);
		expect(clauses.filter((clause) => !alone.includes(clause))).toEqual([]);
	});
}
