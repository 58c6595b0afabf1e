// Where the log lies: files under `events/`, two for each segment, named by its number.

import { join } from "node:path";
import { type StoreFault, storeFault } from "@reelkeep/core/ports";
import { readRange } from "./durable-files.js";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";
import { decodeHeader, encodeHeader, LOG_FORMAT } from "./log-format.js";

/** A segment that has this many bytes is followed by the next one. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
/** One that begins a segment for each batch is of use in tests; offsets are kept in 32 bits. */
export const MIN_SEGMENT_BYTES = 1024;
export const MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;
const SEGMENT_FILE = /^(\d{8})\.ndjson$/;
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

/** Which segments there are, in order; none when the directory is missing. */
export async function listSegments(fileSystem: FileSystem, directory: string): Promise<readonly number[]> {
	try {
		const names = await fileSystem.list(eventsDirectory(directory));
		const numbers = names.flatMap((name) => SEGMENT_FILE.exec(name)?.[1] ?? []).map(Number);
		return numbers.sort((a, b) => a - b);
	} catch (error) {
		if (hasCode(error, "ENOENT")) return [];
		throw error;
	}
}

/** How many segments there are. *Errors*: rejects with `corrupt` when one is missing. */
export async function countSegments(fileSystem: FileSystem, directory: string): Promise<number> {
	const segments = await listSegments(fileSystem, directory);
	const missing = segments.findIndex((segment, at) => segment !== at + 1) + 1;
	if (missing === 0) return segments.length;
	throw damagedAt(missing, 0, "the file is missing");
}

/** Makes a segment with its header, whole or not at all. Its name is durable once the directory was synced. */
export async function createSegment(
	fileSystem: FileSystem,
	directory: string,
	header: { readonly segment: number; readonly firstPosition: number },
): Promise<number> {
	const path = segmentPath(directory, header.segment);
	const bytes = encodeHeader(header);
	const file = await fileSystem.open(`${path}.new`, "replace");
	try {
		await file.write(bytes, 0);
		await file.datasync();
	} finally {
		await file.close();
	}
	await fileSystem.rename(`${path}.new`, path);
	return bytes.length;
}

/** Reads and checks a segment's header; resolves with its length in bytes, newline included. */
export async function checkHeader(
	file: Pick<OpenFile, "read">,
	{ segment, firstPosition }: { readonly segment: number; readonly firstPosition: number },
): Promise<number> {
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
	if (reading?._tag !== "Header" || reading.header.segment !== segment) {
		throw damagedAt(segment, 0, "its header is damaged");
	}
	const { header } = reading;
	if (header.firstPosition > firstPosition) {
		const lost = describePositions(firstPosition, header.firstPosition - 1);
		throw damagedAt(segment - 1, undefined, `${lost} should follow`);
	}
	if (header.firstPosition < firstPosition) throw damagedAt(segment, 0, "its header is that of another log");
	return end + 1;
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
