// Is what came what the origin stated? Asked before anything is committed (promise 6). Pure.

import type { Mp4Probe, VideoReceipt } from "@reelkeep/core";
import type { OpenedVideo, OriginChecksums, StoredVideo, VideoDigest } from "@reelkeep/core/ports";

/** As many first bytes as tell a page from a video; before its first bracket a page may have blank lines. */
export const HEAD_BYTES = 1024;
/** Space, tab, line feed, form feed and carriage return: what HTML and XML may begin with. */
const BLANKS: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0c, 0x0d]);
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const BRACKET = 0x3c;
/** Besides all that end in `+xml`. */
const PAGE_TYPES: ReadonlySet<string> = new Set([
	"text/html",
	"text/xml",
	"application/xml",
	"application/json",
]);

/** What was received: its digest by the store, and what the archiver looked at on the way. */
export interface ReceivedVideo extends VideoDigest {
	/** Those that the origin stated, made of the bytes that came. */
	readonly checksums: OriginChecksums;
	/** The first `HEAD_BYTES` bytes, or fewer. */
	readonly head: Uint8Array;
	readonly mp4?: Mp4Probe;
}

/** An opened video, and what our own source says beyond the port. */
export interface DownloadedVideo extends OpenedVideo {
	/** `checksums.md5` is only an ETag that looks like an MD5; a source that does not say so vouches for it. */
	readonly isMd5Etag?: boolean;
	/** The body says itself where it ends, by a length (the default) or by chunks; a broken one is not taken for whole. */
	readonly isFramed?: boolean;
}

export type Stated = Pick<
	DownloadedVideo,
	"totalBytes" | "contentType" | "checksums" | "isMd5Etag" | "isFramed"
>;

/** - `isDoubtful`: the body is whole, and only an ETag, which may be no MD5 at all, speaks against the bytes. */
export interface Mismatch {
	readonly message: string;
	readonly isDoubtful: boolean;
}

/** What does not match; `undefined`: all that was stated does, or a CRC-64 does and only an ETag differs. */
export function findMismatch(stated: Stated, received: ReceivedVideo): Mismatch | undefined {
	const message = findWrongContent(stated, received) ?? findWrongCrc64(stated, received);
	if (message !== undefined) return { message, isDoubtful: false };
	const { totalBytes, checksums, isMd5Etag = false, isFramed = totalBytes !== undefined } = stated;
	if (checksums.md5 === undefined || checksums.md5 === received.checksums.md5) return undefined;
	// The CRC-64 was found right: these are the object's bytes, and its ETag is no MD5 of them.
	if (isMd5Etag && checksums.crc64 !== undefined) return undefined;
	return {
		message: `the bytes do not have the MD5 that the origin stated (${received.bytes} bytes)`,
		isDoubtful: isMd5Etag && isFramed,
	};
}

function findWrongContent(stated: Stated, received: ReceivedVideo): string | undefined {
	const { totalBytes, contentType, checksums } = stated;
	if (totalBytes !== undefined && totalBytes !== received.bytes) {
		return `the origin stated ${totalBytes} bytes and sent ${received.bytes}`;
	}
	// An object that is still being written reads as empty; a video never is.
	if (received.bytes === 0) return "the origin's object is empty";
	if (beginsAsPage(received.head)) return "the origin sent a page instead of a video";
	// A right checksum says that this is the object, and only its type is wrong: a page in its place comes without one.
	if (isPageType(contentType) && describeChecksum(checksums, received.checksums) === undefined) {
		return "the origin sent a page instead of a video, by its content type";
	}
	return undefined;
}

function findWrongCrc64({ checksums }: Stated, received: ReceivedVideo): string | undefined {
	if (checksums.crc64 === undefined || checksums.crc64 === received.checksums.crc64) return undefined;
	return `the bytes do not have the CRC-64 that the origin stated (${received.bytes} bytes)`;
}

/** The receipt of a verified, committed video. Its checksum is one that was found right, or absent. */
export function receiptOf(video: StoredVideo, opened: OpenedVideo, received: ReceivedVideo): VideoReceipt {
	const { contentType, etag, checksums, totalBytes } = opened;
	const originChecksum = describeChecksum(checksums, received.checksums);
	return {
		...adoptedReceipt(video),
		lengthVerified: totalBytes !== undefined,
		...(contentType === undefined ? {} : { contentType }),
		...(etag === undefined ? {} : { etag }),
		...(originChecksum === undefined ? {} : { originChecksum }),
		...(received.mp4 === undefined ? {} : { mp4: received.mp4 }),
	};
}

/** The receipt of a video that was found kept: what the store says of it, and nothing that only its download knew. */
export function adoptedReceipt({ location, bytes, sha256 }: StoredVideo): VideoReceipt {
	return { location, bytes, sha256, lengthVerified: false };
}

/** An MD5 says more than a CRC-64; what does not match is not told. */
function describeChecksum(stated: OriginChecksums, made: OriginChecksums): string | undefined {
	if (stated.md5 !== undefined && stated.md5 === made.md5) return `md5:${stated.md5}`;
	if (stated.crc64 !== undefined && stated.crc64 === made.crc64) return `crc64:${stated.crc64}`;
	return undefined;
}

/** A login page or an error with status 200. An MP4's first bytes are a size: with this one its first box had 1 GB. */
function beginsAsPage(head: Uint8Array): boolean {
	let at = BYTE_ORDER_MARK.every((byte, index) => head[index] === byte) ? BYTE_ORDER_MARK.length : 0;
	while (BLANKS.has(head[at])) at += 1;
	return head[at] === BRACKET;
}

function isPageType(contentType = ""): boolean {
	const [type = ""] = contentType.toLowerCase().split(";");
	const name = type.trim();
	return PAGE_TYPES.has(name) || (name.endsWith("+xml") && name !== "image/svg+xml");
}
