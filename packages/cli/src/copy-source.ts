// The store that is copied, opened for reading only.

import { systemClock } from "@reelkeep/core/container";
import type { Checkpoint, EventStore, Logger, Position, VideoStore } from "@reelkeep/core/ports";
import {
	createFsVideoReader,
	createSocketOwnership,
	listFsCheckpoints,
	openFsEventReader,
} from "@reelkeep/storage-fs";
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
	const kept = videos && openVideos(videos);
	return events._tag === "Directory"
		? openDirectory(events.directory, kept, logger)
		: openPostgres(events.connectionString, kept, logger);
}

function openVideos({ directory }: VideosPlace): Pick<VideoStore, "open"> {
	return createFsVideoReader({ directory });
}

async function openDirectory(
	directory: string,
	videos: CopySource["videos"],
	logger: Logger,
): Promise<CopySource> {
	// What the next owner would not take over, nobody was told of; all else may have been acknowledged.
	const events = await openFsEventReader({ directory, asNextOwner: true, logger });
	return {
		events,
		videos,
		listCheckpoints: () => listFsCheckpoints({ directory }),
		lastPosition: () => lastReadable(events),
		async isInUse() {
			const owner = await createSocketOwnership().connect(directory);
			owner?.close();
			return owner !== undefined;
		},
		close: () => events.close(),
	};
}

async function openPostgres(
	connectionString: string,
	videos: CopySource["videos"],
	logger: Logger,
): Promise<CopySource> {
	const { openPostgresStores } = await import("@reelkeep/storage-postgres");
	const stores = await openPostgresStores({ connectionString, access: "read", clock: systemClock, logger });
	return {
		events: stores.events,
		videos,
		listCheckpoints: stores.checkpoints.list,
		lastPosition: stores.events.lastPosition,
		isInUse: async () => undefined,
		close: stores.close,
	};
}

/** The last position that is read now; `undefined`: there is none. */
export async function lastReadable(events: EventStore): Promise<Position | undefined> {
	for await (const { position } of events.readAll({ direction: "backward", limit: 1 })) return position;
	return undefined;
}
