// What the parts of a backup do with files: looking, and copying in pieces.

import type { Meter } from "./backup-meter.js";
import { toFault } from "./durable-files.js";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";

/** What is held in memory of a file at once. */
export const COPY_CHUNK_BYTES = 1024 * 1024;

/** The names in a directory that are of this kind, in order; none when there is no such directory. */
export async function listIfPresent(
	fileSystem: FileSystem,
	directory: string,
	kind: RegExp,
): Promise<readonly string[]> {
	try {
		return (await fileSystem.list(directory)).filter((name) => kind.test(name)).sort();
	} catch (error) {
		if (hasCode(error, "ENOENT")) return [];
		throw error;
	}
}

/**
 * Copies all of `source`; resolves with how many bytes that were. *Errors*: rejects with `io` that says `reading` when it
 * cannot be read, with the system's error when `target` cannot be written.
 */
export async function copyBytes(
	source: OpenFile,
	target: OpenFile,
	{ reading, meter }: { readonly reading: string; readonly meter: Meter },
): Promise<number> {
	const chunk = Buffer.allocUnsafe(COPY_CHUNK_BYTES);
	for (let offset = 0; ; ) {
		const count = await duringRead(reading, () => source.read(chunk, offset));
		if (count === 0) return offset;
		await target.write(chunk.subarray(0, count), offset);
		offset += count;
		meter.copied(count);
	}
}

/** *Errors*: what `work` rejects with, as a fault that says `reading`. */
export async function duringRead<Result>(reading: string, work: () => Promise<Result>): Promise<Result> {
	try {
		return await work();
	} catch (error) {
		throw toFault(error, reading);
	}
}
