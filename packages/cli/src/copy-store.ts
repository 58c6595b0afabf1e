// The order in which a store is copied. Of the source: checkpoints before the log, so that none is ahead of it. Into the
// copy: keys, videos, events, and once these are verified checkpoints, so that at any time it tells of nothing that it does not have.

import type { FsKeyCopy } from "@reelkeep/storage-fs";
import { type CheckpointsReport, placeCheckpoints, saveCheckpoints } from "./copy-checkpoints.js";
import { createLogCopy, untilReadable } from "./copy-log.js";
import type { CopyProgress } from "./copy-progress.js";
import type { CopySource } from "./copy-source.js";
import type { CopyTarget } from "./copy-target.js";
import { copyVideos, type VideosReport } from "./copy-videos.js";

export interface CopyReport {
	/** Of both logs, when it was verified. */
	readonly events: number;
	/** Of everything but positions, in the order of the log; lower-case hex. */
	readonly sha256: string;
	readonly copiedEvents: number;
	readonly checkpoints: CheckpointsReport;
	/** `undefined`: they were left where they are. */
	readonly videos: VideosReport | undefined;
	/** Whether a process writes to the source; `undefined`: nobody can tell. */
	readonly isSourceInUse: boolean | undefined;
}

export interface CopyStoreOptions {
	readonly source: CopySource;
	readonly target: CopyTarget;
	/** `undefined`: none are copied. */
	readonly keys: FsKeyCopy | undefined;
	readonly progress: CopyProgress;
	readonly signal: AbortSignal;
}

/**
 * Copies what the source has when it begins.
 * *Errors*: rejects with a `StoreFault` or a `KeyringFault`; with the signal's reason.
 * *Promise*: verified when it resolves. Cut short at any time, the same call goes on.
 */
export async function copyStore(options: CopyStoreOptions): Promise<CopyReport> {
	const { source, target, keys, progress, signal } = options;
	const places = placeCheckpoints(await source.listCheckpoints());
	const end = await source.lastPosition();
	await untilReadable(source.events, end, signal);
	const log = createLogCopy({ source: source.events, target, end, places, progress, signal });
	const known = await log.compare();
	await keys?.write();
	const [from, to] = [source.videos, target.videos];
	const videos =
		from && to && (await copyVideos({ events: source.events, from, to, end, known, progress, signal }));
	const copiedEvents = await log.addRest();
	const { count, sha256 } = await log.verify();
	const checkpoints = await saveCheckpoints(target.checkpoints, places.places());
	const isSourceInUse = await source.isInUse();
	return { events: count, sha256, copiedEvents, checkpoints, videos, isSourceInUse };
}
