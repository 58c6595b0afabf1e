// Where a command that writes keeps its store, from flags and environment.

import type { FsStorageOptions } from "@reelkeep/storage-fs";
import { parseSwitch, parseWholeNumber } from "./flag-values.js";
import { requireDirectory, UsageError } from "./flags.js";
import { checkPostgresUrl } from "./postgres-url.js";

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
