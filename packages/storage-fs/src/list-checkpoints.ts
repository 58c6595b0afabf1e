// The checkpoints of a data directory, for who reads it from outside its owner.

import { resolve } from "node:path";
import type { Checkpoint } from "@reelkeep/core/ports";
import { readStoredCheckpoints } from "./backup-checkpoints.js";
import { toFault } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { createNodeFileSystem } from "./node-file-system.js";

export interface ListFsCheckpointsOptions {
	readonly directory: string;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
}

/** All of them, in no order; none where there is no store. *Errors*: rejects with a `StoreFault`: `io`, `corrupt`. */
export async function listFsCheckpoints(options: ListFsCheckpointsOptions): Promise<readonly Checkpoint[]> {
	const { fileSystem = createNodeFileSystem() } = options;
	const directory = resolve(options.directory);
	try {
		return [...(await readStoredCheckpoints(fileSystem, directory)).values()];
	} catch (error) {
		throw toFault(error, `reading the checkpoints in ${directory}`);
	}
}
