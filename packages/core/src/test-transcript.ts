// For this package's tests only: what a test hears goes to the folder that is searched for leaks when the run ends.
// `@reelkeep/testing` has the same for other packages; the core cannot depend on it, since it depends on the core.

import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";

/** Keeps one thing that the core said. */
export function transcribe(...said: readonly unknown[]): void {
	const folder = process.env.REELKEEP_TEST_TRANSCRIPT;
	if (folder === undefined || folder === "") return;
	mkdirSync(folder, { recursive: true });
	appendFileSync(join(folder, `core-${process.pid}.log`), `${format("%o", said)}\n`);
}
