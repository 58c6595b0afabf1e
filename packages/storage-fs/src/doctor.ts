// Looks whether the videos of a data directory are what its log says of them, and mends what can be mended.

import { randomUUID } from "node:crypto";
import { basename, resolve } from "node:path";
import type { Clock } from "@reelkeep/core/ports";
import { toFault } from "./durable-files.js";
import { openFsEventReader } from "./event-reader.js";
import { createFsEventStore } from "./event-store.js";
import type { FileSystem } from "./file-system.js";
import { requireLog } from "./log-files.js";
import { MAX_POSITION } from "./log-index.js";
import { createNodeFileSystem } from "./node-file-system.js";
import type { Ownership } from "./ownership.js";
import { createSocketOwnership } from "./socket-ownership.js";
import type { DamagedVideo, MissingVideo, VideoFinding, VideoInspection } from "./video-findings.js";
import { type InspectionProgress, inspectVideos } from "./video-inspection.js";
import { type Mending, mendFinding, movedAside } from "./video-mending.js";

export interface InspectFsVideosOptions {
	/** The data directory. */
	readonly directory: string;
	/** Also read every kept video, and compare its SHA-256 with its receipt. Default: no. */
	readonly hashes?: boolean;
	readonly onProgress?: (progress: InspectionProgress) => void;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in the directory. */
	readonly ownership?: Ownership;
}

/**
 * Compares the log of `directory` with its videos, beside a running owner too; changes nothing.
 * *Errors*: rejects with a `StoreFault`: `io`, `corrupt` for a log that is damaged. What is wrong with videos is no error:
 * it is in the result.
 */
export async function inspectFsVideos(options: InspectFsVideosOptions): Promise<VideoInspection> {
	const directory = resolve(options.directory);
	const { fileSystem = createNodeFileSystem(), ownership = createSocketOwnership() } = options;
	try {
		const events = await openFsEventReader({ directory, fileSystem, ownership });
		try {
			const owner = await ownership.connect(directory);
			owner?.close();
			const { hashes = false, onProgress } = options;
			const isOwned = owner !== undefined;
			return await inspectVideos({
				fileSystem,
				directory,
				events,
				isOwned,
				hashes,
				...(onProgress && { onProgress }),
			});
		} finally {
			await events.close();
		}
	} catch (error) {
		throw toFault(error, `looking at the videos in ${directory}`);
	}
}

export interface MendFsVideosOptions extends InspectFsVideosOptions {
	/** As for the store. */
	readonly allowNetworkFileSystem?: boolean;
	/** Tells missing videos as removed also when every one is missing that the log says to be kept. Default: no. */
	readonly allMissing?: boolean;
	readonly clock: Clock;
}

export interface MendReport {
	/** What was wrong. */
	readonly found: VideoInspection;
	/** What became of each finding, in the same order. */
	readonly mendings: readonly Mending[];
	/** Every kept video is missing, and nothing was told of that: `allMissing` was not asked for. */
	readonly areHeldBack: boolean;
}

/**
 * Compares, and mends what it finds:
 * - A missing or damaged video is told to the log as `VideoRemoved`, so that the archiver tries its links again; a damaged file is
 *   moved to `videos/damaged/` before that. Not so when two or more are kept and all of them are missing: their folder is not
 *   there, more likely, and the links of most will have died. `allMissing` tells them all the same.
 * - A whole video of a recording that rests without one is told as `RecordingArchived`.
 * - What uploads left that nobody will go on with is removed.
 *
 * The rest is left as it is. *Errors*: rejects with a `StoreFault`: `owned` while somebody runs on the directory,
 * `corrupt`, `io`. What cannot be mended alone is in the result. *Promise*: no file of a whole or a
 * damaged video is removed. Cut short, it can be run again.
 */
export async function mendFsVideos(options: MendFsVideosOptions): Promise<MendReport> {
	const directory = resolve(options.directory);
	const { fileSystem = createNodeFileSystem(), hashes = false, onProgress, clock } = options;
	try {
		await requireLog(fileSystem, directory);
		const store = createFsEventStore({ ...options, directory, fileSystem, maxEvents: MAX_POSITION });
		try {
			await store.open();
			const found = await inspectVideos({
				fileSystem,
				directory,
				events: store,
				isOwned: false,
				hashes,
				...(onProgress && { onProgress }),
			});
			const tools = { fileSystem, directory, store, clock, ids: { next: randomUUID } };
			const mendings: Mending[] = [];
			const areHeldBack = options.allMissing !== true && (await looksUnmounted(fileSystem, directory, found));
			for (const finding of found.findings) {
				const isHeldBack = areHeldBack && isGone(finding);
				mendings.push(isHeldBack ? heldBack(found) : await mendFinding(tools, finding));
			}
			return { found, mendings, areHeldBack };
		} finally {
			await store.close();
		}
	} catch (error) {
		throw toFault(error, `mending the videos in ${directory}`);
	}
}

/** All that are kept are missing, and none was moved aside by a mending that was cut short. One may be gone for itself. */
async function looksUnmounted(
	fileSystem: FileSystem,
	directory: string,
	{ archived, findings }: VideoInspection,
): Promise<boolean> {
	const gone = findings.filter(isGone);
	if (archived < 2 || gone.length < archived) return false;
	const aside = await movedAside(fileSystem, directory);
	return !gone.some(({ location }) => aside.has(basename(location)));
}

/** A video that was moved to another disk, with a link in its place, goes with that disk. */
function isGone(finding: VideoFinding): finding is MissingVideo | DamagedVideo {
	return finding._tag === "Missing" || (finding._tag === "Damaged" && finding.isKept && !finding.isFile);
}

function heldBack({ archived }: VideoInspection): Mending {
	const message =
		`each of the ${archived} videos that are kept is missing: the folder of videos looks like it is not there; ` +
		"mount it, or say that they are gone (allMissing)";
	return { _tag: "Failed", message };
}
