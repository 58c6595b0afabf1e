// Copies a store to another directory while its owner writes on, so that the copy is one that the store might have been.
// The order of reading makes it so: checkpoints, then the log, then videos. The order of writing keeps it so at any
// time: videos, then the log, then checkpoints.

import { resolve } from "node:path";
import { type Clock, isKeyringFault, type Position, storeFault, toPosition } from "@reelkeep/core/ports";
import { type Checkpoints, readStoredCheckpoints, writeCheckpoints } from "./backup-checkpoints.js";
import { duringRead } from "./backup-files.js";
import { readKeysToCopy, writeKeys } from "./backup-keys.js";
import { findPresentSegments, type LogCopy, publishLog, stageLog } from "./backup-log.js";
import { beginBackup, finishBackup, holdsBackup } from "./backup-manifest.js";
import { type BackupProgress, createMeter } from "./backup-meter.js";
import { refuseInside } from "./backup-place.js";
import { loadLogToCopy } from "./backup-source.js";
import { copyVideos, measureVideos, refuseToLoseVideos, removeGoneVideos } from "./backup-videos.js";
import { makeDurableDirectory, syncAncestors, toFault } from "./durable-files.js";
import { type FileSystem, hasCode } from "./file-system.js";
import { requireLog } from "./log-files.js";
import { createNodeFileSystem } from "./node-file-system.js";
import type { Owned, Ownership } from "./ownership.js";
import { createSegmentFiles, type SegmentFiles } from "./segment-files.js";
import { createSocketOwnership } from "./socket-ownership.js";

export interface BackupOptions {
	/** The data directory; its owner may run. */
	readonly directory: string;
	/** Where the copy goes: nothing, an empty directory, or an earlier backup of the same store, which is brought up to date. */
	readonly to: string;
	/** Default true. */
	readonly videos?: boolean;
	/** A key file that is copied too, to where the copy looks for its keys. Default: none is. */
	readonly keyFile?: string;
	/** Called after each piece. Must not throw. */
	readonly onProgress?: (progress: BackupProgress) => void;
	/** Ends the backup; run again, it goes on. */
	readonly signal?: AbortSignal;
	/** Default: the machine's. */
	readonly clock?: Pick<Clock, "now">;
	/** Default: the machine's. Both directories are on it. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in each directory. */
	readonly ownership?: Ownership;
}

export interface BackupReport {
	/** UTC milliseconds: everything that was acknowledged before is in the copy. */
	readonly takenAt: number;
	/** Of the last event in the copy; `"0"` when there is none. */
	readonly position: Position;
	readonly segments: number;
	readonly checkpoints: number;
	/** `undefined`: they were left out. */
	readonly videos: number | undefined;
	/** Of log and videos in the copy. */
	readonly bytes: number;
	/** Of them, what was copied now; the rest was there. */
	readonly copiedBytes: number;
	/** Videos that were in the earlier backup and are gone from the store. */
	readonly removedVideos: number;
}

/**
 * Copies the store in `directory` to `to`. Nothing of the store is changed; the copy is a data directory.
 * *Errors*: rejects with a `StoreFault`: `corrupt` when what is read is not what was written, `owned` while a process uses
 * `to`, `io`, also for a `to` that must not be written (it says why); with a `KeyringFault` for the key file; with the
 * signal's reason.
 * *Promise*: the copy has every event that was acknowledged before the call, and none that a running owner had not made
 * durable; no checkpoint ahead of its log; every video that an event in it tells of. All of it is durable, and
 * `backup.json` is there, when it resolves. Cut short, there is no `backup.json`, and the same call goes on.
 */
export async function backupFsStorage(options: BackupOptions): Promise<BackupReport> {
	const settled = settleOptions(options);
	const { directory, to, fileSystem, ownership, clock, signal } = settled;
	const files = createSegmentFiles(fileSystem, directory);
	let owned: Owned | undefined;
	try {
		signal?.throwIfAborted();
		await requireLog(fileSystem, directory);
		await refuseInside(directory, to);
		await holdsBackup(fileSystem, to);
		await makeDurableDirectory(fileSystem, to);
		await syncAncestors(fileSystem, to);
		// Neither a server nor another backup writes there meanwhile.
		owned = await ownership.acquire(to, clock.now());
		return await copyStore(settled, files);
	} catch (error) {
		if (isKeyringFault(error) || (signal?.aborted === true && error === signal.reason)) throw error;
		throw explain(error, to);
	} finally {
		await files.close();
		await owned?.release();
	}
}

type Settled = BackupOptions & Required<Pick<BackupOptions, "videos" | "clock" | "fileSystem" | "ownership">>;

function settleOptions(options: BackupOptions): Settled {
	return {
		...options,
		directory: resolve(options.directory),
		to: resolve(options.to),
		videos: options.videos ?? true,
		clock: options.clock ?? { now: Date.now },
		fileSystem: options.fileSystem ?? createNodeFileSystem(),
		ownership: options.ownership ?? createSocketOwnership(),
	};
}

/** What could not be read says so itself. */
function explain(error: unknown, to: string): unknown {
	if (!hasCode(error, "ENOSPC", "EDQUOT")) return toFault(error, `writing the backup to ${to}`);
	const message = `there is no room for the backup in ${to}: make room and run it again, it goes on where it stopped`;
	return storeFault("io", message, { cause: error });
}

async function copyStore(settled: Settled, files: SegmentFiles): Promise<BackupReport> {
	const { fileSystem, directory, to, videos, keyFile, clock } = settled;
	const takenAt = clock.now();
	const { checkpoints, log } = await readState(settled, files);
	const keys = await readKeysToCopy(fileSystem, keyFile, to);
	const { index } = log.source;
	const video = { fileSystem, directory, to };
	await refuseToLoseVideos(video, videos);
	const logBytes = index.segments.reduce((sum, { bytes }) => sum + bytes, 0);
	const videoBytes = videos ? await measureVideos(fileSystem, directory) : 0;
	const meter = createMeter(logBytes + videoBytes, settled);

	await beginBackup(fileSystem, to);
	await stageLog(log, meter);
	const videoCount = videos ? await copyVideos(video, meter) : undefined;
	if (keys !== undefined) await writeKeys(fileSystem, to, keys);
	await publishLog(log);
	await writeCheckpoints(fileSystem, to, checkpoints);
	const removedVideos = videos ? await removeGoneVideos(video) : 0;
	const counts = {
		takenAt,
		position: toPosition(index.position),
		segments: index.segments.length,
		checkpoints: checkpoints.size,
		bytes: meter.doneBytes,
	};
	await finishBackup(fileSystem, to, {
		...counts,
		segmentBytes: index.active.bytes,
		videos: videoCount ?? null,
		keys: keys !== undefined,
	});
	return { ...counts, videos: videoCount, copiedBytes: meter.copiedBytes, removedVideos };
}

interface State {
	readonly checkpoints: Checkpoints;
	readonly log: LogCopy;
}

/** Checkpoints before the log: a subscription may have finished only what was durable by then. */
async function readState(
	{ directory, to, fileSystem, ownership }: Settled,
	files: SegmentFiles,
): Promise<State> {
	return duringRead(`reading the event store in ${directory}`, async () => {
		const checkpoints = await readStoredCheckpoints(fileSystem, directory);
		const index = await loadLogToCopy({ fileSystem, directory, files }, ownership);
		const source = { fileSystem, directory, files, index };
		const present = await findPresentSegments(source, to);
		return { checkpoints, log: { source, to, present } };
	});
}
