// Hashing and streaming of whole video files.

import { toFault } from "./durable-files.js";
import type { OpenFile } from "./file-system.js";

/** What is held in memory of a video at once. */
const READ_CHUNK_BYTES = 256 * 1024;

/**
 * Feeds the whole file to `hash`, which may take its time, and to `onBytes`, for which each chunk is a buffer of its own;
 * resolves with its length in bytes.
 */
export async function hashFile(
	file: OpenFile,
	hash: { update(chunk: Uint8Array): unknown },
	onBytes?: (chunk: Uint8Array) => void,
): Promise<number> {
	let target = Buffer.allocUnsafe(READ_CHUNK_BYTES);
	let offset = 0;
	for (;;) {
		const count = await file.read(target, offset);
		if (count === 0) return offset;
		const chunk = target.subarray(0, count);
		await hash.update(chunk);
		offset += count;
		if (onBytes === undefined) continue;
		onBytes(chunk);
		target = Buffer.allocUnsafe(READ_CHUNK_BYTES);
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
