// `reelkeep copy`: moves a store to another place, or from a disk to PostgreSQL and back; beside a running server too.

import { type FsKeyCopy, readFsKeyCopy } from "@reelkeep/storage-fs";
import { type CopyConfig, copyConfig } from "./copy-config.js";
import type { CopyFlags } from "./copy-options.js";
import { createCopyProgress } from "./copy-progress.js";
import { openCopySource } from "./copy-source.js";
import { type CopyReport, copyStore } from "./copy-store.js";
import { openCopyTarget } from "./copy-target.js";
import { copyToJson, copyToText, type KeysOutcome, summaryText } from "./copy-words.js";
import { openLog } from "./logging.js";
import { printLines } from "./output.js";
import { chooseProgress, openProgressDisplay, type ProgressDisplay } from "./progress-display.js";
import { abortOnSignal, exitCodeOf } from "./stopping.js";

/** Some videos are not in the copy as their receipts say. */
const EXIT_LACKING = 1;

/**
 * Resolves with the exit code. A signal breaks it off; a second one ends the process.
 * *Errors*: throws a `UsageError`; rejects with a `StoreFault` or a `KeyringFault`.
 */
export async function copy(flags: CopyFlags, environment: NodeJS.ProcessEnv): Promise<number> {
	const config = copyConfig(flags, environment);
	const signal = abortOnSignal();
	const kind = chooseProgress(flags, process.stderr, environment);
	const display = await openProgressDisplay(kind, summaryText);
	const logger = openLog(flags.logLevel, kind, display);
	let report: CopyReport;
	let keys: FsKeyCopy | undefined;
	try {
		keys = config.keys && (await readFsKeyCopy(config.keys));
		report = await copyBetween(config, { logger, display, signal, keys });
	} catch (error) {
		if (!signal.aborted) throw error;
		display.stop();
		process.stderr.write("reelkeep: the copy is not whole; run the same command again, and it goes on\n");
		return exitCodeOf(signal.reason);
	} finally {
		display.stop();
	}
	const outcome: KeysOutcome = keys === undefined ? "none" : keys.isThere ? "there" : "copied";
	await printLines(flags.json ? [copyToJson(config, report, outcome)] : copyToText(config, report, outcome));
	return (report.videos?.lacking ?? 0) > 0 ? EXIT_LACKING : 0;
}

interface Running {
	readonly logger: Parameters<typeof openCopySource>[1];
	readonly display: ProgressDisplay;
	readonly signal: AbortSignal;
	readonly keys: FsKeyCopy | undefined;
}

async function copyBetween(config: CopyConfig, running: Running): Promise<CopyReport> {
	const { logger, display, signal, keys } = running;
	// The source first: where there is none, nothing is made.
	const source = await openCopySource(config.from, logger);
	try {
		const target = await openCopyTarget(config, logger);
		try {
			const progress = createCopyProgress(display, signal);
			return await copyStore({ source, target, keys, progress, signal });
		} finally {
			await target.close();
		}
	} finally {
		await source.close();
	}
}
