import { existsSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import { findTranscriptLeaks, TRANSCRIPT_VARIABLE } from "../packages/harness/src/transcript.ts";

/** Ends a run with the plain line `N passed, N failed, N skipped`. A leak found in the transcript is a failure. */
export class PlainCount implements Reporter {
	onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>): void {
		let passed = 0;
		let failed = errors.length;
		let skipped = 0;
		for (const module of modules) {
			failed += module.errors().length;
			for (const test of module.children.allTests()) {
				const { state } = test.result();
				if (state === "passed") passed += 1;
				else if (state === "failed") failed += 1;
				else skipped += 1;
			}
		}
		const folder = process.env[TRANSCRIPT_VARIABLE];
		if (folder !== undefined && existsSync(folder)) {
			const leaks = findTranscriptLeaks(folder);
			for (const leak of leaks) console.error(`leak in what the tests made Reelkeep say: ${leak}`);
			failed += leaks.length;
			if (leaks.length > 0) process.exitCode = 1;
		}
		console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
	}
}
