// The key file of a backup, for those who want it in the same place.

import { join } from "node:path";
import { refused } from "./backup-manifest.js";
import { readSmallFile, replaceFile, sizeIfPresent } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { loadKeys, MAX_KEY_FILE_BYTES } from "./key-file.js";
import { KEY_FILE_NAME } from "./plugin.js";

/**
 * What `file` holds; `undefined` when none is asked for.
 * *Errors*: rejects with a `KeyringFault` when it is no key file; with `io` when none is asked for and `to` has one.
 */
export async function readKeysToCopy(
	fileSystem: FileSystem,
	file: string | undefined,
	to: string,
): Promise<string | undefined> {
	if (file !== undefined) {
		await loadKeys(fileSystem, file, false);
		return readSmallFile(fileSystem, file, MAX_KEY_FILE_BYTES + 1);
	}
	const kept = join(to, KEY_FILE_NAME);
	if ((await sizeIfPresent(fileSystem, kept)) === undefined) return undefined;
	throw refused(
		`the backup in ${to} has keys: take them along again, remove ${kept}, or name another directory`,
	);
}

/** *Promise*: old or new, never a mixture; durable when it resolves. */
export async function writeKeys(fileSystem: FileSystem, to: string, keys: string): Promise<void> {
	await replaceFile(fileSystem, join(to, KEY_FILE_NAME), keys);
}
