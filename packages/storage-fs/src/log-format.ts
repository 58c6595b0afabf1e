// The event log as bytes: one JSON object per line, each checksummed. docs/event-log-format.md is its specification.

import { crc32 } from "node:zlib";
import {
	type EncodedEvent,
	encodeEvent,
	freezeDeep,
	type NewEvent,
	type RecordedEvent,
	toPosition,
} from "@reelkeep/core/ports";

export const LOG_FORMAT = 1;

/** The longest line with its newline: the largest sealed callback body that an ingress accepts, several times over. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024;

/** What follows the checksummed bytes of a line. */
const CHECKSUM_MEMBER = Buffer.from(',"crc":"00000000"}');
const CHECKSUM_BYTES = CHECKSUM_MEMBER.length;
const DIGITS_START = 8;
const DIGITS_END = 16;
const HEX_DIGITS = Buffer.from("0123456789abcdef");
const NEWLINE = 0x0a;

/** The first line of a segment file. */
export interface SegmentHeader {
	readonly segment: number;
	/** The position of the segment's first event, whether it is there yet or not. */
	readonly firstPosition: number;
}

/** What recovery needs of a record; it stands in front, so that a rebuild of the index parses no JSON. */
export interface RecordFrame {
	readonly position: number;
	/** How many events of the same append follow. An append without its last record, the one with 0, never happened. */
	readonly remaining: number;
	/** The last position that was durable before this record was written: what tells damage from a torn tail. */
	readonly synced: number;
	readonly stream: string;
	readonly version: number;
}

