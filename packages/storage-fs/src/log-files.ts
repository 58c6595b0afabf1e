// Where the log lies: files under `events/`, two for each segment, named by its number.

import { join } from "node:path";
import { type StoreFault, storeFault } from "@reelkeep/core/ports";
import { readRange, writeWhole } from "./durable-files.js";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";
import { decodeHeader, encodeHeader, LOG_FORMAT } from "./log-format.js";

/** A segment that has this many bytes is followed by the next one. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
/** One that begins a segment for each batch is of use in tests; offsets are kept in 32 bits. */
export const MIN_SEGMENT_BYTES = 1024;
export const MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;
const SEGMENT_FILE = /^(\d{8})\.ndjson$/;
const INDEX_FILE = /^(\d{8})\.index$/;
/** More than the longest header. */
const MAX_HEADER_BYTES = 256;

/** How far a log is known to be durable. */
export interface Watermark {
	readonly segment: number;
	/** Bytes of that segment's file. */
	readonly bytes: number;
	/** The last event's position; 0 when there is none. */
	readonly position: number;
}

/** `00000001.ndjson`. */
export function segmentName(segment: number): string {
	return `${serial(segment)}.ndjson`;
}

/** `00000001.index`. */
export function indexName(segment: number): string {
	return `${serial(segment)}.index`;
}

function serial(segment: number): string {
	return String(segment).padStart(8, "0");
}

export function eventsDirectory(directory: string): string {
	return join(directory, "events");
}

export function segmentPath(directory: string, segment: number): string {
	return join(eventsDirectory(directory), segmentName(segment));
}

export function indexPath(directory: string, segment: number): string {
	return join(eventsDirectory(directory), indexName(segment));
}

export interface FoundSegments {
	/** Those whose file is there, in order. */
	readonly present: readonly number[];
	/** The number of the last one that is or was there: an index file is made for an existing segment only. */
	readonly last: number;
}

/** Which segments there are; none when the directory is missing. */
export async function findSegments(fileSystem: FileSystem, directory: string): Promise<FoundSegments> {
	const names = await fileSystem.list(eventsDirectory(directory)).catch((error: unknown) => {
		if (hasCode(error, "ENOENT")) return [];
		throw error;
	});
	const numbered = (file: RegExp): number[] =>
		names.flatMap((name) => file.exec(name)?.[1] ?? []).map(Number);
	const present = numbered(SEGMENT_FILE).sort((a, b) => a - b);
	return { present, last: Math.max(0, ...present, ...numbered(INDEX_FILE)) };
}

/** *Errors*: rejects with `io` when there is no event log in `directory`. */
export async function requireLog(fileSystem: FileSystem, directory: string): Promise<void> {
	if ((await findSegments(fileSystem, directory)).last > 0) return;
	throw storeFault(
		"io",
		`there is no event store in ${directory} (${segmentPath(directory, 1)} is missing); name the data directory of a ` +
			"server that has been started",
		{ retryable: false },
	);
}

/** How many segments there are. *Errors*: rejects with `corrupt` when one is missing. */
export async function countSegments(fileSystem: FileSystem, directory: string): Promise<number> {
	const { present, last } = await findSegments(fileSystem, directory);
	const missing = present.findIndex((segment, at) => segment !== at + 1);
	if (present.length === last && missing === -1) return last;
	throw damagedAt(missing === -1 ? present.length + 1 : missing + 1, 0, "the file is missing");
}

/** Makes a segment with its header, whole or not at all. Its name is durable once the directory was synced. */
export async function createSegment(
	fileSystem: FileSystem,
	directory: string,
	header: { readonly segment: number; readonly firstPosition: number },
): Promise<number> {
	const path = segmentPath(directory, header.segment);
	const bytes = encodeHeader(header);
	await writeWhole(fileSystem, `${path}.new`, (file) => file.write(bytes, 0));
	await fileSystem.rename(`${path}.new`, path);
	return bytes.length;
}

export interface ReadHeader {
	/** The position of the segment's first event, whether it is there yet or not. */
	readonly firstPosition: number;
	/** The header's length, newline included. */
	readonly bytes: number;
}

/**
 * Reads a segment's header; resolves with `undefined` when it is damaged.
 * *Errors*: rejects with `corrupt` when it is sound, and of a format that this version does not read.
 */
export async function readHeader(
	file: Pick<OpenFile, "read">,
	segment: number,
): Promise<ReadHeader | undefined> {
	const bytes = await readRange(file, 0, MAX_HEADER_BYTES);
	const end = bytes.indexOf("\n");
	const reading = end === -1 ? undefined : decodeHeader(bytes.subarray(0, end));
	if (reading?._tag === "OtherFormat") {
		throw storeFault(
			"corrupt",
			`${segmentName(segment)} has format ${JSON.stringify(reading.format)}, and this version of Reelkeep reads ` +
				`format ${LOG_FORMAT}; use the version that wrote it`,
		);
	}
	if (reading?._tag !== "Header" || reading.header.segment !== segment) return undefined;
	return { firstPosition: reading.header.firstPosition, bytes: end + 1 };
}

/** Reads a segment's header and checks that it goes on where the one before ends; resolves with its length in bytes. */
export async function checkHeader(
	file: Pick<OpenFile, "read">,
	{ segment, firstPosition }: { readonly segment: number; readonly firstPosition: number },
): Promise<number> {
	const header = await readHeader(file, segment);
	if (header === undefined) throw damagedAt(segment, 0, "its header is damaged");
	if (header.firstPosition > firstPosition && segment > 1) {
		const lost = describePositions(firstPosition, header.firstPosition - 1);
		throw damagedAt(segment - 1, undefined, `${lost} should follow`);
	}
	if (header.firstPosition !== firstPosition)
		throw damagedAt(segment, 0, "its header is that of another log");
	return header.bytes;
}

/** `the event at position 7`, `the events at positions 7 to 9`. */
export function describePositions(first: number, last: number): string {
	return first === last ? `the event at position ${first}` : `the events at positions ${first} to ${last}`;
}

/** The fault for bytes that were durable and are no longer what was written. `offset`: `undefined` for the file's end. */
export function damagedAt(segment: number, offset: number | undefined, what: string): StoreFault {
	const place = offset === undefined ? "its end" : `byte ${offset}`;
	return storeFault(
		"corrupt",
		`the event log is damaged: segment ${segmentName(segment)}, ${place}: ${what}. Nothing was changed, and nothing ` +
			"is written until it is repaired: stop Reelkeep, copy the directory, run `reelkeep repair`",
	);
}
