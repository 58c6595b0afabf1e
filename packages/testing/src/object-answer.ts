// A good answer to a GET of an object: which of its bytes, under which headers. Pure.

import type { IncomingHttpHeaders } from "node:http";
import type { HeldObject } from "./held-object.js";

/** What is sent. Faults change it. */
export interface ObjectAnswer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | number>>;
	/** Bytes of the object, from `start` up to, not including, `end`. */
	readonly start: number;
	readonly end: number;
	/** Zero bytes behind those. */
	readonly paddingBytes?: number;
	/** At most so many at a time, with a pause behind each. */
	readonly pace?: { readonly chunkBytes: number; readonly delayMs: number };
	/** This byte of the body is another one. */
	readonly flippedAt?: number;
	/** What comes behind the body. Default: an orderly end. */
	readonly ending?: "break" | "silence";
}

/** - `refused`: a condition does not hold (412), or there are no such bytes (416). */
export type PlannedAnswer =
	| ObjectAnswer
	| { readonly refused: 412 | 416; readonly headers: Readonly<Record<string, string>> };

/** Plans the answer to a GET with these headers. *Source*: RFC 9110, 13.2.2 and 14.2. */
export function planAnswer(asked: IncomingHttpHeaders, object: HeldObject): PlannedAnswer {
	const { bytes, habits } = object;
	if (!isConditionMet(asked, object)) return { refused: 412, headers: {} };
	const range = isRangeWanted(asked, object) ? readRange(asked.range, bytes.length) : undefined;
	if (range === "none" && habits.refusesRanges) {
		return { refused: 416, headers: { "content-range": `bytes */${bytes.length}` } };
	}
	return range === undefined || range === "none" ? wholeAnswer(object) : rangeAnswer(object, range);
}

export function wholeAnswer({ bytes, headers, md5, habits }: HeldObject): ObjectAnswer {
	const contentMd5 = habits.contentMd5 ? { "content-md5": Buffer.from(md5, "hex").toString("base64") } : {};
	return {
		status: 200,
		headers: { ...COMMON_HEADERS, ...headers, ...contentMd5, "content-length": bytes.length },
		start: 0,
		end: bytes.length,
	};
}

function rangeAnswer(
	{ bytes, headers }: HeldObject,
	{ start, end }: { readonly start: number; readonly end: number },
): ObjectAnswer {
	const range = {
		"content-length": end - start,
		"content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
	};
	return { status: 206, headers: { ...COMMON_HEADERS, ...headers, ...range }, start, end };
}

const COMMON_HEADERS = { "content-type": "video/mp4", "accept-ranges": "bytes" };

function isConditionMet(asked: IncomingHttpHeaders, { headers }: HeldObject): boolean {
	const { "if-match": match, "if-unmodified-since": unmodifiedSince } = asked;
	if (match !== undefined) {
		return match.split(",").some((tag) => tag.trim() === "*" || isSameStrongly(tag.trim(), headers.etag));
	}
	const modified = Date.parse(headers["last-modified"] ?? "");
	return unmodifiedSince === undefined || !(modified > Date.parse(unmodifiedSince));
}

/** `If-Range` names what the range is to be of; another object is sent whole. */
function isRangeWanted({ "if-range": condition }: IncomingHttpHeaders, { headers }: HeldObject): boolean {
	if (typeof condition !== "string") return true;
	return isSameStrongly(condition, headers.etag) || condition === headers["last-modified"];
}

/** A weak ETag is the same as none, not even as itself. */
function isSameStrongly(asked: string, etag: string | undefined): boolean {
	return asked === etag && !asked.startsWith("W/");
}

/** Single ranges only; what cannot be read is ignored. `none`: it begins behind the end. */
function readRange(
	header: string | undefined,
	length: number,
): { readonly start: number; readonly end: number } | "none" | undefined {
	const parts = /^bytes=(\d+)-(\d*)$/.exec(header ?? "");
	if (parts === null) return undefined;
	const start = Number(parts[1]);
	const end = parts[2] === "" ? length : Math.min(Number(parts[2]) + 1, length);
	return start < end ? { start, end } : "none";
}
