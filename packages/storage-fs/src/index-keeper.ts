// Saves the index files of a log: those of complete segments while it is written, that of the last one when it is closed.

import type { Logger } from "@reelkeep/core/ports";
import type { FileSystem } from "./file-system.js";
import { saveIndexFile } from "./index-file.js";
import { checksumOf } from "./log-format.js";
import type { LogIndex } from "./log-index.js";
import type { SegmentFiles } from "./segment-files.js";
import type { SegmentIndex } from "./segment-index.js";
import { shareRuns } from "./share-runs.js";

export interface IndexSource {
	readonly fileSystem: FileSystem;
	readonly directory: string;
	readonly files: Pick<SegmentFiles, "read">;
	readonly index: LogIndex;
}

export interface IndexKeeper {
	/** Saves, in the background, what has not been saved of complete segments. */
	saveSealed(): void;
	/**
	 * Waits for that, and saves the rest; resolves with whether the last segment's was saved. Never rejects: without an
	 * index file the next open reads the segment.
	 */
	close(): Promise<boolean>;
}

export function createIndexKeeper(source: IndexSource, logger: Logger | undefined): IndexKeeper {
	const saveSealed = shareRuns(async () => {
		await attemptSaving(logger, () => saveSealedIndexes(source));
	});
	return {
		saveSealed: () => void saveSealed(),
		async close() {
			await saveSealed();
			return attemptSaving(logger, () => saveIndex(source, source.index.active));
		},
	};
}

/** Resolves with whether it succeeded: without an index file the next open reads the segment. */
export async function attemptSaving(logger: Logger | undefined, work: () => Promise<void>): Promise<boolean> {
	try {
		await work();
		return true;
	} catch (error) {
		logger?.warn(
			{ err: error },
			"could not save an index of the event log; the next open reads the log instead",
		);
		return false;
	}
}

/** Saves the index of every complete segment that has not been saved yet. */
export async function saveSealedIndexes(source: IndexSource): Promise<void> {
	const { index } = source;
	for (const segment of index.segments) {
		// While one is saved, others may become complete, and there may be another active one.
		if (segment === index.active || segment.columns() === undefined) continue;
		await saveIndex(source, segment);
		segment.forgetHashes();
	}
}

/** Saves the index of one segment, of which everything is durable. */
export async function saveIndex(source: IndexSource, segment: SegmentIndex): Promise<void> {
	const { fileSystem, directory, files, index } = source;
	const columns = segment.columns();
	if (columns === undefined) return;
	const lastChecksum = segment.count === 0 ? "" : checksumOf(await lastLine(files, segment));
	await saveIndexFile(fileSystem, directory, segment, { key: index.hashKey, lastChecksum, columns });
}

/** Without its newline. */
async function lastLine(files: IndexSource["files"], segment: SegmentIndex): Promise<Buffer> {
	const { lastPosition } = segment;
	const lines = await files.read(
		segment.segment,
		segment.offsetOf(lastPosition),
		segment.endOf(lastPosition) - 1,
	);
	// Behind the last event a line may stand that tells of no lost one.
	return lines.subarray(lines.lastIndexOf("\n") + 1);
}
