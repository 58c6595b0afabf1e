// What an origin's answer means: status, headers and OSS's error XML become a reason. Pure; nothing of a body is ever
// quoted, because OSS echoes the signature it was sent (`SignatureProvided`, `StringToSign`).

import type { IncomingHttpHeaders } from "node:http";
import type { VideoUnavailable } from "@reelkeep/core/ports";

/** An error answer is a few hundred bytes of XML; what is longer is not read. */
export const MAX_ERROR_BODY_BYTES = 16 * 1024;
/** A patience beyond this is a mistake of the origin's. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;
/** OSS's `EC` for a link whose time is over: V1 and V2, S3's V4, and a dead STS token. */
const EXPIRED_CODES: ReadonlySet<string> = new Set(["0002-00000069", "0002-00000418", "0002-00000007"]);
const EXPIRED_TOKENS: ReadonlySet<string> = new Set(["ExpiredToken", "SecurityTokenExpired"]);

type Reason = VideoUnavailable["reason"];

export interface OriginError {
	readonly status: number;
	/** The start of the body, at most `MAX_ERROR_BODY_BYTES`. */
	readonly body: string;
	readonly retryAfter?: string | undefined;
	readonly requestId?: string | undefined;
}

/** Turns an error answer into why the video cannot be had. *Units*: `now` in UTC milliseconds. */
export function readOriginError(answer: OriginError, now: number): VideoUnavailable {
	const error = readErrorXml(answer.body);
	const reason = reasonOf(answer.status, error);
	const retryAfterMs = parseRetryAfter(answer.retryAfter, now);
	return {
		_tag: "Unavailable",
		reason,
		message: describe(answer, error.code),
		...(retryAfterMs === undefined ? {} : { retryAfterMs }),
	};
}

function reasonOf(status: number, error: ErrorXml): Reason {
	if (status === 404 || status === 410) return "not-found";
	if (status === 408 || status === 425 || status === 429 || status === 503) return "busy";
	if (status === 412 || status === 416 || status >= 500) return "failed";
	if (status >= 400) return isExpired(error) ? "expired" : "refused";
	return "failed";
}

interface ErrorXml {
	readonly code?: string;
	readonly extendedCode?: string;
	readonly saysExpired: boolean;
}

function isExpired({ code = "", extendedCode = "", saysExpired }: ErrorXml): boolean {
	return (
		EXPIRED_TOKENS.has(code) || EXPIRED_CODES.has(extendedCode) || (code === "AccessDenied" && saysExpired)
	);
}

/** Three flat members of a small answer: anchored expressions will do, and no entity is ever expanded. */
function readErrorXml(body: string): ErrorXml {
	if (!/^\s*<(?:\?xml|Error)/.test(body)) return { saysExpired: false };
	const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(body)?.[1];
	const extendedCode = /<EC>([0-9-]{1,32})<\/EC>/.exec(body)?.[1];
	return {
		...(code === undefined ? {} : { code }),
		...(extendedCode === undefined ? {} : { extendedCode }),
		saysExpired: /<Message>Request has expired\.?<\/Message>/i.test(body),
	};
}

/** What names the answer to the origin's support, and nothing that it was asked with. */
function describe({ status, requestId }: OriginError, code: string | undefined): string {
	const named = requestId !== undefined && /^[0-9A-Za-z-]{1,64}$/.test(requestId);
	return `the origin answered ${[status, code].filter(Boolean).join(" ")}${named ? ` (request ${requestId})` : ""}`;
}

/** `Retry-After` in milliseconds, given in seconds or as a date; `undefined` when it makes no sense. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
	if (value === undefined || value.length > 64) return undefined;
	const delayMs = /^[0-9]{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
	if (Number.isNaN(delayMs)) return undefined;
	return Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS);
}

/** Sixteen bytes in base64. */
const CONTENT_MD5 = /^[A-Za-z0-9+/]{22}==$/;

export interface StatedMd5 {
	/** Lower-case hex. */
	readonly md5: string;
	/** It is an ETag that looks like one: nobody promises that it is the MD5 of the bytes. */
	readonly isEtag: boolean;
}

/**
 * The MD5 of the whole object in the headers of a 200 answer; `undefined`: none is stated. Of a part, `Content-MD5` is
 * the part's: leave it out.
 * *Source*: RFC 1864 (`Content-MD5`); Alibaba's OSS FAQ: the ETag is the MD5 only of what came in one `PutObject`.
 */
export function readStatedMd5(headers: IncomingHttpHeaders): StatedMd5 | undefined {
	const contentMd5 = String(headers["content-md5"] ?? "").trim();
	if (CONTENT_MD5.test(contentMd5)) {
		return { md5: Buffer.from(contentMd5, "base64").toString("hex"), isEtag: false };
	}
	const objectType = String(headers["x-oss-object-type"] ?? "Normal").trim();
	const md5 = objectType.toLowerCase() === "normal" ? md5OfEtag(headers.etag) : undefined;
	return md5 === undefined ? undefined : { md5, isEtag: true };
}

const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * OSS's CRC-64 of the whole object, whatever part of it the answer holds; `undefined`: none is stated.
 * *Shape*: a decimal without leading zeros, as the other side of a comparison has it.
 */
export function readStatedCrc64(headers: IncomingHttpHeaders): string | undefined {
	const text = String(headers["x-oss-hash-crc64ecma"] ?? "").trim();
	if (!/^[0-9]{1,20}$/.test(text)) return undefined;
	const crc64 = BigInt(text);
	return crc64 <= MAX_UINT64 ? crc64.toString() : undefined;
}

/** The MD5 that an ETag may be, in lower-case hex. *Shape*: a weak ETag and a multipart object's (`-2`) are none. */
export function md5OfEtag(etag: string | undefined): string | undefined {
	return /^"([0-9a-fA-F]{32})"$/.exec(etag ?? "")?.[1]?.toLowerCase();
}
