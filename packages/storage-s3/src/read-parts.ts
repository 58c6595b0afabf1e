// Reads back what is held of an upload: every part is hashed, and checked against what was written.

import { createHash } from "node:crypto";
import { type BucketOptions, faulted } from "./bucket.js";
import type { HeldBytes, StoredPart } from "./part-writer.js";
import type { PartialObjects } from "./partial-layout.js";
import { getObject } from "./read-object.js";
import { contentMd5 } from "./request-headers.js";

/** Of a note: more is not read. */
const MAX_NOTE_OBJECT_BYTES = 64 * 1024;

/**
 * What is as it was written, from the beginning on: a part that is damaged or gone ends it. `undefined`: nothing is.
 * `onBytes` is called with all of it, in order, and a part at a time is in memory.
 * *Errors*: rejects with a `StoreFault` when the bucket cannot be read; `onBytes` may have been called then.
 */
export async function readParts(
	options: BucketOptions,
	partial: PartialObjects,
	partBytes: number,
	onBytes: (chunk: Uint8Array) => void = () => undefined,
): Promise<HeldBytes | undefined> {
	const hash = createHash("sha256");
	const parts: StoredPart[] = [];
	let last: Uint8Array = new Uint8Array();
	for (const part of partial.parts) {
		const body = await readSmall(options, part.key, part);
		if (body === undefined) break;
		hash.update(body);
		onBytes(body);
		parts.push(part);
		last = body;
	}
	if (parts.length === 0) return undefined;
	const isShort = last.length < partBytes;
	return {
		parts: isShort ? parts.slice(0, -1) : parts,
		tail: isShort ? last : new Uint8Array(),
		hash,
		isNoted: true,
	};
}

/** `undefined`: it is gone, or is no note. *Errors*: rejects with a `StoreFault`. */
export async function readNote(options: BucketOptions, key: string): Promise<string | undefined> {
	const body = await readSmall(options, key, { bytes: MAX_NOTE_OBJECT_BYTES });
	if (body === undefined) return undefined;
	try {
		const { note } = JSON.parse(Buffer.from(body).toString()) as { readonly note?: unknown };
		return typeof note === "string" ? note : undefined;
	} catch {
		return undefined;
	}
}

/** An object of ours as a whole; `undefined`: it is gone, or not as it was written. */
async function readSmall(
	options: BucketOptions,
	key: string,
	{ bytes, etag }: { readonly bytes: number; readonly etag?: string },
): Promise<Uint8Array | undefined> {
	const opened = await getObject(options, key, { etag });
	if (typeof opened === "string") return undefined;
	const body = await faulted("reading a part of a video", gather(opened.chunks, bytes));
	return opened.metadata.md5 === contentMd5(body) ? body : undefined;
}

async function gather(chunks: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
	const all: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of chunks) {
		all.push(chunk);
		bytes += chunk.length;
		if (bytes > limit) break;
	}
	return Buffer.concat(all);
}
