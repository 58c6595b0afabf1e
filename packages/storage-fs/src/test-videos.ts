// For this package's tests only: a video store on a scripted disk, and what to do with it.

import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import type { VideoUpload } from "@reelkeep/core/ports";
import { scriptedDisk } from "./test-disk.js";
import { createFsVideoStore, type FsVideoStore, type FsVideoStoreOptions } from "./video-store.js";

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export async function startVideos(
	directory: string,
	disk = scriptedDisk(),
	options: Pick<FsVideoStoreOptions, "markInterval"> = {},
): Promise<FsVideoStore> {
	const store = createFsVideoStore({ directory, fileSystem: disk.fileSystem, ...options });
	await store.start();
	return store;
}

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const all: Uint8Array[] = [];
	for await (const chunk of chunks) all.push(chunk);
	return Buffer.concat(all);
}

/** The names of all files below. */
export async function filesOf(directory: string): Promise<readonly string[]> {
	const entries = await readdir(directory, { recursive: true, withFileTypes: true });
	return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

export async function upload(work: VideoUpload, bytes: Uint8Array): Promise<VideoUpload> {
	for (let at = 0; at < bytes.length; at += 70_000) await work.write(bytes.subarray(at, at + 70_000));
	return work;
}
