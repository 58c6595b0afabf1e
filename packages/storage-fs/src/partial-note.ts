// What lies beside an upload's bytes: its note, and behind that marks, each saying how many of the bytes are durable.
// Lines are only ever added, and each has a checksum: the last ones may be torn by a crash, or garbage after a power cut.

import { crc32 } from "node:zlib";

const CHECKSUM = /^ [0-9a-f]{8}$/;
const CHECKSUM_LENGTH = 9;
const MARK = /^[1-9][0-9]{0,15}$/;
const LINE_FEED = 10;

export interface PartialNote {
	/** As the upload was given it. */
	readonly note: string;
	/** How many bytes the last mark says to be durable. */
	readonly bytes: number;
	/** Where its line ends: what is behind it means nothing. */
	readonly end: number;
}

/** The first line. `name`: the upload's; a block that the disk gives out again may hold lines of another one. */
export function encodeNote(name: string, note: string): Buffer {
	return encodeLine(name, JSON.stringify({ note }));
}

export function encodeMark(name: string, bytes: number): Buffer {
	return encodeLine(name, String(bytes));
}

/**
 * Reads what is whole of a note's file: up to its last mark that a file of `fileBytes` can bear out. `undefined`: there
 * is none.
 */
export function decodeNote(name: string, content: Buffer, fileBytes: number): PartialNote | undefined {
	const first = lineAt(name, content, 0);
	const note = first && parseNote(first.text);
	if (first === undefined || note === undefined) return undefined;
	let found: PartialNote | undefined;
	for (let line = lineAt(name, content, first.end); line !== undefined; ) {
		const bytes = MARK.test(line.text) ? Number(line.text) : 0;
		if (bytes <= (found?.bytes ?? 0) || bytes > fileBytes) break;
		found = { note, bytes, end: line.end };
		line = lineAt(name, content, line.end);
	}
	return found;
}

function parseNote(text: string): string | undefined {
	try {
		const { note } = JSON.parse(text) as { readonly note?: unknown };
		return typeof note === "string" ? note : undefined;
	} catch {
		return undefined;
	}
}

function encodeLine(name: string, text: string): Buffer {
	return Buffer.from(`${text} ${checksum(name, text)}\n`);
}

function lineAt(name: string, content: Buffer, from: number) {
	const at = content.indexOf(LINE_FEED, from);
	if (at < from + CHECKSUM_LENGTH) return undefined;
	const line = content.toString("utf8", from, at);
	const text = line.slice(0, -CHECKSUM_LENGTH);
	const sum = line.slice(-CHECKSUM_LENGTH);
	if (!CHECKSUM.test(sum) || sum.slice(1) !== checksum(name, text)) return undefined;
	return { text, end: at + 1 };
}

function checksum(name: string, text: string): string {
	return crc32(`${name} ${text}`).toString(16).padStart(8, "0");
}
