// One upload: written and hashed in order, then committed, suspended or discarded, once.

import { createHash, type Hash } from "node:crypto";
import { dirname, join } from "node:path";
import {
	type CommitResult,
	type StoredVideo,
	storeFault,
	type VideoDigest,
	type VideoUpload,
} from "@reelkeep/core/ports";
import { makeDurableDirectory, openIfPresent, toFault, unlinkIfPresent } from "./durable-files.js";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";
import { hashFile } from "./video-file.js";

/** Where a video lies, or will lie, under its final name. */
export interface VideoPlace {
	/** Its path inside the data directory. */
	readonly location: string;
	readonly path: string;
	readonly folder: string;
}

/** A file under `videos/partial/` that this process writes. */
export interface PartialVideo {
	readonly path: string;
	/** What it is called while nobody writes it; also the resume token. */
	readonly keptName: string;
	readonly file: OpenFile;
	readonly bytes: number;
	/** Of the bytes that are there. */
	readonly hash: Hash;
}

export interface UploadOptions {
	readonly fileSystem: FileSystem;
	readonly place: VideoPlace;
	/** Called once, when the upload is over and its partial file gone or kept. */
	readonly onEnd: () => void;
}

/** Makes the upload that goes on with `partial`. Its methods run one after the other, in the order of the calls. */
export function createUpload(partial: PartialVideo, options: UploadOptions): VideoUpload {
	const { fileSystem } = options;
	let bytes = partial.bytes;
	let last: Promise<unknown> = Promise.resolve();
	let isOver = false;
	let failure: unknown;

	const inTurn = <T>(doing: string, work: () => Promise<T>): Promise<T> => {
		const turn = last.then(work).catch((error) => {
			throw toFault(error, doing);
		});
		last = turn.catch(() => {});
		return turn;
	};
	const refuseOver = () => {
		if (isOver) throw storeFault("closed", "this upload is over");
		if (failure !== undefined) throw failure;
	};
	/** After a failure file and hash may differ, and a second sync would not tell: only `discard` is left. */
	const onceOnly = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
		try {
			return await work();
		} catch (error) {
			failure = toFault(error, doing);
			throw failure;
		}
	};
	const end = async () => {
		isOver = true;
		options.onEnd();
		await partial.file.close();
	};
	const remove = async () => {
		await end();
		await unlinkIfPresent(fileSystem, partial.path);
	};
	const digest = (): VideoDigest => ({ bytes, sha256: partial.hash.copy().digest("hex") });

	return {
		offset: partial.bytes,
		resumeToken: partial.keptName,
		write: (chunk) =>
			inTurn("writing a video", async () => {
				refuseOver();
				await onceOnly("writing a video", async () => {
					const written = partial.file.write(chunk, bytes);
					partial.hash.update(chunk); // While the disk works.
					await written;
					bytes += chunk.byteLength;
				});
			}),
		digest: () =>
			inTurn("hashing a video", async () => {
				refuseOver();
				return digest();
			}),
		commit: () =>
			inTurn("committing a video", async () => {
				refuseOver();
				const result = await onceOnly("committing a video", async () => {
					await partial.file.datasync();
					return linkVideo(partial, digest(), options);
				});
				await remove();
				await fileSystem.syncDirectory(dirname(partial.path));
				return result;
			}),
		discard: () => inTurn("discarding a video", async () => (isOver ? undefined : remove())),
		suspend: () =>
			inTurn("suspending a video", async () => {
				if (isOver) return;
				if (failure !== undefined || bytes === 0) return remove();
				await partial.file.datasync();
				await end();
				await fileSystem.rename(partial.path, join(dirname(partial.path), partial.keptName));
				await fileSystem.syncDirectory(dirname(partial.path));
			}),
	};
}

async function linkVideo(
	partial: PartialVideo,
	digest: VideoDigest,
	{ fileSystem, place }: UploadOptions,
): Promise<CommitResult> {
	await makeDurableDirectory(fileSystem, place.folder);
	try {
		await fileSystem.link(partial.path, place.path);
	} catch (error) {
		if (!hasCode(error, "EEXIST")) throw error;
		// Whoever linked it may have crashed before the next line.
		await fileSystem.syncDirectory(place.folder);
		const video = await statVideo(fileSystem, place);
		if (video === undefined) throw error; // Removed meanwhile: the caller may try again.
		return { _tag: "AlreadyStored", video };
	}
	await fileSystem.syncDirectory(place.folder);
	return { _tag: "Committed", video: { location: place.location, ...digest } };
}

/** Length and hash of what lies at `place`, read from the file, its name made durable; `undefined` when there is none. */
export async function statVideo(fileSystem: FileSystem, place: VideoPlace): Promise<StoredVideo | undefined> {
	const file = await openIfPresent(fileSystem, place.path);
	if (file === undefined) return undefined;
	try {
		// A process that died between link and sync left a name that a power cut would take again.
		await fileSystem.syncDirectory(place.folder);
		const hash = createHash("sha256");
		const bytes = await hashFile(file, hash);
		return { location: place.location, bytes, sha256: hash.digest("hex") };
	} finally {
		await file.close();
	}
}