// A frame is within the first bytes of a line: 128 characters of stream name, each escaped as \u0000 at worst.
const MAX_FRAME_BYTES = 1024;
const FRAME =
	/^\{"position":"([1-9]\d{0,15})","remaining":(\d{1,2}),"synced":"(0|[1-9]\d{0,15})","stream":("(?:[^"\\]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*"),"version":([1-9]\d{0,15}),/;

/**
 * Stands where damage was repaired: the events at these positions are lost, and what was behind them goes on. None are
 * when `last` is one less than `first`: then only the rest of an append is.
 */
export interface LostLine {
	readonly first: number;
	readonly last: number;
}

export type HeaderReading =
	| { readonly _tag: "Header"; readonly header: SegmentHeader }
	| { readonly _tag: "OtherFormat"; readonly format: unknown }
	| { readonly _tag: "NoHeader" };

export function encodeHeader(header: SegmentHeader): Buffer {
	const text = `{"reelkeep":"event-log","format":${LOG_FORMAT},"segment":${header.segment},"firstPosition":"${header.firstPosition}"`;
	return sealedLine(text);
}

/** The line that a repair leaves in the place of lost events. `aside`: the file that has the damaged bytes. */
export function encodeLost({ first, last }: LostLine, aside: string, padding = ""): Buffer {
	return sealedLine(`{"lost":"${first}","to":"${last}","aside":${JSON.stringify(aside)}${padding}`);
}

function sealedLine(text: string): Buffer {
	const line = Buffer.alloc(text.length + CHECKSUM_BYTES + 1);
	line.write(text, "latin1");
	sealLine(line, 0, text.length);
	return line;
}

/** Reads a header line, without its newline. */
export function decodeHeader(line: Buffer): HeaderReading {
	let value: Record<string, unknown>;
	try {
		value = JSON.parse(line.toString("utf8")) as Record<string, unknown>;
	} catch {
		return { _tag: "NoHeader" };
	}
	if (value?.reelkeep !== "event-log" || !isSound(line)) return { _tag: "NoHeader" };
	if (value.format !== LOG_FORMAT) return { _tag: "OtherFormat", format: value.format };
	const { segment, firstPosition } = value;
	if (!Number.isSafeInteger(segment)) return { _tag: "NoHeader" };
	return { _tag: "Header", header: { segment: segment as number, firstPosition: Number(firstPosition) } };
}

/** The part of a record that is known when an append arrives; `bytes`: its length in UTF-8. */
export interface RecordBody {
	readonly text: string;
	readonly bytes: number;
}

/** Throws what `JSON.stringify` throws. */
export function encodeBody(event: NewEvent, recordedAt: number): RecordBody {
	const { id, type, schemaVersion, data, metadata } = event;
	const text = JSON.stringify({ id, type, schemaVersion, recordedAt, data, metadata }).slice(1, -1);
	return { text, bytes: Buffer.byteLength(text) };
}

/** The part that is known when its batch is written. ASCII. */
export function encodeFrame(frame: RecordFrame): string {
	const { position, remaining, synced, stream, version } = frame;
	return `{"position":"${position}","remaining":${remaining},"synced":"${synced}","stream":${JSON.stringify(stream)},"version":${version},`;
}

/** How long the line of a record is, with its newline. */
export function recordBytes(frame: string, body: RecordBody): number {
	return frame.length + body.bytes + CHECKSUM_BYTES + 1;
}

/** Writes a record's line at `start`; returns where it ends. There must be room for `recordBytes`. */
export function writeRecord(bytes: Buffer, start: number, frame: string, body: RecordBody): number {
	const bodyStart = start + bytes.write(frame, start, "latin1");
	// The same bytes, sooner, where all are ASCII.
	bytes.write(body.text, bodyStart, body.bytes === body.text.length ? "latin1" : "utf8");
	return sealLine(bytes, start, bodyStart + body.bytes);
}

/** Puts checksum and newline at the `end` of a line whose other bytes are there; returns where it ends. */
function sealLine(bytes: Buffer, start: number, end: number): number {
	let checksum = crc32(bytes.subarray(start, end));
	for (let at = 0; at < CHECKSUM_BYTES; at += 1) bytes[end + at] = CHECKSUM_MEMBER[at] as number;
	for (let at = end + DIGITS_END - 1; at >= end + DIGITS_START; at -= 1) {
		bytes[at] = HEX_DIGITS[checksum & 15] as number;
		checksum >>>= 4;
	}
	bytes[end + CHECKSUM_BYTES] = NEWLINE;
	return end + CHECKSUM_BYTES + 1;
}

/** Whether a line (without its newline) has the checksum that it states. Makes no text: this is half of what a replay checks. */
export function isSound(line: Buffer): boolean {
	const end = line.length - CHECKSUM_BYTES;
	if (end < 2) return false;
	for (let at = 0; at < CHECKSUM_BYTES; at += 1) {
		const isDigit = at >= DIGITS_START && at < DIGITS_END;
		if (!isDigit && line[end + at] !== CHECKSUM_MEMBER[at]) return false;
	}
	let checksum = crc32(line.subarray(0, end));
	for (let at = end + DIGITS_END - 1; at >= end + DIGITS_START; at -= 1) {
		if (line[at] !== HEX_DIGITS[checksum & 15]) return false;
		checksum >>>= 4;
	}
	return true;
}

/** The `l` of `{"lost"`: one byte tells such a line from a record. */
const LOST_INITIAL = 0x6c;
/** The checksum that a line (without its newline) carries, whether it is right or not. */
export function checksumOf(line: Buffer): string {
	return line.toString("latin1", line.length - 10, line.length - 2);
}

const LOST = /^\{"lost":"([1-9]\d{0,15})","to":"(0|[1-9]\d{0,15})",/;

/** A line (without its newline) that a repair has left; `undefined` when it is another one, or damaged. */
export function readLost(line: Buffer): LostLine | undefined {
	if (line[2] !== LOST_INITIAL) return undefined;
	const match = LOST.exec(line.toString("latin1", 0, MAX_FRAME_BYTES));
	if (match === null || !isSound(line)) return undefined;
	const [first, last] = [Number(match[1]), Number(match[2])];
	return first <= last + 1 ? { first, last } : undefined;
}

/** The frame of a line (without its newline) whose checksum is right; else `undefined`. */
export function readFrame(line: Buffer): RecordFrame | undefined {
	if (!isSound(line)) return undefined;
	const parts = FRAME.exec(line.toString("latin1", 0, MAX_FRAME_BYTES));
	if (parts === null) return undefined;
	return {
		position: Number(parts[1]),
		remaining: Number(parts[2]),
		synced: Number(parts[3]),
		stream: streamOf(line, parts[4] as string),
		version: Number(parts[5]),
	};
}

const STREAM_MEMBER = '"stream":';

/** A string of its own: a part of a match would keep the whole text in memory that was matched. */
function streamOf(line: Buffer, json: string): string {
	if (json.includes("\\")) return JSON.parse(json) as string;
	const start = line.indexOf(STREAM_MEMBER) + STREAM_MEMBER.length + 1;
	return line.toString("latin1", start, start + json.length - 2);
}

/** The event of a line (without its newline), deeply frozen; `undefined` when its checksum is wrong. */
export function decodeRecord(line: Buffer): RecordedEvent | undefined {
	if (!isSound(line)) return undefined;
	const record = JSON.parse(line.toString("utf8")) as RecordedEvent;
	if (typeof record.position !== "string") return undefined;
	const { id, type, schemaVersion, stream, version, position, recordedAt, data, metadata } = record;
	return freezeDeep({
		id,
		type,
		schemaVersion,
		stream,
		version,
		position: toPosition(position),
		recordedAt,
		data,
		metadata,
	});
}

const DATA_MEMBER = Buffer.from(',"data":');
const METADATA_MEMBER = Buffer.from(',"metadata":');
/** What stands before the data of an event whose texts are ASCII without escapes. */
const FRONT =
	/^\{"position":"([1-9]\d{0,15})","remaining":\d{1,2},"synced":"\d{1,16}","stream":"([ !#-[\]-~]*)","version":([1-9]\d{0,15}),"id":"([ !#-[\]-~]*)","type":"([ !#-[\]-~]*)","schemaVersion":(\d{1,16}),"recordedAt":(\d{1,16})$/;

/** As `decodeRecord`, but what the event holds stays as it is in the line, of which it is a part. */
export function decodeRecordEncoded(line: Buffer): EncodedEvent | undefined {
	// The first one is it: in front of it stand only numbers, and texts, in which quotes are escaped.
	const dataAt = line.indexOf(DATA_MEMBER);
	const front = dataAt === -1 ? null : FRONT.exec(line.toString("latin1", 0, dataAt));
	const metadataAt = line.lastIndexOf(METADATA_MEMBER);
	// There are two where the event holds a member of that name itself.
	const isOne = metadataAt > dataAt && line.indexOf(METADATA_MEMBER, dataAt) === metadataAt;
	if (front === null || !isOne) {
		const event = decodeRecord(line);
		return event && encodeEvent(event);
	}
	if (!isSound(line)) return undefined;
	const [, position, stream, version, id, type, schemaVersion, recordedAt] = front as readonly string[];
	return {
		id: id as string,
		type: type as string,
		schemaVersion: Number(schemaVersion),
		stream: stream as string,
		version: Number(version),
		position: toPosition(position as string),
		recordedAt: Number(recordedAt),
		dataJson: line.subarray(dataAt + DATA_MEMBER.length, metadataAt),
		metadataJson: line.subarray(metadataAt + METADATA_MEMBER.length, line.length - CHECKSUM_BYTES),
	};
}

const TYPE_MEMBER = Buffer.from(',"type":');

/** Tells lines (without their newline) of records of these types, without parsing them; whether they are sound is not looked at. */
export function recordOf(types: readonly string[]): (line: Buffer) => boolean {
	const wanted = types.map((type) => Buffer.from(`${JSON.stringify(type)},`));
	return (line) => {
		// The first one is it: in front of it stand only numbers, and texts, in which quotes are escaped.
		const at = line.indexOf(TYPE_MEMBER) + TYPE_MEMBER.length;
		return wanted.some((type) => line.subarray(at, at + type.length).equals(type));
	};
}

/** Whether a line (without its newline) is sound, and the record at `position`. */
export function isRecordAt(line: Buffer, position: number): boolean {
	const start = `{"position":"${position}",`;
	return line.toString("latin1", 0, start.length) === start && isSound(line);
}

/** Calls `visit` with each complete line of `bytes` and where it starts; returns where the rest starts. */
export function forEachLine(bytes: Buffer, visit: (line: Buffer, start: number) => void): number {
	let start = 0;
	for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
		visit(bytes.subarray(start, end), start);
		start = end + 1;
	}
	return start;
}
