// Where a command that writes keeps its store, from flags and environment.

import type { FsStorageOptions } from "@reelkeep/storage-fs";
import { parseSwitch } from "./flag-values.js";
import { parseNumber, requireDirectory } from "./flags.js";

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

/** *Errors*: throws a `UsageError`. */
export function readStorageConfig(flags: StorageFlags, environment: NodeJS.ProcessEnv): StorageConfig {
	const maxEvents = parseNumber("--max-events", flags.maxEvents, 1);
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
