// Looks whether the videos of a data directory are what its log says of them, and mends what can be mended.

import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
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
import type { VideoInspection } from "./video-findings.js";
import { type InspectionProgress, inspectVideos } from "./video-inspection.js";
import { type Mending, mendFinding } from "./video-mending.js";

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
	readonly clock: Clock;
}

export interface MendReport {
	/** What was wrong. */
	readonly found: VideoInspection;
	/** What became of each finding, in the same order. */
	readonly mendings: readonly Mending[];
}

/**
 * Compares, and mends what it finds:
 * - A missing or damaged video is told to the log as `VideoRemoved`, so that the archiver tries its links again; a damaged file is
 *   moved to `videos/damaged/` before that.
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
			for (const finding of found.findings) mendings.push(await mendFinding(tools, finding));
			return { found, mendings };
		} finally {
			await store.close();
		}
	} catch (error) {
		throw toFault(error, `mending the videos in ${directory}`);
	}
}
