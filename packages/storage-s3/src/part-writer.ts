// The bytes of one upload on their way: gathered to a part, put into the bucket while the next one is gathered.

import { createHash, type Hash } from "node:crypto";
import type { VideoDigest } from "@reelkeep/core/ports";
import type { Bucket } from "./bucket.js";
import { noteKey, partKey } from "./partial-layout.js";

export interface StoredPart {
	readonly key: string;
	readonly bytes: number;
	readonly etag: string;
}

/** What is held of an upload when its writer is made. */
export interface HeldBytes {
	readonly parts: readonly StoredPart[];
	/** Shorter than a part: it is written anew with what comes behind it. */
	readonly tail: Uint8Array;
	/** Of all of them. */
	readonly hash: Hash;
	/** Whether note and parts are in the bucket already. */
	readonly isNoted: boolean;
}

export const nothingHeld = (): HeldBytes => ({
	parts: [],
	tail: new Uint8Array(),
	hash: createHash("sha256"),
	isNoted: false,
});

export interface PartWriterOptions {
	readonly bucket: Bucket;
	/** `videoName` of the video. */
	readonly name: string;
	readonly uploadId: string;
	readonly note: string | undefined;
	readonly partBytes: number;
	readonly maxParts: number;
}

export interface PartWriter {
	/** Copies `chunk`. *Errors*: rejects with a `StoreFault` when a part could not be put, also one of an earlier call. */
	write(chunk: Uint8Array): Promise<void>;
	digest(): VideoDigest;
	/** Resolves when no part is under way. Never rejects. */
	settled(): Promise<void>;
	/** Why a part could not be put. */
	failure(): unknown;
	parts(): readonly StoredPart[];
	/** What is in no part yet. */
	tail(): Uint8Array;
	/** Puts the tail into a part of its own, so that all is kept. */
	putTail(): Promise<void>;
	/** Whatever may be in the bucket. */
	keys(): readonly string[];
}

export function createPartWriter(options: PartWriterOptions, held: HeldBytes): PartWriter {
	const { bucket, name, uploadId, note, partBytes, maxParts } = options;
	const parts: StoredPart[] = [...held.parts];
	const keys = new Set(parts.map(({ key }) => key));
	let bytes = held.tail.length + parts.reduce((sum, part) => sum + part.bytes, 0);
	let isNoted = held.isNoted;
	if (isNoted) {
		keys.add(noteKey(name, uploadId));
		// The short part of the tail.
		if (held.tail.length > 0) keys.add(partKey(name, uploadId, parts.length + 1));
	}
	let buffer: Buffer | undefined;
	let filled = 0;
	let underWay: Promise<void> = Promise.resolve();
	let failure: unknown;

	const gather = (chunk: Uint8Array): void => {
		buffer ??= Buffer.allocUnsafe(partBytes);
		buffer.set(chunk, filled);
		filled += chunk.length;
	};
	if (held.tail.length > 0) gather(held.tail);

	const putNote = async (): Promise<void> => {
		if (isNoted || note === undefined) return;
		const key = noteKey(name, uploadId);
		keys.add(key);
		await bucket.put(key, Buffer.from(JSON.stringify({ note })));
		isNoted = true;
	};
	const put = async (body: Uint8Array): Promise<StoredPart> => {
		const key = partKey(name, uploadId, parts.length + 1, maxParts);
		await putNote();
		keys.add(key);
		return { key, bytes: body.length, etag: await bucket.put(key, body) };
	};
	const refuseFailed = (): void => {
		if (failure !== undefined) throw failure;
	};
	/** One at a time and in order: what a kill leaves has no gap, and no short part but the last. */
	const flush = async (): Promise<void> => {
		await underWay;
		refuseFailed();
		const body = tail();
		buffer = undefined;
		filled = 0;
		underWay = put(body).then(
			(part) => void parts.push(part),
			(error: unknown) => {
				failure = error;
			},
		);
	};
	const tail = (): Uint8Array => buffer?.subarray(0, filled) ?? new Uint8Array();
	return {
		async write(chunk) {
			refuseFailed();
			held.hash.update(chunk);
			bytes += chunk.length;
			for (let at = 0; at < chunk.length; ) {
				const piece = chunk.subarray(at, at + partBytes - filled);
				gather(piece);
				at += piece.length;
				if (filled === partBytes) await flush();
			}
		},
		digest: () => ({ bytes, sha256: held.hash.copy().digest("hex") }),
		settled: () => underWay,
		failure: () => failure,
		parts: () => parts,
		tail,
		async putTail() {
			await underWay;
			refuseFailed();
			if (filled > 0) parts.push(await put(tail()));
		},
		keys: () => [...keys],
	};
}
