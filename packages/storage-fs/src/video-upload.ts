// One upload: written and hashed in order, then committed, suspended or discarded, once.

import { createHash } from "node:crypto";
import {
	type CommitResult,
	type StoredVideo,
	storeFault,
	type VideoDigest,
	type VideoUpload,
} from "@reelkeep/core/ports";
import { makeDurableDirectory, toFault, withFile } from "./durable-files.js";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";
import { type KeptPartial, partPath, removePartial } from "./partial-files.js";
import type { Marks } from "./partial-marks.js";
import { hashFile } from "./video-file.js";
import type { VideoHash } from "./video-hash.js";
import { lookAtFile, lookAtVideo } from "./video-look.js";
import type { VideoPlace } from "./video-place.js";

/** The files under `videos/partial/` that this process writes. */
export interface OpenPartial {
	readonly name: string;
	readonly part: OpenFile;
	readonly bytes: number;
	/** Of the bytes that are there. */
	readonly hash: VideoHash;
	/** With a note: it can be gone on with later. */
	readonly resumable?: { readonly videoName: string; readonly note: string; readonly marks: Marks };
}

export interface UploadOptions {
	readonly fileSystem: FileSystem;
	/** Of the partial files. */
	readonly folder: string;
	readonly place: VideoPlace;
	/** Called once, when the upload is over: with what it leaves to go on with. */
	readonly onEnd: (kept: KeptPartial | undefined) => Promise<void>;
}

/** Makes the upload that goes on with `partial`. Its methods run one after the other, in the order of the calls. */
export function createUpload(partial: OpenPartial, options: UploadOptions): VideoUpload {
	const { fileSystem, folder, place } = options;
	const { part, hash, resumable } = partial;
	let bytes = partial.bytes;
	let last: Promise<unknown> = Promise.resolve();
	let isOver = false;
	let failure: unknown;
	let isSynced = true;
	let mayBeLinked = false;

	const inTurn = <T>(doing: string, work: () => Promise<T>): Promise<T> => {
		const turn = last.then(work).catch((error) => {
			throw toFault(error, doing);
		});
		last = turn.catch(() => {});
		return turn;
	};
	const refuseFailed = () => {
		const marking = resumable?.marks.failure();
		if (marking !== undefined) failure ??= toFault(marking, "syncing a video");
		if (failure !== undefined) throw failure;
	};
	const refuseOver = () => {
		if (isOver) throw storeFault("closed", "this upload is over");
		refuseFailed();
	};
	/** After a failure file and hash may differ, and a second sync would not tell: this upload is committed no more. */
	const onceOnly = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
		try {
			return await work();
		} catch (error) {
			failure = toFault(error, doing);
			throw failure;
		}
	};
	const end = async (kept?: KeptPartial) => {
		isOver = true;
		hash.end();
		await resumable?.marks.settled();
		const closed = await Promise.allSettled([resumable?.marks.close(), part.close()]);
		await options.onEnd(kept);
		for (const each of closed) if (each.status === "rejected") throw each.reason;
	};
	const remove = async () => {
		await end();
		const endings = resumable === undefined ? ["part"] : ["note", "part"];
		await removePartial(fileSystem, folder, { name: partial.name, endings });
	};
	const digest = async () => ({ bytes, sha256: await hash.digest() });
	/** The same bytes may have their final name: who went on with them would write into the video. */
	const isKept = async () =>
		mayBeLinked && typeof (await lookAtFile(fileSystem, place).catch(() => 0)) === "number";

	return {
		offset: partial.bytes,
		write: (chunk) =>
			inTurn("writing a video", async () => {
				refuseOver();
				await onceOnly("writing a video", async () => {
					// Both to their ends: a file is not closed while it is written.
					const both = await Promise.allSettled([part.write(chunk, bytes), hash.update(chunk)]);
					for (const each of both) if (each.status === "rejected") throw each.reason;
					bytes += chunk.byteLength;
				});
				resumable?.marks.wrote(bytes);
			}),
		digest: () =>
			inTurn("hashing a video", async () => {
				refuseOver();
				return digest();
			}),
		commit: () =>
			inTurn("committing a video", async () => {
				refuseOver();
				// Two syncs at a time would share one error: only one of them would be told of it.
				await resumable?.marks.settled();
				refuseFailed();
				const result = await onceOnly("committing a video", async () => {
					isSynced = false;
					await part.datasync();
					isSynced = true;
					const made = await digest();
					mayBeLinked = true;
					return linkVideo(partial, made, options);
				});
				await remove();
				await fileSystem.syncDirectory(folder);
				return result;
			}),
		discard: () => inTurn("discarding a video", async () => (isOver ? undefined : remove())),
		suspend: () =>
			inTurn("suspending a video", async () => {
				if (isOver) return;
				await resumable?.marks.settled();
				if (resumable === undefined || bytes === 0 || !isSynced || (await isKept())) return remove();
				const { marks, videoName, note } = resumable;
				try {
					// A failed write or link takes nothing from what was written before it.
					if (marks.failure() === undefined) await marks.mark(bytes);
				} finally {
					// What an earlier mark says is durable, whatever has failed since; but a failed sync is not trusted.
					const { marked, end: noteEnd } = marks;
					const isSound = marked > 0 && marks.isSynced();
					await (isSound ? end({ name: partial.name, videoName, note, bytes: marked, noteEnd }) : remove());
				}
			}),
	};
}

async function linkVideo(
	partial: OpenPartial,
	digest: VideoDigest,
	{ fileSystem, folder, place }: UploadOptions,
): Promise<CommitResult> {
	await makeDurableDirectory(fileSystem, place.folder);
	try {
		await fileSystem.link(partPath(folder, partial.name), place.path);
	} catch (error) {
		if (!hasCode(error, "EEXIST")) throw error;
		if ((await lookAtVideo(fileSystem, place)) === "no-file") {
			const inTheWay = `something that is no file is in the way of ${place.location}`;
			throw storeFault("io", `${inTheWay}; \`reelkeep doctor --fix\` moves it aside`, { cause: error });
		}
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
export function statVideo(fileSystem: FileSystem, place: VideoPlace): Promise<StoredVideo | undefined> {
	return withFile(fileSystem, place.path, async (file) => {
		// A process that died between link and sync left a name that a power cut would take again.
		await fileSystem.syncDirectory(place.folder);
		const hash = createHash("sha256");
		const bytes = await hashFile(file, hash);
		return { location: place.location, bytes, sha256: hash.digest("hex") };
	});
}
