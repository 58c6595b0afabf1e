// Where the log lies: segment files under `events/`, named by number. This version writes one segment only.

import { join } from "node:path";
import { storeFault } from "@reelkeep/core/ports";
import { readRange } from "./durable-files.js";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";
import { decodeHeader, encodeHeader, LOG_FORMAT } from "./log-format.js";

export const FIRST_SEGMENT = 1;
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
	return `${String(segment).padStart(8, "0")}.ndjson`;
}

export function eventsDirectory(directory: string): string {
	return join(directory, "events");
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

/** Makes a segment with its header, whole or not at all. Its name is durable once the directory was synced. */
export async function createSegment(
	fileSystem: FileSystem,
	directory: string,
	header: { readonly segment: number; readonly firstPosition: number },
): Promise<void> {
	const path = join(eventsDirectory(directory), segmentName(header.segment));
	const file = await fileSystem.open(`${path}.new`, "replace");
	try {
		await file.write(encodeHeader(header), 0);
		await file.datasync();
	} finally {
		await file.close();
	}
	await fileSystem.rename(`${path}.new`, path);
}

/** Opens the one segment of this version, having checked that there is no other. */
export async function openSegment(
	fileSystem: FileSystem,
	directory: string,
	mode: "read" | "update",
): Promise<OpenFile> {
	const segments = await listSegments(fileSystem, directory);
	if (segments.length !== 1 || segments[0] !== FIRST_SEGMENT) {
		const found = segments.map(segmentName).join(", ");
		throw storeFault(
			"corrupt",
			`${eventsDirectory(directory)} holds ${found || "no segment"}, and this version of Reelkeep reads a log of ` +
				`one segment, ${segmentName(FIRST_SEGMENT)}; was it written by a newer version?`,
		);
	}
	return fileSystem.open(join(eventsDirectory(directory), segmentName(FIRST_SEGMENT)), mode);
}

/** Reads and checks a segment's header; resolves with its length in bytes, newline included. */
export async function checkHeader(file: OpenFile, segment: number): Promise<number> {
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
		throw corruptAt(segment, 0, "its header is damaged");
	}
	return end + 1;
}

/** The fault for bytes that were durable and are no longer what was written. */
export function corruptAt(segment: number, offset: number, what: string): Error {
	return storeFault(
		"corrupt",
		`the event log is damaged: segment ${segmentName(segment)}, byte ${offset}: ${what}. Nothing was changed; ` +
			"keep a copy of the directory before you repair it",
	);
}
