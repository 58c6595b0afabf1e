// The plugin: everything that storage-fs has, in one directory.

import { join, resolve } from "node:path";
import { lastPosition } from "@reelkeep/core";
import {
	CHECKPOINT_STORE,
	CLOCK,
	EVENT_STORE,
	type Get,
	KEYRING,
	LOGGER,
	type Plugin,
	SNAPSHOT_STORE,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { createFsCheckpointStore, type FsCheckpointStore } from "./checkpoint-store.js";
import { createFsEventStore, type FsEventStore } from "./event-store.js";
import type { FileSystem } from "./file-system.js";
import { createFileKeyring, type FileKeyring } from "./keyring.js";
import type { Ownership } from "./ownership.js";
import { createFsSnapshotStore, type FsSnapshotStore } from "./snapshot-store.js";
import { createFsVideoStore, type FsVideoStore } from "./video-store.js";

const PLUGIN_NAME = "storage-fs";
/** The key file in the data directory, unless another one is named. */
export const KEY_FILE_NAME = "keys.json";

export interface FsStorageOptions {
	/** The data directory; made when it is missing. */
	readonly directory: string;
	/** The key file. Default: `KEY_FILE_NAME` in the data directory. */
	readonly keyFile?: string;
	/** How many events the log may hold. Default 100 million; the index of so many takes about 2 GB of memory. */
	readonly maxEvents?: number;
	/** Of one projection's snapshot. Default 64 MiB; a larger state is not saved, and folded anew at each start. */
	readonly maxSnapshotBytes?: number;
	/** Lets the directory lie on NFS, SMB and the like, where only this machine may ever mount it. Default: refused. */
	readonly allowNetworkFileSystem?: boolean;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in the directory. */
	readonly ownership?: Ownership;
}

interface Parts {
	readonly events: FsEventStore;
	readonly checkpoints: FsCheckpointStore;
	readonly snapshots: FsSnapshotStore;
	readonly videos: FsVideoStore;
	readonly keyring: FileKeyring;
}

/**
 * Keeps events, checkpoints, snapshots, videos and keys in `directory`; one running Reelkeep for each directory.
 * *Errors*: its start rejects with a `StoreFault` (`owned`, `corrupt`, `io`) or a `KeyringFault` (`unavailable`: also
 * when the key file is missing although there are events). Before its start every call rejects with `closed`.
 */
export function fsStorage(options: FsStorageOptions): Plugin {
	let parts: Parts | undefined;
	const partsOf = (get: Get): Parts => {
		parts ??= createParts(options, get);
		return parts;
	};
	return {
		name: PLUGIN_NAME,
		provides: [EVENT_STORE, CHECKPOINT_STORE, SNAPSHOT_STORE, VIDEO_STORE, KEYRING],
		needs: [CLOCK, LOGGER],
		register(registry) {
			registry.provide(EVENT_STORE, (get) => partsOf(get).events);
			registry.provide(CHECKPOINT_STORE, (get) => partsOf(get).checkpoints);
			registry.provide(SNAPSHOT_STORE, (get) => partsOf(get).snapshots);
			registry.provide(VIDEO_STORE, (get) => partsOf(get).videos);
			registry.provide(KEYRING, (get) => partsOf(get).keyring);
		},
		start: (get) => startParts(partsOf(get), get),
		stop: async () => parts && stopParts(parts),
		async check() {
			const failure = parts?.events.failure();
			const troubles = parts?.events.troubles() ?? [];
			return [
				...(failure === undefined ? [] : [{ source: PLUGIN_NAME, message: failure.message }]),
				// Only the next callback can show that there is room again: it must be let in.
				...troubles.map((message) => ({ source: PLUGIN_NAME, message, severity: "degraded" as const })),
			];
		},
	};
}

function createParts(options: FsStorageOptions, get: Get): Parts {
	const directory = resolve(options.directory);
	const { keyFile, fileSystem, maxSnapshotBytes, ...forEvents } = options;
	const disk = { directory, ...(fileSystem && { fileSystem }) };
	return {
		events: createFsEventStore({ ...forEvents, ...disk, clock: get(CLOCK), logger: get(LOGGER) }),
		checkpoints: createFsCheckpointStore(disk),
		snapshots: createFsSnapshotStore({
			...disk,
			...(maxSnapshotBytes !== undefined && { maxSnapshotBytes }),
		}),
		videos: createFsVideoStore({ ...disk, logger: get(LOGGER) }),
		keyring: createFileKeyring({ ...disk, file: keyFile ?? join(directory, KEY_FILE_NAME) }),
	};
}

/**
 * The event store first: it takes ownership of the directory for all of them. Keys are needed only where our keyring is
 * the one in use, and may be made only when the log in use holds nothing that other keys have sealed.
 */
async function startParts(parts: Parts, get: Get): Promise<void> {
	try {
		await parts.events.open();
		if (get(KEYRING) === parts.keyring) {
			await parts.keyring.load({ createIfMissing: (await lastPosition(get(EVENT_STORE))) === undefined });
		}
		await parts.checkpoints.open();
		await parts.snapshots.open();
		await parts.videos.start();
	} catch (error) {
		await stopParts(parts);
		throw error;
	}
}

/** The event store last: with it ends the ownership. */
async function stopParts({ events, checkpoints, snapshots, videos }: Parts): Promise<void> {
	await videos.close();
	await snapshots.close();
	await checkpoints.close();
	await events.close();
}
