// The event store in a directory: ownership, recovery, one writer, and readers of what is durable.

import { resolve } from "node:path";
import { guardLogger } from "@reelkeep/core";
import {
	type Clock,
	checkAppend,
	type EventStore,
	type Logger,
	type StoreFault,
	storeFault,
} from "@reelkeep/core/ports";
import { makeDurableDirectory, toFault } from "./durable-files.js";
import type { FileSystem, OpenFile } from "./file-system.js";
import { GroupCommit, MAX_PENDING_APPENDS, MAX_PENDING_BYTES } from "./group-commit.js";
import { createHints } from "./hints.js";
import { type LogView, readAll, readStream } from "./log-reader.js";
import { createNodeFileSystem } from "./node-file-system.js";
import type { Owned, Ownership } from "./ownership.js";
import { recoverLog, saveSynced, watermarkOf } from "./recovery.js";
import { createSharedFile } from "./shared-file.js";
import { createSocketOwnership } from "./socket-ownership.js";

export interface FsEventStoreOptions {
	/** The data directory; made when it is missing. Its path is resolved once, here. */
	readonly directory: string;
	readonly clock: Pick<Clock, "now">;
	readonly logger?: Logger;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in the directory. */
	readonly ownership?: Ownership;
	/** Appends that may wait for a sync; one more is `overloaded`. Default 16,384. */
	readonly maxPendingAppends?: number;
	/** Bytes of log that may wait for a sync. Default 64 MiB. */
	readonly maxPendingBytes?: number;
}

export interface FsEventStore extends EventStore {
	/**
	 * Takes ownership of the directory and recovers its log; until then every call rejects with `closed`.
	 * *Errors*: rejects with a `StoreFault`: `owned` (names the other process), `corrupt` (names segment and byte),
	 * `io`. A store that failed to open is closed.
	 * *Promise*: everything that can be read afterwards is durable.
	 */
	open(): Promise<void>;

	/** Why appends fail for good; `undefined` while they do not. What was durable is still read. */
	failure(): StoreFault | undefined;

	/** What else is wrong, in words: a full disk, or a log that something cut while it was closed. */
	troubles(): readonly string[];
}

interface OpenLog {
	readonly owned: Owned;
	readonly file: OpenFile;
	readonly view: LogView;
	readonly writer: GroupCommit;
	/** Events that were durable when the log was last closed, and are gone. */
	readonly loss: string | undefined;
}

/** Makes the event store of a directory; `open` it before use. Any number of readers may stand beside it. */
export function createFsEventStore(options: FsEventStoreOptions): FsEventStore {
	const directory = resolve(options.directory);
	const fileSystem = options.fileSystem ?? createNodeFileSystem();
	const logger = options.logger && guardLogger(options.logger);
	const hints = createHints(logger);
	let log: OpenLog | undefined;
	let opening: Promise<OpenLog> | undefined;
	let closing: Promise<void> | undefined;

	const openLog = async (): Promise<OpenLog> => {
		if (log !== undefined && closing === undefined) return log;
		throw storeFault("closed", `the event store in ${directory} is ${closing ? "closed" : "not open yet"}`);
	};
	const view = async () => (await openLog()).view;

	return {
		supports: { persistence: true },
		async open() {
			if (closing !== undefined) throw storeFault("closed", `the event store in ${directory} is closed`);
			opening ??= startLog({ ...options, directory, fileSystem, ...(logger && { logger }) }, hints.give);
			log = await opening;
		},
		failure: () => log?.writer.failure,
		troubles: () => [log?.writer.trouble?.message, log?.loss].filter((trouble) => trouble !== undefined),
		async append(stream, events, expectedVersion) {
			checkAppend(stream, events, expectedVersion);
			// Without an await when it is open: appends are decided in the order of the calls, and before a close.
			const { writer } = log !== undefined && closing === undefined ? log : await openLog();
			return writer.append(stream, events, expectedVersion);
		},
		read: (stream, readOptions) => readStream(view, stream, readOptions),
		readAll: (readOptions) => readAll(view, readOptions),
		onAppended: hints.add,
		close() {
			closing ??= stopLog(opening, directory, fileSystem, logger);
			return closing;
		},
	};
}

async function startLog(
	options: FsEventStoreOptions & { readonly fileSystem: FileSystem },
	hint: () => void,
): Promise<OpenLog> {
	const { directory, fileSystem, clock, logger } = options;
	const ownership = options.ownership ?? createSocketOwnership();
	let owned: Owned | undefined;
	try {
		await makeDurableDirectory(fileSystem, directory);
		owned = await ownership.acquire(directory, clock.now());
		const { file: opened, index, loss } = await recoverLog(fileSystem, directory, logger);
		const file = createSharedFile(opened);
		const owner = owned;
		const publish = () => owner.publish(watermarkOf(index));
		publish();
		const writer = new GroupCommit({
			file,
			index,
			clock,
			logger,
			maxPendingAppends: options.maxPendingAppends ?? MAX_PENDING_APPENDS,
			maxPendingBytes: options.maxPendingBytes ?? MAX_PENDING_BYTES,
			onDurable() {
				publish();
				hint();
			},
		});
		return { owned, file, view: { file, index, refresh: async () => {} }, writer, loss };
	} catch (error) {
		await owned?.release();
		throw toFault(error, `opening the event store in ${directory}`);
	}
}

/** Appends under way are finished, the ownership is given up last. */
async function stopLog(
	opening: Promise<OpenLog> | undefined,
	directory: string,
	fileSystem: FileSystem,
	logger: Logger | undefined,
): Promise<void> {
	const log = await opening?.catch(() => undefined); // `open` has told its caller.
	if (log === undefined) return;
	await log.writer.drain();
	try {
		await saveSynced(fileSystem, directory, watermarkOf(log.view.index));
	} catch (error) {
		logger?.warn({ err: error }, "could not note how far the event log is durable; the next open finds out");
	}
	try {
		await log.file.close();
	} finally {
		await log.owned.release();
	}
}
