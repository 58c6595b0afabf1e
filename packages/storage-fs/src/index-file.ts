// The index file of a segment: what its index holds, so that opening need not read the segment. A cache: one that is
// missing or does not fit is made again. It is written only once the events in it are durable, so it also says, for the
// next open, how far the log was durable at least.

import { endianness } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { readRange, replaceFile, withFile } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { eventsDirectory, indexName } from "./log-files.js";
import type { SegmentColumns, SegmentIndex } from "./segment-index.js";

const KIND = { reelkeep: "event-index", format: 1 } as const;
const HEADER_BYTES = 256;
/** `,"crc":"01234567"}`. */
const CHECKSUM_CHARACTERS = 18;
/** Three words and a byte. */
const BYTES_PER_POSITION = 13;

export interface IndexFile {
	/** The key of the hashes in it. */
	readonly key: string;
	readonly firstPosition: number;
	/** Up to which byte of the segment it reaches. */
	readonly bytes: number;
	/** The checksum of the last line up to there, as that line has it: what ties it to the segment. Empty: no line. */
	readonly lastChecksum: string;
	readonly columns: SegmentColumns;
}

interface Facts {
	readonly endianness: string;
	readonly segment: number;
	readonly firstPosition: number;
	readonly count: number;
	readonly bytes: number;
	readonly key: string;
	readonly lastChecksum: string;
}

/** Saves what the index of a segment holds. *Promise*: old or new, never a mixture; durable when it resolves. */
export async function saveIndexFile(
	fileSystem: FileSystem,
	directory: string,
	{ segment, firstPosition, bytes }: SegmentIndex,
	content: { readonly key: string; readonly lastChecksum: string; readonly columns: SegmentColumns },
): Promise<void> {
	const { key, lastChecksum, columns } = content;
	const { offsets, previous, fingerprints, shards } = columns;
	const body = Buffer.concat([offsets, previous, fingerprints, shards].map(bytesOf));
	const facts = { segment, firstPosition, count: offsets.length, bytes, key, lastChecksum };
	const header = JSON.stringify({ ...KIND, endianness: endianness(), ...facts }).slice(0, -1);
	const line = `${header},"crc":"${checksum(header, body)}"}`;
	const head = Buffer.from(`${line.padEnd(HEADER_BYTES - 1)}\n`);
	const path = join(eventsDirectory(directory), indexName(segment));
	await replaceFile(fileSystem, path, Buffer.concat([head, body]));
}

/** Reads it; `undefined` when there is none, or none that makes sense here. */
export async function loadIndexFile(
	fileSystem: FileSystem,
	directory: string,
	segment: number,
): Promise<IndexFile | undefined> {
	const path = join(eventsDirectory(directory), indexName(segment));
	return withFile(fileSystem, path, async (file) => {
		const { bytes } = await file.status();
		return decode(await readRange(file, 0, bytes), segment);
	});
}

function decode(file: Buffer, segment: number): IndexFile | undefined {
	const line = file.toString("latin1", 0, HEADER_BYTES).trimEnd();
	const body = file.subarray(HEADER_BYTES);
	const end = line.length - CHECKSUM_CHARACTERS;
	if (line.slice(end) !== `,"crc":"${checksum(line.slice(0, Math.max(0, end)), body)}"}`) return undefined;
	// What has its checksum is what was written here.
	const header = JSON.parse(line) as typeof KIND & Facts;
	const isOurs = header.reelkeep === KIND.reelkeep && header.format === KIND.format;
	if (!isOurs || header.endianness !== endianness() || header.segment !== segment) return undefined;
	const { count: positions, key, firstPosition, bytes, lastChecksum } = header;
	if (body.length !== positions * BYTES_PER_POSITION) return undefined;
	const words = (column: number): Uint32Array => {
		const from = body.byteOffset + column * positions * 4;
		return new Uint32Array(body.buffer.slice(from, from + positions * 4));
	};
	return {
		key,
		firstPosition,
		bytes,
		lastChecksum,
		columns: {
			offsets: words(0),
			previous: words(1),
			fingerprints: words(2),
			shards: new Uint8Array(body.subarray(positions * 12)),
		},
	};
}

/** Of header and arrays. */
function checksum(header: string, body: Buffer): string {
	return crc32(body, crc32(header)).toString(16).padStart(8, "0");
}

function bytesOf(column: Uint32Array | Uint8Array): Buffer {
	return Buffer.from(column.buffer, column.byteOffset, column.byteLength);
}
