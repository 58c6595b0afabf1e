// Reads the kept videos of a data directory, also from outside its owner.

import { resolve } from "node:path";
import { checkVideoOffset, storeFault, type VideoStore } from "@reelkeep/core/ports";
import { openIfPresent, toFault } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { createNodeFileSystem } from "./node-file-system.js";
import { streamFile } from "./video-file.js";
import { placeAt } from "./video-place.js";

export interface FsVideoReaderOptions {
	readonly directory: string;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
}

/** Makes a reader of kept videos, beside a running owner or without one; it changes nothing in the directory. */
export function createFsVideoReader(options: FsVideoReaderOptions): Pick<VideoStore, "open"> {
	const { fileSystem = createNodeFileSystem() } = options;
	const directory = resolve(options.directory);
	return {
		async *open(location, { offset = 0 } = {}) {
			checkVideoOffset(offset);
			try {
				yield* await openVideo(fileSystem, directory, location, offset);
			} catch (error) {
				throw toFault(error, "opening a video");
			}
		},
	};
}

/** The bytes at `location` from `offset` on. *Errors*: rejects with a `StoreFault` when no video is there. */
export async function openVideo(
	fileSystem: FileSystem,
	directory: string,
	location: string,
	offset: number,
): Promise<AsyncIterable<Uint8Array>> {
	const file = await openIfPresent(fileSystem, placeAt(directory, location).path);
	if (file === undefined) throw storeFault("io", `there is no video at ${location}`, { retryable: false });
	return streamFile(file, offset);
}
