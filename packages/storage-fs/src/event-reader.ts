// Reads the log of a directory from outside its owner: a CLI, a projection in another process.

import { join, resolve } from "node:path";
import { guardLogger } from "@reelkeep/core";
import { type EventStore, type Logger, storeFault } from "@reelkeep/core/ports";
import { toFault } from "./durable-files.js";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";
import { createHints } from "./hints.js";
import { LogIndex } from "./log-index.js";
import { type LogView, readAll, readStream } from "./log-reader.js";
import { scanLog } from "./log-scan.js";
import {
	checkHeader,
	corruptAt,
	eventsDirectory,
	FIRST_SEGMENT,
	listSegments,
	openSegment,
	segmentName,
	type Watermark,
} from "./log-segment.js";
import { createNodeFileSystem } from "./node-file-system.js";
import type { OwnerConnection, Ownership } from "./ownership.js";
import { loadSynced, refuseDamage } from "./recovery.js";
import { shareRuns } from "./share-runs.js";
import { createSharedFile } from "./shared-file.js";
import { createSocketOwnership } from "./socket-ownership.js";

export interface FsEventReaderOptions {
	/** The data directory of a store that has been opened at least once. */
	readonly directory: string;
	readonly logger?: Logger;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in the directory. */
	readonly ownership?: Ownership;
}

/**
 * Opens the log of `directory` for reading, beside a running owner or without one; it changes nothing there.
 * *Errors*: rejects with a `StoreFault`: `io` when there is no store, or its owner does not answer; `corrupt`.
 * *Promise*: as the store's own readers: only durable events, told by the owner; without an owner the reader syncs
 * the file itself, and leaves a torn tail alone. `append` rejects with a `TypeError`; hints come from the owner.
 */
export async function openFsEventReader(options: FsEventReaderOptions): Promise<EventStore> {
	const directory = resolve(options.directory);
	const reader = await startReader({ ...options, directory });
	const view = async () => reader.view;
	return {
		supports: { persistence: true },
		async append() {
			throw new TypeError("this handle only reads; append through the process that owns the directory");
		},
		read: (stream, readOptions) => readStream(view, stream, readOptions),
		readAll: (readOptions) => readAll(view, readOptions),
		onAppended: reader.onAppended,
		close: reader.close,
	};
}

interface Reader {
	readonly view: LogView;
	onAppended(hint: () => void): () => void;
	close(): Promise<void>;
}

async function startReader(options: FsEventReaderOptions): Promise<Reader> {
	const { directory, fileSystem = createNodeFileSystem() } = options;
	const logger = options.logger && guardLogger(options.logger);
	const ownership = options.ownership ?? createSocketOwnership();
	const hints = createHints(logger);
	let connection: OwnerConnection | undefined;
	let isClosed = false;

	const refuseClosed = () => {
		if (isClosed) throw storeFault("closed", "the reader is closed");
	};
	const connect = async (): Promise<OwnerConnection | undefined> => {
		refuseClosed();
		if (connection?.isOpen()) return connection;
		const found = await ownership.connect(directory);
		if (isClosed) found?.close();
		refuseClosed();
		connection = found;
		connection?.onChange(hints.give);
		return connection;
	};
	const file = createSharedFile(await openLog(fileSystem, directory));
	try {
		const index = new LogIndex(await checkHeader(file, FIRST_SEGMENT));
		const log: ReaderLog = { file, index, connect, synced: () => loadSynced(fileSystem, directory) };
		const refresh = shareRuns(async () => {
			try {
				await catchUp(log);
			} catch (error) {
				throw toFault(error, "reading the event log");
			}
		});
		await refresh();
		return {
			view: {
				file,
				refresh,
				get index() {
					return log.index;
				},
			},
			onAppended: hints.add,
			async close() {
				isClosed = true;
				connection?.close();
				await file.close();
			},
		};
	} catch (error) {
		connection?.close();
		await file.close();
		throw toFault(error, `reading the event store in ${directory}`);
	}
}

async function openLog(fileSystem: FileSystem, directory: string): Promise<OpenFile> {
	try {
		if ((await listSegments(fileSystem, directory)).length > 0) {
			return await openSegment(fileSystem, directory, "read");
		}
	} catch (error) {
		if (!hasCode(error, "ENOENT")) throw toFault(error, `opening the event store in ${directory}`);
	}
	const log = join(eventsDirectory(directory), segmentName(FIRST_SEGMENT));
	throw storeFault(
		"io",
		`there is no event store in ${directory} (${log} is missing); name the data directory of a server that has been started`,
		{ retryable: false },
	);
}

/** The reader's index, which grows; before anybody reads, it may be replaced as a whole. */
interface ReaderLog {
	readonly file: OpenFile;
	index: LogIndex;
	connect(): Promise<OwnerConnection | undefined>;
	synced(): Promise<Watermark | undefined>;
}

async function catchUp(log: ReaderLog): Promise<void> {
	const durable = await askOwner(log);
	if (durable !== undefined) return catchUpTo(log, durable.bytes);
	// Nobody writes. What is scanned now was written before the sync that follows, so that it is durable afterwards;
	// and an owner that came meanwhile is found by asking again. Until then nothing of it may be seen.
	const found = log.index.stage();
	const { bytes } = await log.file.status();
	const scan = await scanLog(log.file, found, bytes);
	await log.file.datasync();
	const meanwhile = await askOwner(log);
	if (meanwhile !== undefined) return catchUpTo(log, meanwhile.bytes);
	// An owner that came and went may have undone a failed write of its own: what was scanned is not all there.
	if ((await log.file.status()).bytes < bytes) return catchUp(log);
	refuseDamage(scan, found.position, bytes, await log.synced());
	log.index = found.commit();
}

/** How far the live owner says that the log is durable; `undefined` when there is none. */
async function askOwner(log: ReaderLog): Promise<Watermark | undefined> {
	for (;;) {
		const owner = await log.connect();
		const durable = await owner?.durable();
		// An owner that went while we asked may have a successor.
		if (owner === undefined || durable !== undefined) return durable;
	}
}

async function catchUpTo({ file, index }: ReaderLog, bytes: number): Promise<void> {
	if (index.bytes >= bytes) return;
	const { unsoundAt } = await scanLog(file, index, bytes);
	if (unsoundAt !== undefined)
		throw corruptAt(FIRST_SEGMENT, unsoundAt, "a durable event is not what was written");
}
