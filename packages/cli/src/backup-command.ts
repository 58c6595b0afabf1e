// `reelkeep backup`: a consistent copy of a store, beside the running server too.

import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { type BackupReport, backupFsStorage, KEY_FILE_NAME } from "@reelkeep/storage-fs";
import { requireDirectory, UsageError } from "./flags.js";
import { formatBytes } from "./format-bytes.js";
import { printLines } from "./output.js";
import { slowProgress } from "./slow-progress.js";

export interface BackupFlags {
	readonly data?: string;
	readonly to?: string;
	readonly videos: boolean;
	readonly withKeys: boolean;
	readonly keyFile?: string;
	readonly json: boolean;
}

/** As a shell tells of a process that a signal ended. */
const EXIT_SIGNALLED = 128;

/**
 * Resolves with the exit code. A signal ends it cleanly.
 * *Errors*: throws a `UsageError`; rejects with a `StoreFault` or a `KeyringFault`.
 */
export async function backUp(flags: BackupFlags): Promise<number> {
	const directory = resolve(requireDirectory(flags.data));
	const to = resolve(requireTarget(flags.to));
	const { videos, withKeys } = flags;
	const keyFile = resolve(flags.keyFile || join(directory, KEY_FILE_NAME));
	const stopping = new AbortController();
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort(signal));
	const tell = slowProgress();
	try {
		const report = await backupFsStorage({
			directory,
			to,
			videos,
			...(withKeys ? { keyFile } : {}),
			signal: stopping.signal,
			onProgress: ({ doneBytes, totalBytes }) =>
				tell(() => `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`),
		});
		const place = { directory, to, keyFile, withKeys };
		await printLines(flags.json ? [toJson(report, place)] : toText(report, place));
		return 0;
	} catch (error) {
		const { aborted, reason } = stopping.signal;
		if (!aborted || error !== reason) throw error;
		process.stderr.write("reelkeep: the backup is not whole; run the same command again, and it goes on\n");
		return EXIT_SIGNALLED + constants.signals[reason as NodeJS.Signals];
	}
}

function requireTarget(to: string | undefined): string {
	if (to !== undefined && to !== "") return to;
	throw new UsageError("where to? Give --to DIR: a directory that is empty, or has an earlier backup");
}

interface Place {
	readonly directory: string;
	readonly to: string;
	readonly keyFile: string;
	readonly withKeys: boolean;
}

function toJson(report: BackupReport, { directory, to, keyFile, withKeys }: Place): string {
	const { takenAt, position, segments, checkpoints, videos, bytes, copiedBytes, removedVideos } = report;
	return JSON.stringify({
		takenAt: new Date(takenAt).toISOString(),
		directory,
		to,
		position,
		segments,
		checkpoints,
		videos: videos ?? null,
		bytes,
		copiedBytes,
		removedVideos,
		keys: withKeys,
		keyFile,
	});
}

function* toText(report: BackupReport, { directory, to, keyFile, withKeys }: Place): Generator<string> {
	const { takenAt, position, segments, checkpoints, videos, bytes, copiedBytes, removedVideos } = report;
	yield `${to} is ${directory} as it was at ${new Date(takenAt).toISOString()}`;
	const log = `events up to position ${position} (${count(segments, "segment")})`;
	const kept = videos === undefined ? "no videos" : count(videos, "video");
	yield `${log}, ${count(checkpoints, "checkpoint")}, ${kept}: ${formatBytes(bytes)}, of which ${formatBytes(copiedBytes)} copied now`;
	if (removedVideos > 0) yield `${count(removedVideos, "video")} removed that the store has no longer`;
	yield withKeys ? `the keys are in it: keep it as secret as ${keyFile}` : keyNote(keyFile);
}

function keyNote(keyFile: string): string {
	if (!existsSync(keyFile))
		return `the keys are not in it, nor in ${keyFile}: back up the --key-file of the server, apart`;
	return `the keys are not in it: back up ${keyFile} apart; without it a server does not start on the copy`;
}

function count(number: number, what: string): string {
	return `${number} ${what}${number === 1 ? "" : "s"}`;
}
