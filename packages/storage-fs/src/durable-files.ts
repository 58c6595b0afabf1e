// Small files and directories that are there whole or not at all, also after a power cut.

import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { isStoreFault, type StoreFault, storeFault } from "@reelkeep/core/ports";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";

/** Makes `path` and what is missing above it. *Promise*: durable when it resolves, if `dirname(path)` was before. */
export async function makeDurableDirectory(fileSystem: FileSystem, path: string): Promise<void> {
	let made = false;
	try {
		made = await fileSystem.makeDirectory(path);
	} catch (error) {
		if (!hasCode(error, "ENOENT") || dirname(path) === path) throw error;
		await makeDurableDirectory(fileSystem, dirname(path));
		made = await fileSystem.makeDirectory(path);
	}
	// Also when it was there: whoever made it may have crashed before this.
	await syncParent(fileSystem, path, made);
}

/** Makes the names of `path` and of every directory above it durable: whoever made them may have crashed before that. */
export async function syncAncestors(fileSystem: FileSystem, path: string): Promise<void> {
	for (let at = path; dirname(at) !== at; at = dirname(at)) await syncParent(fileSystem, at, false);
}

/** `made`: the name is new. Those that others made may lie where this user must not read, or what cannot be synced. */
async function syncParent(fileSystem: FileSystem, path: string, made: boolean): Promise<void> {
	try {
		await fileSystem.syncDirectory(dirname(path));
	} catch (error) {
		if (made || !hasCode(error, "EACCES", "EPERM", "EROFS", "EINVAL", "ENOTSUP")) throw error;
	}
}

/** Puts `content` under `path`, replacing what is there. *Promise*: old or new, never a mixture; durable when it resolves. */
export async function replaceFile(
	fileSystem: FileSystem,
	path: string,
	content: string | Uint8Array,
): Promise<void> {
	const added = `${path}.new`;
	const bytes = typeof content === "string" ? Buffer.from(content) : content;
	try {
		await writeWhole(fileSystem, added, (file) => file.write(bytes, 0));
		await fileSystem.rename(added, path);
		await fileSystem.syncDirectory(dirname(path));
	} catch (error) {
		// A disk that is full needs the room; the log does, which lies on it too.
		await unlinkIfPresent(fileSystem, added).catch(() => undefined);
		throw error;
	}
}

/** Puts `text` under `path` unless something is there; resolves with whether it did. *Promise*: as `replaceFile`. */
export async function createFile(fileSystem: FileSystem, path: string, text: string): Promise<boolean> {
	const added = `${path}.${randomBytes(8).toString("hex")}.new`;
	await writeWhole(fileSystem, added, (file) => file.write(Buffer.from(text), 0), "create");
	try {
		await fileSystem.link(added, path);
		return true;
	} catch (error) {
		if (hasCode(error, "EEXIST")) return false;
		throw error;
	} finally {
		await fileSystem.unlink(added);
		await fileSystem.syncDirectory(dirname(path));
	}
}

/**
 * Writes a file from its start on; resolves with what `work` does. *Promise*: its bytes are durable when it resolves; its
 * name is not.
 */
export async function writeWhole<Result>(
	fileSystem: FileSystem,
	path: string,
	work: (file: OpenFile) => Promise<Result>,
	mode: "create" | "replace" = "replace",
): Promise<Result> {
	const file = await fileSystem.open(path, mode);
	try {
		const result = await work(file);
		await file.datasync();
		return result;
	} finally {
		await file.close();
	}
}

/** Opens `path` for reading, or resolves with `undefined` when there is no such file. */
export async function openIfPresent(fileSystem: FileSystem, path: string): Promise<OpenFile | undefined> {
	try {
		return await fileSystem.open(path, "read");
	} catch (error) {
		if (hasCode(error, "ENOENT")) return undefined;
		throw error;
	}
}

/** What `work` makes of the file at `path`, which is closed then; `undefined` when there is none. */
export async function withFile<Result>(
	fileSystem: FileSystem,
	path: string,
	work: (file: OpenFile) => Promise<Result>,
): Promise<Result | undefined> {
	const file = await openIfPresent(fileSystem, path);
	if (file === undefined) return undefined;
	try {
		return await work(file);
	} finally {
		await file.close();
	}
}

/** How long a file is; `undefined` when there is none. */
export function sizeIfPresent(fileSystem: FileSystem, path: string): Promise<number | undefined> {
	return withFile(fileSystem, path, async (file) => (await file.status()).bytes);
}

/** The text of a small file, at most `maxBytes` of it; `undefined` when there is none. */
export function readSmallFile(
	fileSystem: FileSystem,
	path: string,
	maxBytes: number,
): Promise<string | undefined> {
	return withFile(fileSystem, path, async (file) => {
		const { bytes } = await file.status();
		return (await readRange(file, 0, Math.min(bytes, maxBytes))).toString("utf8");
	});
}

/** The bytes from `from` to `to`; fewer when the file ends before that. */
export async function readRange(file: Pick<OpenFile, "read">, from: number, to: number): Promise<Buffer> {
	const target = Buffer.allocUnsafe(to - from);
	let filled = 0;
	while (filled < target.length) {
		const count = await file.read(target.subarray(filled), from + filled);
		if (count === 0) break;
		filled += count;
	}
	return target.subarray(0, filled);
}

/** Removes a file; nothing happens when there is none. */
export async function unlinkIfPresent(fileSystem: FileSystem, path: string): Promise<void> {
	try {
		await fileSystem.unlink(path);
	} catch (error) {
		if (!hasCode(error, "ENOENT")) throw error;
	}
}

/** `error` as a fault: itself when it is one, else `io` with what was being done and the system's code. */
export function toFault(error: unknown, doing: string): StoreFault {
	if (isStoreFault(error)) return error;
	const code = String((error as { code?: unknown } | undefined)?.code ?? "");
	const remedy = Object.hasOwn(REMEDIES, code) ? `: ${REMEDIES[code]}` : "";
	return storeFault("io", `${doing} failed${code === "" ? "" : ` (${code})`}${remedy}`, { cause: error });
}

/** What to do about the system's commonest answers. */
const REMEDIES: Readonly<Record<string, string>> = {
	EACCES: "this user must be able to read and write there",
	EPERM: "this user must be able to read and write there",
	EROFS: "the file system is mounted read-only",
	ENOTDIR: "a directory is needed, and a file is in its place",
	ENOSPC: "the disk is full",
	EDQUOT: "this user's quota is used up",
	EMFILE: "too many open files; raise the limit",
};
