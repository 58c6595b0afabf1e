// Opens the log for writing: finds its end, cuts a torn tail, refuses damage, makes durable what it found.

import { join } from "node:path";
import type { Logger } from "@reelkeep/core/ports";
import { makeDurableDirectory, readRange, readSmallFile, replaceFile } from "./durable-files.js";
import type { FileSystem, OpenFile } from "./file-system.js";
import { LogIndex } from "./log-index.js";
import { type ScanResult, scanLog } from "./log-scan.js";
import {
	checkHeader,
	corruptAt,
	createSegment,
	eventsDirectory,
	FIRST_SEGMENT,
	listSegments,
	openSegment,
	segmentName,
	type Watermark,
} from "./log-segment.js";

const MAX_SYNCED_FILE_BYTES = 4096;
const REWRITE_CHUNK_BYTES = 1024 * 1024;

/** A log that is ready: everything in `index` is durable, and the file ends where the index does. */
export interface RecoveredLog {
	readonly file: OpenFile;
	readonly index: LogIndex;
	/** In words: the log is shorter than when it was last closed. */
	readonly loss: string | undefined;
}

/** Opens the log of the data directory, or makes one. The caller owns the directory. */
export async function recoverLog(
	fileSystem: FileSystem,
	directory: string,
	logger: Logger | undefined,
): Promise<RecoveredLog> {
	await makeDurableDirectory(fileSystem, eventsDirectory(directory));
	if ((await listSegments(fileSystem, directory)).length === 0) {
		await createSegment(fileSystem, directory, { segment: FIRST_SEGMENT, firstPosition: 1 });
	}
	const file = await openSegment(fileSystem, directory, "update");
	try {
		const index = new LogIndex(await checkHeader(file, FIRST_SEGMENT));
		const loss = await recoverSegment(file, index, await loadSynced(fileSystem, directory), logger);
		// Also for a segment that was there: whoever made it may have crashed before this.
		await fileSystem.syncDirectory(eventsDirectory(directory));
		await saveSynced(fileSystem, directory, watermarkOf(index));
		return { file, index, loss };
	} catch (error) {
		await file.close();
		throw error;
	}
}

/** The end of what an index holds. */
export function watermarkOf(index: LogIndex): Watermark {
	return { segment: FIRST_SEGMENT, bytes: index.bytes, position: index.position };
}

async function recoverSegment(
	file: OpenFile,
	index: LogIndex,
	synced: Watermark | undefined,
	logger: Logger | undefined,
): Promise<string | undefined> {
	const { bytes } = await file.status();
	const scan = await scanLog(file, index, bytes);
	refuseDamage(scan, index.position, bytes, synced);
	if (synced === undefined || synced.bytes !== index.bytes)
		await rewrite(file, scan.lastBatchAt, index.bytes);
	if (bytes > index.bytes) {
		await file.truncate(index.bytes);
		const cut = { segment: segmentName(FIRST_SEGMENT), offset: index.bytes, bytesCut: bytes - index.bytes };
		logger?.warn(
			cut,
			"the event log ended in an unfinished append, which was cut; nobody had been told of it",
		);
	}
	await file.datasync();
	if (synced !== undefined && synced.bytes > index.bytes) {
		const lost = { durableBytes: synced.bytes, foundBytes: bytes, foundEvents: index.position };
		const loss = "the event log is shorter than it was when it was last closed: something else cut it";
		logger?.error(lost, loss);
		return loss;
	}
	return undefined;
}

/** Damage within what is known to have been durable is no torn tail. `position`: of the last sound event. */
export function refuseDamage(
	scan: ScanResult,
	position: number,
	bytes: number,
	synced: Watermark | undefined,
): void {
	if (scan.unsoundAt === undefined) return;
	const wasClosedWhole = synced !== undefined && bytes >= synced.bytes && position < synced.position;
	if (scan.synced <= position && !wasClosedWhole) return;
	throw corruptAt(
		FIRST_SEGMENT,
		scan.unsoundAt,
		`the event at position ${position + 1} is not what was written`,
	);
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

/** Keeps a lower bound of what is durable, for the next open. */
export async function saveSynced(
	fileSystem: FileSystem,
	directory: string,
	watermark: Watermark,
): Promise<void> {
	const saved = await loadSynced(fileSystem, directory);
	if (saved?.bytes === watermark.bytes && saved.position === watermark.position) return;
	await replaceFile(fileSystem, syncedFile(directory), `${JSON.stringify(watermark)}\n`);
}

/** What the last close or recovery knew to be durable; `undefined` when that is not known. */
export async function loadSynced(fileSystem: FileSystem, directory: string): Promise<Watermark | undefined> {
	const text = await readSmallFile(fileSystem, syncedFile(directory), MAX_SYNCED_FILE_BYTES);
	if (text === undefined) return undefined;
	try {
		const { segment, bytes, position } = JSON.parse(text) as Partial<Watermark>;
		if (segment !== FIRST_SEGMENT || !Number.isSafeInteger(bytes) || !Number.isSafeInteger(position))
			return undefined;
		return { segment, bytes: bytes as number, position: position as number };
	} catch {
		return undefined; // Only a help: without it the log itself still tells.
	}
}

function syncedFile(directory: string): string {
	return join(eventsDirectory(directory), "synced.json");
}
