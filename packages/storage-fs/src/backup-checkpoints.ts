// The checkpoints of a backup: read before the log is, so that none is ahead of it, and written after it.

import { join } from "node:path";
import { type Checkpoint, storeFault } from "@reelkeep/core/ports";
import { listIfPresent } from "./backup-files.js";
import { checkpointFile, checkpointsDirectory, readCheckpoint } from "./checkpoint-files.js";
import { makeDurableDirectory, readSmallFile, replaceFile, unlinkIfPresent } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";

const CHECKPOINT_FILE = /^[0-9a-f]{64}\.json$/;
/** Also what a crash left of writing one. */
const ANY_FILE = /^[0-9a-f]{64}\.json(\.new)?$/;

/** By the names of their files. */
export type Checkpoints = ReadonlyMap<string, Checkpoint>;

/** Reads those of a store. *Errors*: rejects with `corrupt` when one makes no sense. */
export async function readStoredCheckpoints(fileSystem: FileSystem, directory: string): Promise<Checkpoints> {
	const checkpoints = new Map<string, Checkpoint>();
	const folder = checkpointsDirectory(directory);
	for (const file of await listIfPresent(fileSystem, folder, CHECKPOINT_FILE)) {
		const checkpoint = await readCheckpoint(fileSystem, join(folder, file));
		if (checkpoint === undefined) continue;
		if (file !== checkpointFile(checkpoint.name)) {
			throw storeFault(
				"corrupt",
				`the checkpoint ${join(folder, file)} is that of another subscription; remove it to start anew`,
			);
		}
		checkpoints.set(file, checkpoint);
	}
	return checkpoints;
}

/** Makes the copy have just these. *Promise*: durable when it resolves. */
export async function writeCheckpoints(
	fileSystem: FileSystem,
	to: string,
	checkpoints: Checkpoints,
): Promise<void> {
	const folder = checkpointsDirectory(to);
	await makeDurableDirectory(fileSystem, folder);
	for (const [file, { name, position }] of checkpoints) {
		const path = join(folder, file);
		const text = `${JSON.stringify({ name, position })}\n`;
		// One byte more than it has: a longer file is another one.
		const present = await readSmallFile(fileSystem, path, Buffer.byteLength(text) + 1);
		if (present !== text) await replaceFile(fileSystem, path, text);
	}
	for (const file of await listIfPresent(fileSystem, folder, ANY_FILE)) {
		if (!checkpoints.has(file)) await unlinkIfPresent(fileSystem, join(folder, file));
	}
	await fileSystem.syncDirectory(folder);
}
