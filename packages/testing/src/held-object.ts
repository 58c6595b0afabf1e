// An object of the stand-in, and what its origin says about it: its habits, which differ between real ones.

import { createHash } from "node:crypto";
import type { createCRC64 } from "hash-wasm";

/** Where an object's bytes come from: kept, or made up on the way so that a large one costs no memory. */
export interface ObjectBytes {
	readonly length: number;
	read(start: number, end: number): Uint8Array;
}

export interface ObjectHabits {
	/**
	 * - `md5`: OSS's for an object put in one piece; the default
	 * - `other`: looks like one and is none, as where OSS encrypts
	 * - `parts`: as of a multipart upload
	 * - `weak`: as where a proxy has been at work
	 * - `none`
	 */
	readonly etag?: "md5" | "other" | "parts" | "weak" | "none";
	/** `x-oss-hash-crc64ecma`. Default: not said. */
	readonly crc64?: boolean;
	/** `Content-MD5`, of whole answers. Default: not said. */
	readonly contentMd5?: boolean;
	/** `x-oss-object-type`, e.g. `Normal`, `Appendable`, `Multipart`. Default: not said. */
	readonly objectType?: string;
	/** `Last-Modified`: so long before it was put here. Milliseconds. Default: not said. */
	readonly modifiedMsAgo?: number;
	/** A range that begins behind the end is answered with 416; OSS sends the whole object. */
	readonly refusesRanges?: boolean;
}

/** What OSS says of an object that was put in one piece. */
export const OSS_HABITS: ObjectHabits = { crc64: true, objectType: "Normal", modifiedMsAgo: 0 };

export interface HeldObject {
	readonly bytes: ObjectBytes;
	readonly headers: Readonly<Record<string, string>>;
	/** Upper-case hex. */
	readonly md5: string;
	readonly habits: ObjectHabits;
}

export type Crc64 = Awaited<ReturnType<typeof createCRC64>>;

const STEP_BYTES = 1024 * 1024;

/** Hashes an object once. *Units*: `now` in UTC milliseconds. */
export function holdObject(
	object: Uint8Array | ObjectBytes,
	habits: ObjectHabits,
	{ crc64, now }: { readonly crc64: Crc64; readonly now: number },
): HeldObject {
	const bytes = object instanceof Uint8Array ? wholeOf(object) : object;
	const hash = createHash("md5");
	if (habits.crc64) crc64.init();
	for (let at = 0; at < bytes.length; at += STEP_BYTES) {
		const step = bytes.read(at, Math.min(at + STEP_BYTES, bytes.length));
		hash.update(step);
		if (habits.crc64) crc64.update(step);
	}
	const md5 = hash.digest("hex").toUpperCase();
	const { objectType, modifiedMsAgo } = habits;
	const etag = etagOf(md5, habits.etag);
	const headers = {
		...(etag === undefined ? {} : { etag }),
		...(habits.crc64 ? { "x-oss-hash-crc64ecma": BigInt(`0x${crc64.digest("hex")}`).toString() } : {}),
		...(objectType === undefined ? {} : { "x-oss-object-type": objectType }),
		...(modifiedMsAgo === undefined ? {} : { "last-modified": new Date(now - modifiedMsAgo).toUTCString() }),
	};
	return { bytes, headers, md5, habits };
}

/** Each is another one for other bytes. */
function etagOf(md5: string, kind: ObjectHabits["etag"] = "md5"): string | undefined {
	switch (kind) {
		case "md5":
			return `"${md5}"`;
		case "other":
			return `"${createHash("md5").update(md5).digest("hex").toUpperCase()}"`;
		case "parts":
			return `"${md5}-2"`;
		case "weak":
			return `W/"${md5}"`;
		case "none":
			return undefined;
	}
}

function wholeOf(object: Uint8Array): ObjectBytes {
	return { length: object.length, read: (start, end) => object.subarray(start, end) };
}
