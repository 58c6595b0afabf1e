// What says that a directory is a backup: `backup.json`, which is there exactly while the copy is whole, and in its place
// `backup.partial.json` while it is being made, or was left half-made.

import { join } from "node:path";
import { type Position, type StoreFault, storeFault } from "@reelkeep/core/ports";
import { listIfPresent } from "./backup-files.js";
import { readSmallFile, replaceFile } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";

const MANIFEST_NAME = "backup.json";
export const PARTIAL_NAME = "backup.partial.json";
const FORMAT = 1;
/** Several times what a manifest takes. */
const MAX_MANIFEST_BYTES = 4096;
/** What may stand in an empty directory: a volume's own, sockets of the dead, and what a crash left of the first step. */
const NOTHING = /^(lost\+found|owner\.\d+\.sock|backup\.partial\.json\.new)$/;

export interface BackupManifest {
	/** UTC milliseconds: everything that was acknowledged before is in the copy. */
	readonly takenAt: number;
	/** Of the last event in the copy; `"0"` when there is none. */
	readonly position: Position;
	readonly segments: number;
	/** Of the last segment. */
	readonly segmentBytes: number;
	readonly checkpoints: number;
	/** `null`: they were left out. */
	readonly videos: number | null;
	/** Of log and videos together. */
	readonly bytes: number;
	/** Whether the key file is in the copy. */
	readonly keys: boolean;
}

/**
 * Whether `to` holds an earlier backup, or a part of one; `false` when there is nothing in it, or no such directory.
 * *Errors*: rejects with `io` when it holds something else.
 */
export async function holdsBackup(fileSystem: FileSystem, to: string): Promise<boolean> {
	const names = await listIfPresent(fileSystem, to, /^/);
	const manifests = names.filter((name) => name === MANIFEST_NAME || name === PARTIAL_NAME);
	for (const name of manifests) await checkManifest(fileSystem, join(to, name));
	if (manifests.length > 0) return true;
	if (names.every((name) => NOTHING.test(name))) return false;
	throw refused(`${to} is neither empty nor a backup; name an empty directory, or one that does not exist`);
}

async function checkManifest(fileSystem: FileSystem, path: string): Promise<void> {
	const { reelkeep, format } = parse((await readSmallFile(fileSystem, path, MAX_MANIFEST_BYTES)) ?? "");
	if (reelkeep !== "backup") throw refused(`${path} is not what a backup writes; name another directory`);
	if (format === FORMAT) return;
	throw refused(
		`${path} has format ${JSON.stringify(format)}, and this version of Reelkeep writes format ${FORMAT}; name ` +
			"another directory",
	);
}

function parse(text: string): { readonly reelkeep?: unknown; readonly format?: unknown } {
	try {
		return JSON.parse(text) ?? {};
	} catch {
		return {};
	}
}

/** From here on, and until `finishBackup`, the directory is no whole backup. *Promise*: durable when it resolves. */
export async function beginBackup(fileSystem: FileSystem, to: string): Promise<void> {
	const names = await fileSystem.list(to);
	const partial = join(to, PARTIAL_NAME);
	if (names.includes(MANIFEST_NAME)) {
		await fileSystem.rename(join(to, MANIFEST_NAME), partial);
		await fileSystem.syncDirectory(to);
	} else if (!names.includes(PARTIAL_NAME)) {
		await replaceFile(fileSystem, partial, `${JSON.stringify({ reelkeep: "backup", format: FORMAT })}\n`);
	}
}

/** Everything is there, and durable. *Promise*: one of the two files is there at any time, never both. */
export async function finishBackup(
	fileSystem: FileSystem,
	to: string,
	manifest: BackupManifest,
): Promise<void> {
	const { takenAt, ...rest } = manifest;
	const content = {
		reelkeep: "backup",
		format: FORMAT,
		takenAt: new Date(takenAt).toISOString(),
		...rest,
	};
	const partial = join(to, PARTIAL_NAME);
	await replaceFile(fileSystem, partial, `${JSON.stringify(content)}\n`);
	await fileSystem.rename(partial, join(to, MANIFEST_NAME));
	await fileSystem.syncDirectory(to);
}

/** The fault for a target that must not be written. */
export function refused(message: string): StoreFault {
	return storeFault("io", message, { retryable: false });
}
