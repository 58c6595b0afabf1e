// Takes the keys of a store along when it is moved. A key file is never written over.

import { dirname, resolve } from "node:path";
import { keyringFault } from "@reelkeep/core/ports";
import { createFile, makeDurableDirectory, readSmallFile } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { loadKeys, MAX_KEY_FILE_BYTES } from "./key-file.js";
import { createNodeFileSystem } from "./node-file-system.js";

export interface FsKeyCopyOptions {
	/** The key file that is copied. */
	readonly from: string;
	/** Where to: nothing is there, or the same keys. */
	readonly to: string;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
}

export interface FsKeyCopy {
	/** Whether they were there already. */
	readonly isThere: boolean;
	/** Copies them unless they are there. *Errors*: as `readFsKeyCopy`. *Promise*: whole or absent; durable when it resolves. */
	write(): Promise<void>;
}

/**
 * Reads the keys, and looks at where they are to go; writes nothing yet.
 * *Errors*: rejects with a `KeyringFault` `unavailable`: `from` is missing or no key file, or `to` holds other keys.
 */
export async function readFsKeyCopy(options: FsKeyCopyOptions): Promise<FsKeyCopy> {
	const { fileSystem = createNodeFileSystem() } = options;
	const [from, to] = [resolve(options.from), resolve(options.to)];
	await loadKeys(fileSystem, from, false);
	const keys = await readText(fileSystem, from);
	const isThere = async (): Promise<boolean> => {
		const present = await readText(fileSystem, to);
		if (present === undefined || present === keys) return present !== undefined;
		throw unavailable(`the key file ${to} is there with other keys than ${from}: nothing is written over it`);
	};
	return {
		isThere: await isThere(),
		async write() {
			if (await isThere()) return;
			// One that came meanwhile is looked at again.
			if (!(await makeFile(fileSystem, to, keys ?? ""))) await isThere();
		},
	};
}

async function makeFile(fileSystem: FileSystem, path: string, text: string): Promise<boolean> {
	try {
		await makeDurableDirectory(fileSystem, dirname(path));
		return await createFile(fileSystem, path, text);
	} catch (error) {
		throw unavailable(`the key file ${path} cannot be made (${codeOf(error)})`);
	}
}

async function readText(fileSystem: FileSystem, path: string): Promise<string | undefined> {
	try {
		return await readSmallFile(fileSystem, path, MAX_KEY_FILE_BYTES + 1);
	} catch (error) {
		throw unavailable(`the key file ${path} cannot be read (${codeOf(error)})`);
	}
}

function codeOf(error: unknown): string {
	return String((error as { readonly code?: unknown }).code ?? "unknown error");
}

function unavailable(message: string) {
	return keyringFault("unavailable", message);
}
