// Checkpoints: one small file for each subscription.

import { join, resolve } from "node:path";
import {
	type CheckpointStore,
	checkCheckpointMove,
	checkCheckpointName,
	type Position,
	type SaveResult,
	storeFault,
} from "@reelkeep/core/ports";
import { checkpointFile, checkpointsDirectory, readCheckpoint } from "./checkpoint-files.js";
import { makeDurableDirectory, replaceFile, toFault } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { createNamedTurns } from "./named-turns.js";
import { createNodeFileSystem } from "./node-file-system.js";

export interface FsCheckpointStoreOptions {
	/** The data directory; made when it is missing. */
	readonly directory: string;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
}

export interface FsCheckpointStore extends CheckpointStore {
	/** Makes the directory; until then every call rejects with `closed`. The caller owns the data directory. */
	open(): Promise<void>;
	/** Finishes what is under way, then refuses new work with `closed`. Idempotent. */
	close(): Promise<void>;
}

/** Makes the checkpoint store of a data directory: `checkpoints/<sha256 of the name>.json`, each replaced atomically. */
export function createFsCheckpointStore(options: FsCheckpointStoreOptions): FsCheckpointStore {
	const directory = checkpointsDirectory(resolve(options.directory));
	const fileSystem = options.fileSystem ?? createNodeFileSystem();
	const turns = createNamedTurns("the checkpoint store", "reading or writing a checkpoint");

	return {
		async open() {
			try {
				await makeDurableDirectory(fileSystem, directory);
			} catch (error) {
				throw toFault(error, `making ${directory}`);
			}
			turns.open();
		},
		async load(name) {
			checkCheckpointName(name);
			return turns.take(name, () => loadCheckpoint(fileSystem, directory, name));
		},
		async save(name, position, expected) {
			checkCheckpointName(name);
			checkCheckpointMove(position, expected);
			return turns.take(name, () => saveCheckpoint(fileSystem, directory, { name, position, expected }));
		},
		async close() {
			await turns.close();
		},
	};
}

interface Move {
	readonly name: string;
	readonly position: Position;
	readonly expected: Position | undefined;
}

async function saveCheckpoint(fileSystem: FileSystem, directory: string, move: Move): Promise<SaveResult> {
	const { name, position, expected } = move;
	const actual = await loadCheckpoint(fileSystem, directory, name);
	if (actual !== expected) return { _tag: "WrongCheckpoint", actual };
	if (position !== actual) {
		await replaceFile(
			fileSystem,
			join(directory, checkpointFile(name)),
			`${JSON.stringify({ name, position })}\n`,
		);
	}
	return { _tag: "Saved" };
}

async function loadCheckpoint(
	fileSystem: FileSystem,
	directory: string,
	name: string,
): Promise<Position | undefined> {
	const path = join(directory, checkpointFile(name));
	const checkpoint = await readCheckpoint(fileSystem, path);
	if (checkpoint === undefined || checkpoint.name === name) return checkpoint?.position;
	throw storeFault(
		"corrupt",
		`the checkpoint ${path} is that of another subscription; remove it to start anew`,
	);
}
