// The event log of a backup. Segments are copied beside their places, line by line checked, and put there once
// everything that their events tell of is there too: at any time the copy's log is one that the store once had.

import { join } from "node:path";
import type { StoreFault } from "@reelkeep/core/ports";
import { COPY_CHUNK_BYTES, listIfPresent } from "./backup-files.js";
import { refused } from "./backup-manifest.js";
import type { Meter } from "./backup-meter.js";
import { makeDurableDirectory, readRange, unlinkIfPresent, withFile, writeWhole } from "./durable-files.js";
import type { OpenFile } from "./file-system.js";
import { loadIndexFile } from "./index-file.js";
import { type IndexSource, saveIndex } from "./index-keeper.js";
import { eventsDirectory, findSegments, segmentPath } from "./log-files.js";
import { forEachLine, readFrame, readLost } from "./log-format.js";
import type { LogIndex } from "./log-index.js";
import type { SegmentIndex } from "./segment-index.js";
import { damagedEvent } from "./stream-head.js";

/** Names that an owner's start removes: of a segment that is complete, and of one that is being written. */
const STAGED = ".new";
const UNFINISHED = ".part.new";

export interface LogCopy {
	/** The store's log, as far as it is copied. */
	readonly source: IndexSource;
	/** The backup's directory. */
	readonly to: string;
	/** The segments of which the backup has everything already. */
	readonly present: ReadonlySet<number>;
}

/**
 * Which segments need not be copied again.
 * *Errors*: rejects with `io` when the log in `to` is not what the store's log begins with.
 */
export async function findPresentSegments(source: IndexSource, to: string): Promise<ReadonlySet<number>> {
	const { fileSystem, index } = source;
	const { present: found } = await findSegments(fileSystem, to);
	const present = new Set<number>();
	for (const [at, number] of found.entries()) {
		const segment = index.segments[at];
		if (segment === undefined || segment.segment !== number) throw otherLog(source.directory, to);
		const bytes = await commonBytes(source, segment, segmentPath(to, number));
		const isWhole = bytes === segment.bytes;
		if (bytes === undefined || (!isWhole && at < found.length - 1)) throw otherLog(source.directory, to);
		if (isWhole) present.add(number);
	}
	return present;
}

/**
 * The length of a file that holds what the segment begins with: whole lines, of which the header, the first and the last
 * are compared. `undefined`: there is none, or it holds something else.
 */
function commonBytes(
	{ fileSystem, files }: IndexSource,
	segment: SegmentIndex,
	path: string,
): Promise<number | undefined> {
	return withFile(fileSystem, path, async (file) => {
		const { bytes } = await file.status();
		const lines = linesToCompare(segment, bytes);
		for (const [from, to] of lines) {
			const found = await readRange(file, from, to);
			if (!found.equals(await files.read(segment.segment, from, to))) return undefined;
		}
		return lines.length === 0 ? undefined : bytes;
	});
}

/** Where lines stand in the first `bytes` of the segment; none when no line ends there. */
function linesToCompare(segment: SegmentIndex, bytes: number): readonly (readonly [number, number])[] {
	const { headerBytes, firstPosition, count } = segment;
	const header = [0, headerBytes] as const;
	if (bytes === headerBytes) return [header];
	// Lines that stand for no position: there are a few at most.
	if (count === 0) return bytes === segment.bytes ? [header, [headerBytes, bytes]] : [];
	const firstAt = segment.offsetOf(firstPosition);
	if (bytes <= firstAt || bytes > segment.bytes) return [];
	const last = segment.runForward(firstPosition, bytes - firstAt);
	if (segment.endOf(last) !== bytes) return [];
	return [header, [headerBytes, segment.endOf(firstPosition)], [segment.offsetOf(last), bytes]];
}

function otherLog(directory: string, to: string): StoreFault {
	return refused(
		`the events in ${to} are not what the log in ${directory} begins with: it is a backup of another store, or one of ` +
			"the two has gone its own way since (a server ran on the backup; the store was repaired, or restored). Nothing " +
			"was changed; name another directory",
	);
}

/**
 * Copies what is missing beside its place. *Errors*: rejects with `corrupt` when a line is not what was written; with the
 * meter's reason.
 */
export async function stageLog({ source, to, present }: LogCopy, meter: Meter): Promise<void> {
	const { fileSystem, index } = source;
	await makeDurableDirectory(fileSystem, eventsDirectory(to));
	for (const segment of index.segments) {
		const path = segmentPath(to, segment.segment);
		const isPresent = present.has(segment.segment);
		if (isPresent || (await commonBytes(source, segment, path + STAGED)) === segment.bytes) {
			meter.present(segment.bytes);
			continue;
		}
		await writeWhole(fileSystem, path + UNFINISHED, (file) => copySegment(source, segment, file, meter));
		await fileSystem.rename(path + UNFINISHED, path + STAGED);
	}
}

async function copySegment(
	{ index, files }: IndexSource,
	segment: SegmentIndex,
	target: OpenFile,
	meter: Meter,
): Promise<void> {
	const { headerBytes, firstPosition, lastPosition } = segment;
	await target.write(await files.read(segment.segment, 0, headerBytes), 0);
	meter.copied(headerBytes);
	let position = firstPosition;
	for (let from = headerBytes; from < segment.bytes; ) {
		const isIndexed = position <= lastPosition;
		const to = isIndexed ? segment.endOf(segment.runForward(position, COPY_CHUNK_BYTES)) : segment.bytes;
		const bytes = await files.read(segment.segment, from, to);
		position = checkLines(index, position, bytes, to - from);
		await target.write(bytes, from);
		meter.copied(bytes.length);
		from = to;
	}
}

/** Checks whole lines, of which the first is that of `first`; the position behind them. *Errors*: throws `corrupt`. */
function checkLines(index: LogIndex, first: number, bytes: Buffer, length: number): number {
	let position = first;
	const checked = forEachLine(bytes, (line) => {
		const lost = readLost(line);
		const found = lost?.first ?? readFrame(line)?.position;
		if (found !== position) throw damagedEvent(index, position);
		position = (lost?.last ?? position) + 1;
	});
	if (checked === length) return position;
	throw damagedEvent(index, Math.min(position, index.position));
}

/** Puts the segments in their places, and beside each of them its index file. *Promise*: durable when it resolves. */
export async function publishLog({ source, to, present }: LogCopy): Promise<void> {
	const { fileSystem, index } = source;
	const events = eventsDirectory(to);
	for (const { segment } of index.segments) {
		if (present.has(segment)) continue;
		await fileSystem.rename(segmentPath(to, segment) + STAGED, segmentPath(to, segment));
		// Each by itself: a later one must not be there without it.
		await fileSystem.syncDirectory(events);
	}
	for (const segment of index.segments) await putIndex(source, segment, to);
	for (const name of await listIfPresent(fileSystem, events, /\.new$/)) {
		await unlinkIfPresent(fileSystem, join(events, name));
	}
	await fileSystem.syncDirectory(events);
}

/**
 * Gives the copy the index file of a segment, made of what was read. It says that all of the segment was durable, so that
 * a copy whose end is damaged later is refused.
 */
async function putIndex(source: IndexSource, segment: SegmentIndex, to: string): Promise<void> {
	const { fileSystem, index } = source;
	const file = await loadIndexFile(fileSystem, to, segment.segment);
	const isOurs = file?.key === index.hashKey && file.firstPosition === segment.firstPosition;
	if (!isOurs || file.bytes !== segment.bytes) await saveIndex({ ...source, directory: to }, segment);
}
