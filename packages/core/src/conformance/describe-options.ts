// What the bindings to test runners have in common: how a case becomes a test, and when a skip is no excuse.

import { assert, type ConformanceCase } from "./case.js";

export interface DescribeOptions {
	/**
	 * The clauses that are skipped, exactly: another that is not supported fails, and so does one of these that passes.
	 * `[]`: none. Default: any clause that the implementation says it does not support, but not all of them.
	 */
	readonly skips?: readonly string[];
	/** Milliseconds that one clause may take. Default: 30 seconds, many times what a database across a network needs. */
	readonly timeoutMs?: number;
}

/** What a runner registers: one test for each case, and one that looks at all of them. */
export interface ConformanceTest {
	readonly name: string;
	/** Resolves with why the test is skipped, or `undefined` when it passed; rejects when it failed. */
	run(): Promise<string | undefined>;
}

/** What a binding brings: how its runner groups tests and makes one. */
export interface Runner {
	describe(title: string, body: () => void): void;
	test(
		name: string,
		options: { readonly timeout: number },
		body: (context: { skip(reason: string): void }) => Promise<void>,
	): void;
}

/** Registers the tests of `cases` with a runner. *Errors*: as `conformanceTests`. */
export function registerConformance(
	runner: Runner,
	title: string,
	cases: readonly ConformanceCase[],
	options: DescribeOptions,
): void {
	const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
	const tests = conformanceTests(cases, options);
	runner.describe(title, () => {
		for (const { name, run } of tests) {
			runner.test(name, { timeout }, async (context) => {
				const reason = await run();
				if (reason !== undefined) context.skip(reason);
			});
		}
	});
}

/** *Errors*: throws a `TypeError` when there are no cases, two of one clause, or a skip that names none. */
export function conformanceTests(
	cases: readonly ConformanceCase[],
	{ skips }: DescribeOptions,
): readonly ConformanceTest[] {
	checkCases(cases, skips ?? []);
	let passed = 0;
	let skipped = 0;
	const tests = cases.map(({ clause, name, run }) => ({
		name: `${clause}: ${name}`,
		async run() {
			const result = await run();
			checkSkip(clause, result, skips);
			if (result === "passed") {
				passed += 1;
				return undefined;
			}
			skipped += 1;
			return "the implementation says that it does not support this";
		},
	}));
	const notAllSkipped = {
		name: "is held to some clause: not all of them are skipped",
		async run() {
			assert(passed > 0 || skipped < cases.length, "the implementation supports nothing that was checked");
			return undefined;
		},
	};
	return [...tests, notAllSkipped];
}

/** In milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;

function checkSkip(clause: string, result: "passed" | "not-supported", skips?: readonly string[]): void {
	if (skips === undefined) return;
	const isListed = skips.includes(clause);
	assert(result === "passed" || isListed, `${clause} is not supported, and no skip of it is expected`);
	assert(result !== "passed" || !isListed, `${clause} passes: take it out of the skips that are expected`);
}

function checkCases(cases: readonly ConformanceCase[], skips: readonly string[]): void {
	const clauses = cases.map(({ clause }) => clause);
	if (clauses.length === 0) throw new TypeError("a suite has at least one case");
	const double = clauses.find((clause, index) => clauses.indexOf(clause) !== index);
	if (double !== undefined) throw new TypeError(`two cases of the clause ${double}`);
	const unknown = skips.find((skip) => !clauses.includes(skip));
	if (unknown !== undefined) throw new TypeError(`no case of the clause ${unknown}, which is to be skipped`);
}
