// Hashing and streaming of whole video files.

import type { Hash } from "node:crypto";
import { toFault } from "./durable-files.js";
import type { OpenFile } from "./file-system.js";

/** What is held in memory of a video at once. */
export const READ_CHUNK_BYTES = 256 * 1024;

/** Feeds the whole file to `hash`; resolves with its length in bytes. */
export async function hashFile(file: OpenFile, hash: Hash): Promise<number> {
	const chunk = Buffer.allocUnsafe(READ_CHUNK_BYTES);
	let offset = 0;
	for (;;) {
		const count = await file.read(chunk, offset);
		if (count === 0) return offset;
		hash.update(chunk.subarray(0, count));
		offset += count;
	}
}

/** The file's bytes from `offset` on, each chunk a buffer of its own. Closes the file. */
export async function* streamFile(file: OpenFile, offset: number): AsyncGenerator<Uint8Array> {
	try {
		for (let at = offset; ; ) {
			const chunk = Buffer.allocUnsafe(READ_CHUNK_BYTES);
			const count = await file.read(chunk, at);
			if (count === 0) return;
			at += count;
			yield chunk.subarray(0, count);
		}
	} catch (error) {
		throw toFault(error, "reading a video");
	} finally {
		await file.close();
	}
}
