// Going on with a download: what names an object beyond doubt, how the rest of it is asked for, and whether an answer is
// that rest. Pure. Whatever is not surely the same object is started anew.

import type { IncomingHttpHeaders } from "node:http";
import { linkFingerprint, linkObject } from "@reelkeep/core";

/** Longer ones exist; nobody needs them, and a validator is kept beside the bytes. */
const MAX_ETAG_CHARACTERS = 256;
const MAX_VALIDATOR_CHARACTERS = 1024;
/** Within this of the answer, an object may have changed once more at the same second (RFC 9110, 8.8.2.2). */
const SETTLED_AFTER_MS = 60_000;

/** Strong, ASCII, not empty. A weak one (`W/`) says that two objects are alike, not that their bytes are the same. */
const STRONG_ETAG = /^"[\x21\x23-\x7e]+"$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i;

/** What a validator says. Exactly one of `etag` and `lastModified` stands in it. */
interface NamedObject {
	/** Fingerprint of host and path. */
	readonly object: string;
	readonly etag?: string;
	readonly lastModified?: string;
	/** The whole object's length, where it was known. */
	readonly totalBytes?: number;
}

export interface Resume {
	/** Where to go on; above 0. */
	readonly offset: number;
	readonly of: NamedObject;
}

/** Bytes `start` up to `end`, exclusive, of `totalBytes`. */
export interface ByteRange {
	readonly start: number;
	readonly end: number;
	readonly totalBytes: number;
}

/**
 * Names the object that `url` answered with, as text without a secret. `undefined`: nothing tells it from a changed one.
 * A strong ETag does; without one, a `Last-Modified` that was a minute old when the origin said it, and a known length.
 */
export function makeValidator(
	url: URL,
	headers: IncomingHttpHeaders,
	totalBytes: number | undefined,
): string | undefined {
	const object = linkFingerprint(linkObject(url));
	const length = totalBytes === undefined ? {} : { totalBytes };
	const etag = strongEtagOf(headers);
	if (etag !== undefined) return JSON.stringify({ object, etag, ...length });
	const lastModified = settledDateOf(headers);
	if (lastModified === undefined || totalBytes === undefined) return undefined;
	return JSON.stringify({ object, lastModified, ...length });
}

/** What to go on with; `undefined`: start at 0, because nothing else was asked for or the validator is none of ours. */
export function readResume(offset: number | undefined, validator: string | undefined): Resume | undefined {
	if (offset === undefined || offset === 0 || validator === undefined) return undefined;
	const of = readValidator(validator);
	// Behind the last byte there is nothing to ask for.
	return of === undefined || offset >= (of.totalBytes ?? Infinity) ? undefined : { offset, of };
}

/** Whether `url` names the object of which there are bytes. A validator says nothing about any other. */
export function isResumeOf(url: URL, { of }: Resume): boolean {
	return of.object === linkFingerprint(linkObject(url));
}

/**
 * Headers that ask for the rest of this very object. `If-Match` makes an origin refuse for another one, `If-Range` makes
 * one that does not know `If-Match` send all of it. *Source*: RFC 9110, 13.1.
 */
export function rangeHeaders({ offset, of }: Resume): Readonly<Record<string, string>> {
	const range = `bytes=${offset}-`;
	const { etag, lastModified = "" } = of;
	return etag === undefined
		? { range, "if-unmodified-since": lastModified, "if-range": lastModified }
		: { range, "if-match": etag, "if-range": etag };
}

/**
 * The part that a 206 answer holds, when it is what was asked for: all of the rest, of the same object, of the same
 * length. `undefined`: anything else.
 */
export function readRest(headers: IncomingHttpHeaders, { offset, of }: Resume): ByteRange | undefined {
	const range = parseContentRange(headers["content-range"]);
	if (range === undefined || range.start !== offset || range.end !== range.totalBytes) return undefined;
	if (of.totalBytes !== undefined && of.totalBytes !== range.totalBytes) return undefined;
	const isSame =
		of.etag === undefined ? headers["last-modified"] === of.lastModified : headers.etag === of.etag;
	const length = headers["content-length"];
	const isWhole = length === undefined || Number(length) === range.end - range.start;
	return isSame && isWhole ? range : undefined;
}

/** Reads `Content-Range`; `undefined`: absent, malformed, impossible, or of an object whose length is not said. */
export function parseContentRange(value: string | undefined): ByteRange | undefined {
	const parts = CONTENT_RANGE.exec(value?.trim() ?? "");
	if (parts === null) return undefined;
	const [start = 0, last = 0, totalBytes = 0] = parts.slice(1).map(Number);
	return start <= last && last < totalBytes ? { start, end: last + 1, totalBytes } : undefined;
}

function strongEtagOf({ etag = "" }: IncomingHttpHeaders): string | undefined {
	return etag.length <= MAX_ETAG_CHARACTERS && STRONG_ETAG.test(etag) ? etag : undefined;
}

function settledDateOf(headers: IncomingHttpHeaders): string | undefined {
	const { "last-modified": lastModified = "", date = "" } = headers;
	if (!HTTP_DATE.test(lastModified)) return undefined;
	return Date.parse(date) - Date.parse(lastModified) >= SETTLED_AFTER_MS ? lastModified : undefined;
}

/** It comes back from a disk: what goes into headers is held to its grammar once more. */
function readValidator(text: string): NamedObject | undefined {
	if (text.length > MAX_VALIDATOR_CHARACTERS) return undefined;
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch {
		return undefined;
	}
	const { object, etag, lastModified, totalBytes } = (parsed ?? {}) as Readonly<Record<string, unknown>>;
	if (typeof object !== "string") return undefined;
	if (totalBytes !== undefined && !Number.isSafeInteger(totalBytes)) return undefined;
	const named = { object, ...(totalBytes === undefined ? {} : { totalBytes: totalBytes as number }) };
	if (typeof etag === "string" && STRONG_ETAG.test(etag)) return { ...named, etag };
	const isDate = typeof lastModified === "string" && HTTP_DATE.test(lastModified);
	return isDate && totalBytes !== undefined ? { ...named, lastModified } : undefined;
}
