import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TRANSCRIPT_VARIABLE } from "../packages/harness/src/transcript.ts";

/** Gives the whole run one transcript folder; the reporter searches it at the end. */
export function setup(): void {
	process.env[TRANSCRIPT_VARIABLE] ??= mkdtempSync(join(tmpdir(), "reelkeep-transcript-"));
}

export function teardown(): void {
	const folder = process.env[TRANSCRIPT_VARIABLE];
	if (folder !== undefined && process.env.REELKEEP_KEEP_TRANSCRIPT === undefined) {
		rmSync(folder, { recursive: true, force: true });
	}
}
