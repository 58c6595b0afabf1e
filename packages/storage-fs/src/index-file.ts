// The index file of a segment: what its index holds, so that opening need not read the segment. A cache: one that is
// missing or does not fit is made again. It is written only once the events in it are durable, so it also says, for the
// next open, how far the log was durable at least.

import { endianness } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { openIfPresent, readRange, replaceFile } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { eventsDirectory, indexName } from "./log-files.js";
import type { SegmentColumns, SegmentIndex } from "./segment-index.js";

const INDEX_FORMAT = 1;
const HEADER_BYTES = 256;
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
	const header = {
		reelkeep: "event-index",
		format: INDEX_FORMAT,
		endianness: endianness(),
		segment,
		firstPosition,
		count: offsets.length,
		bytes,
		key,
		lastChecksum,
		crc: crc32(body),
	};
	const head = Buffer.from(`${JSON.stringify(header).padEnd(HEADER_BYTES - 1)}\n`);
	const path = join(eventsDirectory(directory), indexName(segment));
	await replaceFile(fileSystem, path, Buffer.concat([head, body]));
}

/** Reads it; `undefined` when there is none, or none that makes sense here. */
export async function loadIndexFile(
	fileSystem: FileSystem,
	directory: string,
	segment: number,
): Promise<IndexFile | undefined> {
	const file = await openIfPresent(fileSystem, join(eventsDirectory(directory), indexName(segment)));
	if (file === undefined) return undefined;
	try {
		const { bytes } = await file.status();
		return decode(await readRange(file, 0, bytes), segment);
	} finally {
		await file.close();
	}
}

function decode(file: Buffer, segment: number): IndexFile | undefined {
	const header = parse(file.toString("latin1", 0, HEADER_BYTES));
	const isOurs = header?.reelkeep === "event-index" && header.format === INDEX_FORMAT;
	if (!isOurs || header.endianness !== endianness() || header.segment !== segment) return undefined;
	const { count, key, firstPosition, bytes, lastChecksum, crc } = header;
	const numbers = [count, firstPosition, bytes, crc];
	if (!numbers.every(Number.isSafeInteger) || typeof key !== "string" || typeof lastChecksum !== "string")
		return undefined;
	const [positions, checksum] = [count as number, crc as number];
	const body = file.subarray(HEADER_BYTES);
	if (body.length !== positions * BYTES_PER_POSITION || crc32(body) !== checksum) return undefined;
	const words = (column: number): Uint32Array => {
		const from = body.byteOffset + column * positions * 4;
		return new Uint32Array(body.buffer.slice(from, from + positions * 4));
	};
	return {
		key,
		firstPosition: firstPosition as number,
		bytes: bytes as number,
		lastChecksum,
		columns: {
			offsets: words(0),
			previous: words(1),
			fingerprints: words(2),
			shards: new Uint8Array(body.subarray(positions * 12)),
		},
	};
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
	try {
		return JSON.parse(text) ?? undefined;
	} catch {
		return undefined;
	}
}

function bytesOf(column: Uint32Array | Uint8Array): Buffer {
	return Buffer.from(column.buffer, column.byteOffset, column.byteLength);
}
