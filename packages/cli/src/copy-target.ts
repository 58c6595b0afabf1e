// Where a store is copied to: opened for writing, and owned where it is a directory.

import { mkdir, readdir } from "node:fs/promises";
import { lastPosition } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import {
	type CheckpointStore,
	type EventImporter,
	type EventStore,
	type Logger,
	type Position,
	storeFault,
	type VideoStore,
} from "@reelkeep/core/ports";
import {
	createFsCheckpointStore,
	createFsEventStore,
	createFsVideoStore,
	createSocketOwnership,
} from "@reelkeep/storage-fs";
import { openBucket } from "./compose-storage.js";
import type { CopyConfig, VideosPlace } from "./copy-config.js";

export interface CopyTarget {
	readonly events: EventStore & EventImporter;
	readonly checkpoints: CheckpointStore;
	/** `undefined`: videos are not copied. */
	readonly videos: VideoStore | undefined;
	/** Of what is recorded by now, whether it can be read already or not. */
	lastPosition(): Promise<Position | undefined>;
	close(): Promise<void>;
}

/** What may stand in a directory before anything was copied to it. */
const BEFORE = /^(lost\+found|owner\.\d+\.sock|keys\.json|videos)$/;

/** *Errors*: rejects with a `StoreFault`, also for a directory that holds something else. */
export async function openCopyTarget(config: CopyConfig, logger: Logger): Promise<CopyTarget> {
	const closing: (() => Promise<void>)[] = [];
	const close = async (): Promise<void> => {
		for (const each of closing.splice(0).reverse()) await each();
	};
	try {
		const log = await openLog(config, logger, closing);
		const { videos: place } = config.to;
		const videos = place && (await openVideos(place, { config, logger, closing }));
		return { ...log, videos, close };
	} catch (error) {
		await close();
		throw error;
	}
}

type Closing = (() => Promise<void>)[];

async function openLog(
	{ to, allowNetworkFileSystem }: CopyConfig,
	logger: Logger,
	closing: Closing,
): Promise<Pick<CopyTarget, "events" | "checkpoints" | "lastPosition">> {
	if (to.events._tag === "Postgres") {
		const { openPostgresStores } = await import("@reelkeep/storage-postgres");
		const { connectionString } = to.events;
		const stores = await openPostgresStores({
			connectionString,
			access: "write",
			clock: systemClock,
			logger,
		});
		closing.push(stores.close);
		const { events, checkpoints } = stores;
		return { events, checkpoints, lastPosition: events.lastPosition };
	}
	const { directory } = to.events;
	await refuseOther(directory);
	const events = createFsEventStore({ directory, clock: systemClock, logger, allowNetworkFileSystem });
	await events.open();
	closing.push(events.close);
	const checkpoints = createFsCheckpointStore({ directory });
	await checkpoints.open();
	closing.push(checkpoints.close);
	return { events, checkpoints, lastPosition: () => lastPosition(events) };
}

/** A directory that was mistyped is not made a store of. */
async function refuseOther(directory: string): Promise<void> {
	const names: readonly string[] = await readdir(directory).catch(
		(error: NodeJS.ErrnoException): readonly string[] => {
			if (error.code === "ENOENT") return [];
			throw storeFault("io", `looking into ${directory} failed (${error.code})`, { retryable: false });
		},
	);
	if (names.includes("events") || names.every((name) => BEFORE.test(name))) return;
	throw storeFault(
		"io",
		`${directory} is neither empty nor a store; name an empty directory, or one that does not exist`,
		{
			retryable: false,
		},
	);
}

interface Opening {
	readonly config: CopyConfig;
	readonly logger: Logger;
	readonly closing: Closing;
}

async function openVideos(place: VideosPlace, { config, logger, closing }: Opening): Promise<VideoStore> {
	if (place._tag === "Bucket") {
		const { videos, close } = await openBucket(place.bucket, logger);
		closing.push(close);
		return videos;
	}
	const { to } = config;
	const { directory } = place;
	const isOwned = to.events._tag === "Directory" && to.events.directory === directory;
	if (!isOwned) {
		// Else a server that keeps videos there could remove what is being written.
		await mkdir(directory, { recursive: true, mode: 0o700 });
		const owned = await createSocketOwnership().acquire(directory, systemClock.now());
		closing.push(owned.release);
	}
	const videos = createFsVideoStore({ directory });
	await videos.start();
	closing.push(videos.close);
	return videos;
}
