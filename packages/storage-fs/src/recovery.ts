// Opens the log for writing: cuts a torn tail, makes durable what it found, saves what the next open can use.

import { join } from "node:path";
import { type Logger, storeFault } from "@reelkeep/core/ports";
import { PARTIAL_NAME } from "./backup-manifest.js";
import { makeDurableDirectory, readRange, sizeIfPresent, unlinkIfPresent } from "./durable-files.js";
import type { FileSystem, OpenFile } from "./file-system.js";
import { attemptSaving, saveIndex, saveSealedIndexes } from "./index-keeper.js";
import { type LoadedLog, type LogSource, loadLog } from "./load-log.js";
import { createSegment, eventsDirectory, findSegments, segmentName, segmentPath } from "./log-files.js";
import type { LogIndex } from "./log-index.js";

const FIRST_SEGMENT = { segment: 1, firstPosition: 1 };
/** What a step that a crash cut short has left; and a file of the time before index files. */
const LEFTOVER = /\.new$|^synced\.json$/;
const REWRITE_CHUNK_BYTES = 1024 * 1024;

/** A log that is ready: everything in `index` is durable, and the active segment's file ends where the index does. */
export interface RecoveredLog {
	readonly file: OpenFile;
	readonly index: LogIndex;
}

/** Opens the log of the data directory, or makes one. The caller owns the directory. */
export async function recoverLog(source: LogSource, logger: Logger | undefined): Promise<RecoveredLog> {
	const { fileSystem, directory, files } = source;
	const events = eventsDirectory(directory);
	await makeDurableDirectory(fileSystem, events);
	await removeLeftovers(fileSystem, events);
	if ((await findSegments(fileSystem, directory)).last === 0) {
		await refuseHalfBackup(fileSystem, directory);
		await createSegment(fileSystem, directory, FIRST_SEGMENT);
	}
	const loaded = await loadLog(source);
	const { index, scanned } = loaded;
	const file = await fileSystem.open(segmentPath(directory, index.active.segment), "write-through");
	try {
		await settleTail(file, loaded, logger);
		// Also for a segment that was there: whoever made it may have crashed before this.
		await fileSystem.syncDirectory(events);
		for (const segment of index.segments) {
			// Its index file has them.
			if (segment !== index.active && !scanned.includes(segment.segment)) segment.forgetHashes();
		}
		const indexes = { fileSystem, directory, files, index };
		// A full disk is no reason not to start.
		await attemptSaving(logger, async () => {
			await saveSealedIndexes(indexes);
			if (scanned.includes(index.active.segment)) await saveIndex(indexes, index.active);
		});
		return { file, index };
	} catch (error) {
		await file.close();
		throw error;
	}
}

/** A backup that was cut short before it had a log is no new store. */
async function refuseHalfBackup(fileSystem: FileSystem, directory: string): Promise<void> {
	if ((await sizeIfPresent(fileSystem, join(directory, PARTIAL_NAME))) === undefined) return;
	throw storeFault(
		"io",
		`${directory} is a backup that was cut short (${PARTIAL_NAME}): run the same backup again, or use another directory`,
		{ retryable: false },
	);
}

async function removeLeftovers(fileSystem: FileSystem, events: string): Promise<void> {
	for (const name of await fileSystem.list(events)) {
		if (LEFTOVER.test(name)) await unlinkIfPresent(fileSystem, join(events, name));
	}
}

async function settleTail(
	file: OpenFile,
	{ index, bytes, lastBatchAt }: LoadedLog,
	logger: Logger | undefined,
): Promise<void> {
	const { segment, bytes: end } = index.active;
	await rewrite(file, lastBatchAt, end);
	if (bytes > end) {
		await file.truncate(end);
		const cut = { segment: segmentName(segment), offset: end, bytesCut: bytes - end };
		logger?.warn(
			cut,
			"the event log ended in an unfinished append, which was cut; nobody had been told of it",
		);
	}
	await file.datasync();
}

/**
 * Writes the same bytes again. After a failed sync Linux takes the pages for clean, so that a second sync succeeds
 * without writing them; only a page that is dirty again reaches the disk.
 */
async function rewrite(file: OpenFile, from: number, to: number): Promise<void> {
	for (let offset = from; offset < to; offset += REWRITE_CHUNK_BYTES) {
		await file.write(await readRange(file, offset, Math.min(offset + REWRITE_CHUNK_BYTES, to)), offset);
	}
}
