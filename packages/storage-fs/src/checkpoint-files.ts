// The checkpoints of a data directory as files: `checkpoints/<sha256 of the name>.json`.

import { join } from "node:path";
import { type Checkpoint, isPosition, storeFault } from "@reelkeep/core/ports";
import { readSmallFile } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { safeName } from "./safe-name.js";

/** More than the longest checkpoint takes, each character of its name escaped. */
const MAX_FILE_BYTES = 4096;

export function checkpointsDirectory(directory: string): string {
	return join(directory, "checkpoints");
}

/** `<sha256 of the name>.json`. */
export function checkpointFile(name: string): string {
	return `${safeName(name)}.json`;
}

/** Reads one; `undefined` when there is none. *Errors*: rejects with `corrupt` when it makes no sense. */
export async function readCheckpoint(fileSystem: FileSystem, path: string): Promise<Checkpoint | undefined> {
	const text = await readSmallFile(fileSystem, path, MAX_FILE_BYTES);
	if (text === undefined) return undefined;
	const { name, position } = parse(text);
	if (typeof name === "string" && isPosition(position)) return { name, position };
	throw storeFault("corrupt", `the checkpoint ${path} is damaged; remove it to start that subscription anew`);
}

function parse(text: string): { readonly name?: unknown; readonly position?: unknown } {
	try {
		return JSON.parse(text) ?? {};
	} catch {
		return {};
	}
}
