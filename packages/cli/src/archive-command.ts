// `reelkeep archive`: keeps what is pending and ends, without receiving anything: file storage and archiver alone.

import { type ArchiverPlugin, type ArchiverSummary, archiver } from "@reelkeep/archiver";
import { createReelkeep, systemClock } from "@reelkeep/core/container";
import { isStoreFault, type Problem, storeFault } from "@reelkeep/core/ports";
import { fsStorage, openFsEventReader } from "@reelkeep/storage-fs";
import { type ArchivingFlags, readArchivingConfig } from "./archive-config.js";
import { drain } from "./archive-drain.js";
import { parseDuration } from "./flag-values.js";
import { toUsageError } from "./flags.js";
import { openLog } from "./logging.js";
import { printable, printLines } from "./output.js";
import {
	chooseProgress,
	type OutputFlags,
	openProgressDisplay,
	type ProgressDisplay,
} from "./progress-display.js";
import { abortOnSignal, exitCodeOf, stopInTime } from "./stopping.js";
import { readStorageConfig, type StorageConfig, type StorageFlags } from "./storage-config.js";

export interface ArchiveFlags extends StorageFlags, ArchivingFlags, OutputFlags {
	readonly wait: string;
	readonly json: boolean;
}

/** Some videos are lost, or not kept yet. */
const EXIT_NOT_ALL = 1;
/** Shorter waits are not worth a line. */
const LONG_WAIT_MS = 2000;

/**
 * Resolves with the exit code. A signal breaks it off; a second one ends the process.
 * *Errors*: rejects with a `UsageError`, a `StoreFault` or a `KeyringFault`.
 */
export async function archive(flags: ArchiveFlags, environment: NodeJS.ProcessEnv): Promise<number> {
	const storage = readStorageConfig(flags, environment);
	const archiving = composeArchiver(flags, environment);
	const patienceMs = parseDuration("--wait", flags.wait);
	const signal = abortOnSignal();
	await requireStore(storage);
	const kind = chooseProgress(flags, process.stderr, environment);
	const display = await openProgressDisplay(kind);
	const logger = openLog(flags.logLevel, kind, display);
	const reelkeep = createReelkeep({ plugins: [fsStorage(storage), archiving], logger });
	reelkeep.notices.on("archiveProgress", display.apply);
	const onWait = kind === "none" ? () => undefined : (summary: ArchiverSummary) => sayWait(summary, display);
	let outcome: Outcome;
	try {
		await reelkeep.start().catch(explainOwner);
		const summary = await drain(archiving, { patienceMs, clock: systemClock, signal, onWait });
		outcome = { summary, problems: await reelkeep.health.check() };
	} finally {
		display.stop();
		// Something holds on past its time: the process must not live on with it.
		if (!(await stopInTime(reelkeep, logger))) process.exit(EXIT_NOT_ALL);
	}
	if (signal.aborted) return sayStopped(signal.reason);
	await printLines(flags.json ? [toJson(outcome)] : toText(outcome));
	return outcome.summary.lost + outcome.summary.waiting > 0 ? EXIT_NOT_ALL : 0;
}

interface Outcome {
	readonly summary: ArchiverSummary;
	/** What is in the way of what is still pending. */
	readonly problems: readonly Problem[];
}

/** A directory that was mistyped is not made. *Errors*: rejects with a `StoreFault`. */
async function requireStore({ directory }: StorageConfig): Promise<void> {
	const reader = await openFsEventReader({ directory });
	await reader.close();
}

/** *Errors*: throws a `UsageError`. */
function composeArchiver(flags: ArchiveFlags, environment: NodeJS.ProcessEnv): ArchiverPlugin {
	const options = readArchivingConfig(flags, environment);
	try {
		return archiver(options);
	} catch (error) {
		throw toUsageError(error);
	}
}

function explainOwner(error: unknown): never {
	if (!isStoreFault(error) || error.reason !== "owned") throw error;
	throw storeFault(
		"owned",
		`${error.message}. If it is reelkeep serve, there is nothing to do: it archives by itself`,
	);
}

function sayWait({ waiting, nextAttemptAt = 0 }: ArchiverSummary, display: ProgressDisplay): void {
	if (nextAttemptAt - Date.now() < LONG_WAIT_MS) return;
	const line = `reelkeep: ${waiting} pending; the next try is due at ${new Date(nextAttemptAt).toISOString()}`;
	display.beside(() => void process.stderr.write(`${line}\n`));
}

function sayStopped(signal: NodeJS.Signals): number {
	process.stderr.write(
		"reelkeep: stopped; what has come of the downloads under way stays: run the same command again, and they go on\n",
	);
	return exitCodeOf(signal);
}

function toJson({ summary, problems }: Outcome): string {
	const { archived, lost, waiting, nextAttemptAt } = summary;
	return JSON.stringify({
		archived,
		lost,
		pending: waiting,
		nextAttemptAt: nextAttemptAt === undefined ? null : new Date(nextAttemptAt).toISOString(),
		problems: problems.map(({ message }) => message),
	});
}

function* toText({ summary, problems }: Outcome): Generator<string> {
	const { archived, lost, waiting, nextAttemptAt } = summary;
	yield `${archived} archived, ${lost} lost, ${waiting} pending`;
	if (lost > 0) {
		yield "lost: `reelkeep recordings` says why of those that are expired or abandoned; a callback with a new link reopens them";
	}
	for (const { message } of problems) yield printable(message);
	if (waiting > 0) {
		const when =
			nextAttemptAt === undefined ? "" : ` (the next try is due at ${new Date(nextAttemptAt).toISOString()})`;
		yield `pending: run the same command again${when}, or let \`reelkeep serve\` go on`;
	}
}
