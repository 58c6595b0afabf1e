// Builds the index of a log: from index files as far as they reach, and from the segments themselves behind that. Changes
// nothing on the disk.

import { randomBytes } from "node:crypto";
import { readDurableNote } from "./durable-note.js";
import type { FileSystem } from "./file-system.js";
import { type IndexFile, loadIndexFile } from "./index-file.js";
import {
	checkHeader,
	countSegments,
	damagedAt,
	describePositions,
	readHeader,
	type Watermark,
} from "./log-files.js";
import { checksumOf, isSound } from "./log-format.js";
import { LogIndex } from "./log-index.js";
import { type Damage, scanSegment } from "./log-scan.js";
import type { SegmentFiles } from "./segment-files.js";
import { createStreamHasher, HASH_KEY_BYTES } from "./stream-hash.js";
import { findHead } from "./stream-head.js";

const NEWLINE = 0x0a;

export interface LogSource {
	readonly fileSystem: FileSystem;
	readonly directory: string;
	readonly files: SegmentFiles;
}

export interface LoadedLog {
	/** Everything that is sound, up to the end or to a torn tail. */
	readonly index: LogIndex;
	/** How many bytes the last segment's file has. */
	readonly bytes: number;
	/** The last position that something proves to be durable: a later record, an index file, the next segment. */
	readonly proven: number;
	/** Where the records start that nothing proves to have been durable; the index's end when all are proved. */
	readonly lastBatchAt: number;
	/** The segments of which more was read than their index file told. */
	readonly scanned: readonly number[];
}

/**
 * *Shape*: `upTo`: what a live owner says to be durable; nothing behind it is read.
 * *Errors*: rejects with a `StoreFault` `corrupt`, which names segment, byte and events, or with the system's error.
 */
export async function loadLog(source: LogSource, upTo?: Watermark): Promise<LoadedLog> {
	const { fileSystem, directory } = source;
	// Before the segments: what an owner that comes meanwhile notes may lie behind what is read.
	const noted = upTo === undefined ? await readDurableNote(fileSystem, directory) : 0;
	const count = upTo?.segment ?? (await countSegments(fileSystem, directory));
	const key = (await findKey(source, count)) ?? randomBytes(HASH_KEY_BYTES).toString("hex");
	const index = new LogIndex(createStreamHasher(key));
	const scanned: number[] = [];
	let last: LoadedSegment = { bytes: 0, proven: 0, lastBatchAt: 0, wasScanned: false };
	for (let segment = 1; segment <= count; segment += 1) {
		last = await loadSegment(source, index, segment === count ? "last" : "sealed", upTo, noted);
		if (last.wasScanned) scanned.push(segment);
	}
	const { bytes, proven, lastBatchAt } = last;
	return { index, bytes, proven, lastBatchAt, scanned };
}

/** Adds what the live owner says to be durable by now. *Errors*: as `loadLog`. */
export async function extendLog(source: LogSource, index: LogIndex, upTo: Watermark): Promise<void> {
	if (index.position >= upTo.position) return;
	while (index.active.segment < upTo.segment) {
		await scanRest(source, index, "sealed");
		await loadSegment(source, index, index.active.segment + 1 === upTo.segment ? "last" : "sealed", upTo);
	}
	await scanRest(source, index, "last", upTo);
}

type Place = "sealed" | "last";

interface LoadedSegment {
	readonly bytes: number;
	readonly proven: number;
	readonly lastBatchAt: number;
	readonly wasScanned: boolean;
}

/** The key of the hashes in the index files; `undefined` when no file can be used. */
export async function findKey(
	{ fileSystem, directory }: LogSource,
	segments: number,
): Promise<string | undefined> {
	for (let segment = 1; segment <= segments; segment += 1) {
		const file = await loadIndexFile(fileSystem, directory, segment);
		if (file !== undefined) return file.key;
	}
	return undefined;
}

