// Videos: streamed to `videos/partial/`, then linked, once, under a final name that is derived from their key.

import { join, resolve } from "node:path";
import {
	checkUploadNote,
	checkVideoKey,
	checkVideoOffset,
	type Logger,
	storeFault,
	type VideoKey,
	type VideoStore,
	videoName,
} from "@reelkeep/core/ports";
import { makeDurableDirectory, toFault } from "./durable-files.js";
import { type FileSystem, hasCode } from "./file-system.js";
import { createNodeFileSystem } from "./node-file-system.js";
import { type KeptPartial, newPartialName, partPath, removePartial, reopenPartial } from "./partial-files.js";
import { createMarks, MARK_INTERVAL, type MarkInterval, type SyncTurn } from "./partial-marks.js";
import { createPartialUploads, type PartialUploads } from "./partial-uploads.js";
import { hashFile } from "./video-file.js";
import { createVideoHashes, type VideoHashes } from "./video-hash.js";
import { lookAtFile } from "./video-look.js";
import { placeAt, placeOf } from "./video-place.js";
import { openVideo } from "./video-reader.js";
import { createUpload, type OpenPartial, statVideo } from "./video-upload.js";

export interface FsVideoStoreOptions {
	/** The data directory; made when it is missing. */
	readonly directory: string;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** How often what is durable of an upload with a note is marked. Default: 32 MiB, 1 s; less is of use in tests. */
	readonly markInterval?: MarkInterval;
	/** Is told at the start which files are left alone, and why. */
	readonly logger?: Logger;
}

export interface FsVideoStore extends VideoStore {
	/**
	 * (`open` is the port's.) Makes the directories; finds what earlier processes left half-written, and removes what cannot be
	 * gone on with.
	 * The caller owns the data directory. Until then every call rejects with `closed`.
	 */
	start(): Promise<void>;
	/** Refuses new work. Uploads under way may still be committed, suspended or discarded. Idempotent. */
	close(): Promise<void>;
}

/** Makes the video store of a data directory. Locations are paths inside it, so that it may be moved. */
export function createFsVideoStore(options: FsVideoStoreOptions): FsVideoStore {
	const directory = resolve(options.directory);
	const fileSystem = options.fileSystem ?? createNodeFileSystem();
	const folder = join(directory, "videos", "partial");
	const partials = createPartialUploads(fileSystem, folder, options.logger);
	const interval = options.markInterval ?? MARK_INTERVAL;
	const hashes = createVideoHashes();
	const uploads: Uploads = { fileSystem, partials, folder, hashes, turn: { isTaken: false }, interval };
	let isOpen = false;
	const during = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
		if (!isOpen) throw storeFault("closed", "the video store is not open");
		try {
			return await work();
		} catch (error) {
			throw toFault(error, doing);
		}
	};

	return {
		supports: { resume: true },
		async start() {
			try {
				await makeDurableDirectory(fileSystem, folder);
				await partials.load(async (videoName) => {
					const look = await lookAtFile(fileSystem, placeOf(directory, videoName));
					return typeof look === "number";
				});
			} catch (error) {
				throw toFault(error, `opening ${folder}`);
			}
			isOpen = true;
		},
		async begin(key, { note, resume } = {}) {
			if (note !== undefined) checkUploadNote(note);
			return during("starting an upload", async () => {
				const name = nameOf(key);
				// Only one of several that resume the same upload gets it.
				const kept = partials.take(name);
				const isResumed = kept !== undefined && kept.name === resume?.resumeToken;
				if (kept !== undefined && !isResumed) await removePartial(fileSystem, folder, kept);
				const partial =
					(isResumed ? await resumePartial(uploads, kept, resume?.onBytes) : undefined) ??
					(await startPartial(uploads, name, note));
				partials.begin(partial.name);
				const onEnd = async (left: KeptPartial | undefined) => {
					try {
						if (left !== undefined) await partials.put(left);
					} finally {
						partials.end(partial.name);
					}
				};
				return createUpload(partial, { fileSystem, folder, place: placeOf(directory, name), onEnd });
			});
		},
		findPartial: (key) =>
			during("looking for an unfinished video", async () => {
				const kept = partials.find(nameOf(key));
				return kept && { resumeToken: kept.name, bytes: kept.bytes, note: kept.note };
			}),
		removePartial: (key) => during("removing an unfinished video", () => partials.remove(nameOf(key))),
		freeBytes: () => during("asking for free space", () => fileSystem.freeBytes(folder)),
		stat: (key) => during("looking at a video", () => statVideo(fileSystem, placeOf(directory, nameOf(key)))),
		async *open(location, { offset = 0 } = {}) {
			checkVideoOffset(offset);
			yield* await during("opening a video", () => openVideo(fileSystem, directory, location, offset));
		},
		remove: (location) =>
			during("removing a video", async () => {
				const { path, folder } = placeAt(directory, location);
				try {
					await fileSystem.unlink(path);
					await fileSystem.syncDirectory(folder);
				} catch (error) {
					if (!hasCode(error, "ENOENT")) throw error;
				}
			}),
		async close() {
			isOpen = false;
			hashes.close();
		},
	};
}

interface Uploads {
	readonly fileSystem: FileSystem;
	readonly partials: PartialUploads;
	/** Of the partial files. */
	readonly folder: string;
	readonly hashes: VideoHashes;
	readonly turn: SyncTurn;
	readonly interval: MarkInterval;
}

/** A new, empty upload. */
async function startPartial(
	{ fileSystem, folder, hashes, turn, interval }: Uploads,
	videoName: string,
	note: string | undefined,
): Promise<OpenPartial> {
	const name = newPartialName(videoName);
	const part = await fileSystem.open(partPath(folder, name), "create");
	const partial = { name, part, bytes: 0, hash: hashes.begin() };
	if (note === undefined) return partial;
	const marks = createMarks({ fileSystem, folder, name, note, part, turn, interval });
	return { ...partial, resumable: { videoName, note, marks } };
}

/**
 * What an upload left, to go on with. `undefined`: it is gone.
 * *Errors*: rejects; what cannot be read again, which would be so the next time too, is removed.
 */
async function resumePartial(
	{ fileSystem, partials, folder, hashes, turn, interval }: Uploads,
	kept: KeptPartial,
	onBytes: ((chunk: Uint8Array) => void) | undefined,
): Promise<OpenPartial | undefined> {
	const { name, videoName, note, bytes } = kept;
	const files = await reopenPartial(fileSystem, folder, kept).catch(async (error) => {
		await partials.put(kept);
		throw error;
	});
	if (files === undefined) return undefined;
	const { part, note: resumed } = files;
	const hash = hashes.begin();
	try {
		const read = await hashFile(part, hash, onBytes);
		if (read !== bytes) throw storeFault("io", `an unfinished video has ${read} bytes, and had ${bytes}`);
	} catch (error) {
		hash.end();
		await resumed.file.close();
		await part.close();
		await removePartial(fileSystem, folder, kept);
		throw error;
	}
	const marks = createMarks({ fileSystem, folder, name, note, part, resumed, turn, interval });
	return { name, part, bytes, hash, resumable: { videoName, note, marks } };
}

/** *Errors*: throws a `TypeError`. */
function nameOf(key: VideoKey): string {
	checkVideoKey(key);
	return videoName(key);
}
