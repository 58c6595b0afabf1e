// Snapshots of projections: one file for each, with a hash in front, so that bytes that rotted are no state.

import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import {
	checkSnapshotName,
	isPosition,
	type JsonObject,
	type SaveSnapshotResult,
	type Snapshot,
	type SnapshotStore,
} from "@reelkeep/core/ports";
import { makeDurableDirectory, readRange, replaceFile, withFile } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { createNamedTurns } from "./named-turns.js";
import { createNodeFileSystem } from "./node-file-system.js";
import { safeName } from "./safe-name.js";

/** The whole state is in memory as text while it is saved, and as bytes: a larger one belongs in a database. */
const DEFAULT_MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024;
/** A hash in lower-case hex, and the end of its line. */
const HEAD_BYTES = 65;

export interface FsSnapshotStoreOptions {
	/** The data directory. */
	readonly directory: string;
	/** Of one snapshot. Default 64 MiB. */
	readonly maxSnapshotBytes?: number;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
}

export interface FsSnapshotStore extends SnapshotStore {
	/** Until then every call rejects with `closed`. The caller owns the data directory. */
	open(): Promise<void>;
	/** Finishes what is under way, then refuses new work with `closed`. Idempotent. */
	close(): Promise<void>;
}

/**
 * Makes the snapshot store of a data directory: `snapshots/<sha256 of the name>.json`, each replaced atomically; the
 * folder is made by the first save.
 * *Errors*: throws a `RangeError` for a limit that is none.
 */
export function createFsSnapshotStore(options: FsSnapshotStoreOptions): FsSnapshotStore {
	const { maxSnapshotBytes = DEFAULT_MAX_SNAPSHOT_BYTES, fileSystem = createNodeFileSystem() } = options;
	if (!Number.isSafeInteger(maxSnapshotBytes) || maxSnapshotBytes < 1) {
		throw new RangeError("maxSnapshotBytes must be a positive integer");
	}
	const directory = join(resolve(options.directory), "snapshots");
	const turns = createNamedTurns("the snapshot store", "reading or writing a snapshot");
	let isMade = false;

	return {
		async open() {
			turns.open();
		},
		async load(name) {
			checkSnapshotName(name);
			return turns.take(name, async () => {
				const bytes = await readWhole(fileSystem, pathOf(directory, name), HEAD_BYTES + maxSnapshotBytes);
				return bytes && decode(name, bytes);
			});
		},
		async save(name, snapshot): Promise<SaveSnapshotResult> {
			checkSnapshotName(name);
			// At the call: the state may be changed while its turn comes.
			const body = encode(name, snapshot);
			const bytes = body?.length ?? Number.POSITIVE_INFINITY;
			if (body === undefined || bytes > maxSnapshotBytes) {
				return { _tag: "TooLarge", bytes, maxBytes: maxSnapshotBytes };
			}
			const whole = Buffer.concat([Buffer.from(`${hashOf(body)}\n`), body]);
			await turns.take(name, async () => {
				// Only now: a store without projections has none.
				if (!isMade) await makeDurableDirectory(fileSystem, directory);
				isMade = true;
				await replaceFile(fileSystem, pathOf(directory, name), whole);
			});
			return { _tag: "Saved" };
		},
		async close() {
			await turns.close();
		},
	};
}

function pathOf(directory: string, name: string): string {
	return join(directory, `${safeName(name)}.json`);
}

/** `undefined`: more than a string can hold. */
function encode(name: string, snapshot: Snapshot): Buffer | undefined {
	try {
		return Buffer.from(JSON.stringify({ name, ...snapshot }));
	} catch (error) {
		if (error instanceof RangeError) return undefined;
		throw error;
	}
}

/** `undefined`: there is none, or it is larger than any that was saved. */
function readWhole(fileSystem: FileSystem, path: string, maxBytes: number): Promise<Buffer | undefined> {
	return withFile(fileSystem, path, async (file) => {
		const { bytes } = await file.status();
		return bytes > maxBytes ? undefined : await readRange(file, 0, bytes);
	});
}

/** `undefined`: damaged, or of another name. */
function decode(name: string, bytes: Buffer): Snapshot | undefined {
	const body = bytes.subarray(HEAD_BYTES);
	if (bytes.subarray(0, HEAD_BYTES).toString("latin1") !== `${hashOf(body)}\n`) return undefined;
	const { name: ofName, ...snapshot } = JSON.parse(body.toString("utf8")) as JsonObject;
	return ofName === name && isSnapshot(snapshot) ? snapshot : undefined;
}

function isSnapshot(value: object): value is Snapshot {
	const { version, position, eventId, previous, state } = value as {
		readonly [Key in keyof Snapshot]?: unknown;
	};
	return (
		typeof version === "number" &&
		isPosition(position) &&
		typeof eventId === "string" &&
		(previous === undefined || isPosition(previous)) &&
		state !== undefined
	);
}

function hashOf(bytes: Uint8Array): string {
	return createHash("sha256").update(bytes).digest("hex");
}