async function loadSegment(
	source: LogSource,
	index: LogIndex,
	place: Place,
	upTo: Watermark | undefined,
	noted = 0,
): Promise<LoadedSegment> {
	const { fileSystem, directory, files } = source;
	const segment = index.segments.length + 1;
	const firstPosition = index.position + 1;
	const headerBytes = await files.use(segment, (file) => checkHeader(file, { segment, firstPosition }));
	index.startSegment(headerBytes);
	const indexFile = await loadIndexFile(fileSystem, directory, segment);
	const isOurs = indexFile?.firstPosition === firstPosition;
	if (isOurs && indexFile.key === index.hashKey && (await belongsTo(source, segment, indexFile))) {
		index.adopt(indexFile.columns, indexFile.bytes);
	}
	// It was written once its events were durable: also one that reaches further than the file tells what was there.
	// A live owner says so itself; what it saves meanwhile may reach further than what is read.
	const indexed = isOurs && upTo === undefined ? firstPosition + indexFile.columns.offsets.length - 1 : 0;
	return scanRest(source, index, place, upTo, Math.max(indexed, place === "last" ? noted : 0));
}

/** Whether the last line that an index file tells of stands in the segment. */
async function belongsTo({ files }: LogSource, segment: number, file: IndexFile): Promise<boolean> {
	const last = file.columns.offsets.at(-1);
	if (last === undefined) return true;
	const line = await files.read(segment, last, file.bytes);
	// Behind the last event a line may stand that tells of no lost one.
	const record = line.subarray(line.lastIndexOf(NEWLINE, -2) + 1, -1);
	const isLine = line.length === file.bytes - last && line.at(-1) === NEWLINE;
	return isLine && isSound(record) && checksumOf(record) === file.lastChecksum;
}

async function scanRest(
	source: LogSource,
	index: LogIndex,
	place: Place,
	upTo?: Watermark,
	durable = 0,
): Promise<LoadedSegment> {
	const { files } = source;
	const { active } = index;
	const from = active.bytes;
	const { segment } = active;
	const { bytes } = await files.use(segment, (file) => file.status());
	const to = upTo?.segment === segment ? Math.max(from, upTo.bytes) : bytes;
	if (to > from) {
		const scan = await files.use(segment, (file) =>
			scanSegment({ file, index, to, findHead: (stream) => findHead({ index, files }, stream) }),
		);
		const [damage] = scan.damages;
		const known = place === "sealed" && damage !== undefined ? await lastOf(source, segment) : durable;
		refuseDamage(index, damage, place, Math.max(known, scan.synced));
		if (upTo?.segment === segment && active.bytes < to) {
			throw damagedAt(segment, active.bytes, "what its owner told to be durable is not what was written");
		}
		const proven = Math.max(scan.synced, durable, active.firstPosition - 1);
		return { bytes, proven, lastBatchAt: scan.lastBatchAt, wasScanned: true };
	}
	refuseDamage(index, undefined, place, durable);
	return { bytes, proven: index.position, lastBatchAt: from, wasScanned: false };
}

/** The last position of a complete segment, as the next one's header tells it; 0 when that is damaged too. */
async function lastOf({ files }: LogSource, segment: number): Promise<number> {
	const next = await files.use(segment + 1, (file) => readHeader(file, segment + 1));
	return (next?.firstPosition ?? 1) - 1;
}

/** Damage within what is known to have been durable is no torn tail. `durable`: the last position that is known to be. */
function refuseDamage(index: LogIndex, damage: Damage | undefined, place: Place, durable: number): void {
	const { segment } = index.active;
	if (damage === undefined) {
		// What a sealed segment lacks at its end, the next one's header tells.
		if (place === "sealed" || durable <= index.position) return;
		throw damagedAt(segment, undefined, `${describePositions(index.position + 1, durable)} should follow`);
	}
	if (place === "last" && damage.first > durable) return;
	throw damagedAt(segment, damage.from, describeDamage(damage, durable));
}

/** `durable`: the last position that is known to have been there; where no sound line follows, damage reaches that far. */
function describeDamage({ first, last }: Damage, durable: number): string {
	const end = last ?? durable;
	if (end < first) return "bytes stand here that belong to no event";
	return `${describePositions(first, end)} cannot be read`;
}
