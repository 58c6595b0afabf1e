// The key file: read with suspicion, made once. Its contents never reach a message.

import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { isKeyringFault, type KeyringFault, keyringFault } from "@reelkeep/core/ports";
import { createFile, makeDurableDirectory, readRange, withFile } from "./durable-files.js";
import type { FileSystem, OpenFile } from "./file-system.js";

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Hundreds of keys. */
export const MAX_KEY_FILE_BYTES = 64 * 1024;

export interface KeySet {
	/** The id of the key that seals; `keys` has it. */
	readonly current: string;
	readonly keys: ReadonlyMap<string, Buffer>;
}

/** Reads the key file, making it first where that is allowed. Two that make it at once end up with the same keys. */
export async function loadKeys(
	fileSystem: FileSystem,
	path: string,
	createIfMissing: boolean,
): Promise<KeySet> {
	try {
		const present = await readKeys(fileSystem, path);
		if (present !== undefined) return present;
		if (!createIfMissing) {
			throw unavailable(
				`the key file ${path} is missing, and there are events that were sealed with its keys. Restore it from ` +
					"your backup, or name the right file",
			);
		}
		await makeDurableDirectory(fileSystem, dirname(path));
		await createFile(fileSystem, path, newKeyFile());
		return (await readKeys(fileSystem, path)) as KeySet;
	} catch (error) {
		if (isKeyringFault(error)) throw error;
		const code = String((error as { code?: unknown }).code ?? "unknown error");
		throw unavailable(`the key file ${path} cannot be read or made (${code})`);
	}
}

function readKeys(fileSystem: FileSystem, path: string): Promise<KeySet | undefined> {
	return withFile(fileSystem, path, async (file) => parseKeys(await readText(file, path), path));
}

async function readText(file: OpenFile, path: string): Promise<string> {
	const { bytes, permissions } = await file.status();
	// Windows has no such permissions and reports what means nothing.
	if (process.platform !== "win32" && (permissions & 0o077) !== 0) {
		throw unavailable(
			`the key file ${path} has mode ${permissions.toString(8)}: others may read it; run chmod 600 on it`,
		);
	}
	if (bytes > MAX_KEY_FILE_BYTES) throw malformed(path, `it is larger than ${MAX_KEY_FILE_BYTES} bytes`);
	return (await readRange(file, 0, bytes)).toString("utf8");
}

function parseKeys(text: string, path: string): KeySet {
	let value: { current?: unknown; keys?: unknown } | null;
	try {
		value = JSON.parse(text);
	} catch {
		throw malformed(path, "it is not JSON");
	}
	if (typeof value?.keys !== "object" || value.keys === null) throw malformed(path, '"keys" is missing');
	const keys = new Map(Object.entries(value.keys).map(([id, key]) => [id, parseKey(path, id, key)]));
	const { current } = value;
	if (typeof current !== "string" || !keys.has(current))
		throw malformed(path, '"current" names no key of it');
	return { current, keys };
}

function parseKey(path: string, id: string, text: unknown): Buffer {
	if (!KEY_ID.test(id)) throw malformed(path, "a key's id has 1 to 64 letters, digits, - or _");
	const key = typeof text === "string" ? Buffer.from(text, "base64") : Buffer.alloc(0);
	if (key.length !== KEY_BYTES || key.toString("base64") !== text) {
		throw malformed(path, `key ${id} is not ${KEY_BYTES} bytes in base64`);
	}
	return key;
}

/** A random id: keys of two directories do not pass for one another. */
function newKeyFile(): string {
	const id = `key-${randomBytes(6).toString("hex")}`;
	const keys = { [id]: randomBytes(KEY_BYTES).toString("base64") };
	return `${JSON.stringify({ current: id, keys }, undefined, "\t")}\n`;
}

function malformed(path: string, why: string): KeyringFault {
	return unavailable(`the key file ${path} is malformed: ${why}`);
}

function unavailable(message: string): KeyringFault {
	return keyringFault("unavailable", message);
}
