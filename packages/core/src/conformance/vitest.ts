// Runs conformance cases as tests of vitest.

import { describe, test } from "vitest";
import type { ConformanceCase } from "./case.js";
import { type DescribeOptions, registerConformance } from "./describe-options.js";

export type { DescribeOptions } from "./describe-options.js";

/**
 * Registers one test for each case, `<clause>: <name>`, under `title`; what is not supported is shown as skipped.
 * *Errors*: throws a `TypeError` when there are no cases, two of one clause, or a skip that names none.
 * *Promise*: a suite of which everything is skipped fails.
 */
export function describeConformance(
	title: string,
	cases: readonly ConformanceCase[],
	options: DescribeOptions = {},
): void {
	registerConformance({ describe, test }, title, cases, options);
}
