// The checkpoints of a data directory as files: `checkpoints/<sha256 of the name>.json`.

import { join } from "node:path";
import { isPosition, isStoreFault, type Position, storeFault } from "@reelkeep/core/ports";
import { readSmallFile } from "./durable-files.js";
import { type FileSystem, hasCode } from "./file-system.js";

/** More than the longest checkpoint takes, each character of its name escaped. */
const MAX_FILE_BYTES = 4096;
const CHECKPOINT_FILE = /^[0-9a-f]{64}\.json$/;

export interface Checkpoint {
	readonly name: string;
	readonly position: Position;
}

export function checkpointsDirectory(directory: string): string {
	return join(directory, "checkpoints");
}

/** Reads one; `undefined` when there is none. *Errors*: rejects with `corrupt` when it makes no sense. */
export async function readCheckpoint(fileSystem: FileSystem, path: string): Promise<Checkpoint | undefined> {
	const text = await readSmallFile(fileSystem, path, MAX_FILE_BYTES);
	if (text === undefined) return undefined;
	const { name, position } = parse(text);
	if (typeof name === "string" && isPosition(position)) return { name, position };
	throw storeFault("corrupt", `the checkpoint ${path} is damaged; remove it to start that subscription anew`);
}

/** Those of a data directory that make sense; none when it has no checkpoints. */
export async function readCheckpoints(
	fileSystem: FileSystem,
	directory: string,
): Promise<readonly Checkpoint[]> {
	const found: Checkpoint[] = [];
	for (const name of await names(fileSystem, checkpointsDirectory(directory))) {
		const path = join(checkpointsDirectory(directory), name);
		const checkpoint = await readCheckpoint(fileSystem, path).catch(unlessDamaged);
		if (checkpoint !== undefined) found.push(checkpoint);
	}
	return found;
}

function unlessDamaged(error: unknown): undefined {
	if (!isStoreFault(error)) throw error;
}

async function names(fileSystem: FileSystem, directory: string): Promise<readonly string[]> {
	try {
		return (await fileSystem.list(directory)).filter((name) => CHECKPOINT_FILE.test(name));
	} catch (error) {
		if (hasCode(error, "ENOENT")) return [];
		throw error;
	}
}

function parse(text: string): { readonly name?: unknown; readonly position?: unknown } {
	try {
		return JSON.parse(text) ?? {};
	} catch {
		return {};
	}
}
