// Videos: streamed to `videos/partial/`, then linked, once, under a final name that is derived from their key.

import { createHash, randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { storeFault, type VideoStore } from "@reelkeep/core/ports";
import { makeDurableDirectory, openIfPresent, toFault, unlinkIfPresent } from "./durable-files.js";
import { type FileSystem, hasCode } from "./file-system.js";
import { createNodeFileSystem } from "./node-file-system.js";
import { safeName } from "./safe-name.js";
import { hashFile, streamFile } from "./video-file.js";
import { createUpload, type PartialVideo, statVideo, type VideoPlace } from "./video-upload.js";

/** Only what `commit` returns; so no location leaves the directory. */
const LOCATION = /^videos\/([0-9a-f]{2})\/(\1[0-9a-f]{62}\.mp4)$/;
/** Being written now. Worthless once its process is gone: nobody knows how much of it reached the disk. */
const PARTIAL = /^[0-9a-f]{64}\.[0-9a-f]{16}\.part$/;
/** Suspended: durable as far as it goes. Such a name is the resume token. */
const KEPT = /^([0-9a-f]{64}\.[0-9a-f]{16})\.kept$/;

export interface FsVideoStoreOptions {
	/** The data directory; made when it is missing. */
	readonly directory: string;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
}

export interface FsVideoStore extends VideoStore {
	/**
	 * (`open` is the port's.) Makes the directories and removes what a dead process left half-written; suspended uploads stay.
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
	const partials = join(directory, "videos", "partial");
	const inUse = new Set<string>();
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
				await makeDurableDirectory(fileSystem, partials);
				await removeLeftovers(fileSystem, partials, inUse);
			} catch (error) {
				throw toFault(error, `opening ${partials}`);
			}
			isOpen = true;
		},
		begin: (key, { resumeToken } = {}) =>
			during("starting an upload", async () => {
				const name = safeName(checkKey(key));
				const partial =
					(await resumePartial(fileSystem, partials, name, resumeToken)) ??
					(await startPartial(fileSystem, partials, name));
				inUse.add(partial.path);
				const onEnd = () => inUse.delete(partial.path);
				return createUpload(partial, { fileSystem, place: placeOf(directory, name), onEnd });
			}),
		stat: (key) =>
			during("looking at a video", () => statVideo(fileSystem, placeOf(directory, safeName(checkKey(key))))),
		async *open(location, { offset = 0 } = {}) {
			if (!Number.isSafeInteger(offset) || offset < 0)
				throw new RangeError("offset must be 0 or a positive integer");
			yield* await during("opening a video", async () => {
				const file = await openIfPresent(fileSystem, placeAt(directory, location).path);
				if (file === undefined)
					throw storeFault("io", `there is no video at ${location}`, { retryable: false });
				return streamFile(file, offset);
			});
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
		},
	};
}

async function removeLeftovers(fileSystem: FileSystem, partials: string, inUse: ReadonlySet<string>) {
	for (const name of await fileSystem.list(partials)) {
		const path = join(partials, name);
		if (PARTIAL.test(name) && !inUse.has(path)) await unlinkIfPresent(fileSystem, path);
	}
}

/** A new, empty partial file. What was suspended for this key is superseded, and removed. */
async function startPartial(fileSystem: FileSystem, partials: string, name: string): Promise<PartialVideo> {
	for (const found of await fileSystem.list(partials)) {
		if (KEPT.test(found) && found.startsWith(name)) await unlinkIfPresent(fileSystem, join(partials, found));
	}
	const stem = `${name}.${randomBytes(8).toString("hex")}`;
	const path = join(partials, `${stem}.part`);
	const file = await fileSystem.open(path, "create");
	return { path, keptName: `${stem}.kept`, file, bytes: 0, hash: createHash("sha256") };
}

/** The suspended upload of this key that `token` names; `undefined` when there is none (any more). */
async function resumePartial(
	fileSystem: FileSystem,
	partials: string,
	name: string,
	token: string | undefined,
): Promise<PartialVideo | undefined> {
	const stem = KEPT.exec(token ?? "")?.[1];
	if (token === undefined || stem === undefined || !stem.startsWith(name)) return undefined;
	const path = join(partials, `${stem}.part`);
	try {
		// Only one of two that resume the same upload gets past this line.
		await fileSystem.rename(join(partials, token), path);
		// Before it grows: bytes that are not synced must never be found under a name that says they are.
		await fileSystem.syncDirectory(partials);
	} catch (error) {
		if (hasCode(error, "ENOENT")) return undefined;
		throw error;
	}
	const file = await fileSystem.open(path, "update");
	try {
		const hash = createHash("sha256");
		return { path, keptName: token, file, bytes: await hashFile(file, hash), hash };
	} catch (error) {
		await file.close();
		throw error;
	}
}

function placeOf(directory: string, name: string): VideoPlace {
	return placeAt(directory, `videos/${name.slice(0, 2)}/${name}.mp4`);
}

function placeAt(directory: string, location: string): VideoPlace {
	const parts = LOCATION.exec(location);
	if (parts === null)
		throw storeFault("io", "this is not the location of a video in this store", { retryable: false });
	const folder = join(directory, "videos", parts[1] as string);
	return { location, folder, path: join(folder, parts[2] as string) };
}

function checkKey(key: string): string {
	if (typeof key !== "string" || key === "")
		throw new TypeError("a video's key must be a string that is not empty");
	return key;
}
