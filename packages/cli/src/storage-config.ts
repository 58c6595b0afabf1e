// Where a command that writes keeps its store, from flags and environment.

import type { FsStorageOptions } from "@reelkeep/storage-fs";
import { parseSwitch, parseWholeNumber } from "./flag-values.js";
import { requireDirectory, UsageError } from "./flags.js";
import { checkPostgresUrl } from "./postgres-url.js";
import { type BucketConfig, parseVideosUrl } from "./videos-url.js";

/** `storage-fs` takes no more: positions have 32 bits in its index. */
const MOST_EVENTS = 0xffff_fffe;

export interface StorageFlags extends NetworkFileSystemFlags {
	readonly data?: string;
	readonly keyFile?: string;
	readonly maxEvents?: string;
}

export interface NetworkFileSystemFlags {
	/** `undefined`: the flag was not given, and the environment decides. */
	readonly allowNetworkFileSystem?: boolean;
}

/** Options of `fsStorage`. */
export type StorageConfig = Pick<
	FsStorageOptions,
	"directory" | "keyFile" | "maxEvents" | "allowNetworkFileSystem"
>;

/** Where each part of a store is kept. */
export type StoragePlaces = ElsewherePlaces &
	(
		| { readonly directory: StorageConfig }
		/** Nothing is kept on this machine: both parts are elsewhere. */
		| { readonly directory: undefined; readonly keyFile: string }
	);

interface ElsewherePlaces {
	/** A connection string of PostgreSQL, a secret; `undefined`: in the data directory. */
	readonly events: string | undefined;
	/** `undefined`: in the data directory. */
	readonly videos: BucketConfig | undefined;
}

/** *Errors*: throws a `UsageError`. */
export function readStoragePlaces(
	flags: StorageFlags & { readonly events?: string; readonly videos?: string },
	environment: NodeJS.ProcessEnv,
): StoragePlaces {
	const events = readEventsConfig(flags, environment);
	const videos = flags.videos ? parseVideosUrl("--videos", flags.videos) : undefined;
	if (events !== undefined && videos !== undefined && flags.keyFile) {
		return { events, videos, directory: undefined, keyFile: flags.keyFile };
	}
	return { events, videos, directory: readStorageConfig(flags, environment) };
}

/**
 * Where events are kept when not in the data directory: a connection string of PostgreSQL, which may hold a password.
 * *Errors*: throws a `UsageError`, also where everybody on this machine could read the password.
 */
export function readEventsConfig(
	flags: StorageFlags & { readonly events?: string },
	environment: NodeJS.ProcessEnv,
): string | undefined {
	const { events, keyFile } = flags;
	if (events === undefined || events === "") return undefined;
	checkPostgresUrl({ flag: "--events", variable: "REELKEEP_EVENTS", text: events }, environment);
	if (!keyFile) {
		throw new UsageError("--events needs --key-file: what one process has sealed, all must be able to open");
	}
	return events;
}

/** *Errors*: throws a `UsageError`. */
export function readStorageConfig(flags: StorageFlags, environment: NodeJS.ProcessEnv): StorageConfig {
	const maxEvents = parseWholeNumber("--max-events", flags.maxEvents, { least: 1, most: MOST_EVENTS });
	return {
		directory: requireDirectory(flags.data),
		// Compose files pass on variables that are empty.
		...(flags.keyFile ? { keyFile: flags.keyFile } : {}),
		...(maxEvents === undefined ? {} : { maxEvents }),
		allowNetworkFileSystem: allowsNetworkFileSystem(flags, environment),
	};
}

/** Whether the data directory may lie on a network file system. *Errors*: throws a `UsageError`. */
export function allowsNetworkFileSystem(
	flags: NetworkFileSystemFlags,
	environment: NodeJS.ProcessEnv,
): boolean {
	const variable = "REELKEEP_ALLOW_NETWORK_FILE_SYSTEM";
	return flags.allowNetworkFileSystem ?? parseSwitch(variable, environment[variable]);
}
