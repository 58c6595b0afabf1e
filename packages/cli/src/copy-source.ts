// The store that is copied, opened for reading only.

import { lastPosition } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import type { Checkpoint, EventStore, Logger, Position, VideoStore } from "@reelkeep/core/ports";
import {
	createFsVideoReader,
	createSocketOwnership,
	listFsCheckpoints,
	openFsEventReader,
} from "@reelkeep/storage-fs";
import { openBucket } from "./compose-storage.js";
import type { CopyEnd, VideosPlace } from "./copy-config.js";

export interface CopySource {
	readonly events: EventStore;
	/** `undefined`: videos are not copied. */
	readonly videos: Pick<VideoStore, "open"> | undefined;
	listCheckpoints(): Promise<readonly Checkpoint[]>;
	/** Of what is recorded by now, whether it can be read already or not. */
	lastPosition(): Promise<Position | undefined>;
	/** Whether a process writes to it right now; `undefined`: nobody can tell. */
	isInUse(): Promise<boolean | undefined>;
	close(): Promise<void>;
}

/** *Errors*: rejects with a `StoreFault` where there is no store. Nothing is made or changed there. */
export async function openCopySource({ events, videos }: CopyEnd, logger: Logger): Promise<CopySource> {
	const kept = videos && (await openVideos(videos, logger));
	try {
		const log =
			events._tag === "Directory"
				? await openDirectory(events.directory, logger)
				: await openPostgres(events.connectionString, logger);
		const close = async (): Promise<void> => {
			await log.close();
			await kept?.close();
		};
		return { ...log, videos: kept?.videos, close };
	} catch (error) {
		await kept?.close();
		throw error;
	}
}

interface OpenedVideos {
	readonly videos: Pick<VideoStore, "open">;
	close(): Promise<void>;
}

async function openVideos(place: VideosPlace, logger: Logger): Promise<OpenedVideos> {
	if (place._tag === "Bucket") return openBucket(place.bucket, logger);
	return { videos: createFsVideoReader({ directory: place.directory }), close: async () => undefined };
}

type LogSource = Omit<CopySource, "videos">;

async function openDirectory(directory: string, logger: Logger): Promise<LogSource> {
	// What the next owner would not take over, nobody was told of; all else may have been acknowledged.
	const events = await openFsEventReader({ directory, asNextOwner: true, logger });
	return {
		events,
		listCheckpoints: () => listFsCheckpoints({ directory }),
		lastPosition: () => lastPosition(events),
		async isInUse() {
			try {
				const owner = await createSocketOwnership().connect(directory);
				owner?.close();
				return owner !== undefined;
			} catch {
				// One that does not answer is no reason to take a whole copy for none.
				return undefined;
			}
		},
		close: () => events.close(),
	};
}

async function openPostgres(connectionString: string, logger: Logger): Promise<LogSource> {
	const { openPostgresStores } = await import("@reelkeep/storage-postgres");
	const stores = await openPostgresStores({ connectionString, access: "read", clock: systemClock, logger });
	return {
		events: stores.events,
		listCheckpoints: stores.checkpoints.list,
		lastPosition: stores.events.lastPosition,
		isInUse: async () => undefined,
		close: stores.close,
	};
}
