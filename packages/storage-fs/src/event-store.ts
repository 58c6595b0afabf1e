// The event store in a directory: ownership, recovery, one writer, and readers of what is durable.

import { resolve } from "node:path";
import { guardLogger } from "@reelkeep/core";
import {
	type Clock,
	checkAppend,
	type EventImporter,
	type EventStore,
	type Logger,
	type StoreFault,
	storeFault,
} from "@reelkeep/core/ports";
import { makeDurableDirectory, syncAncestors, toFault } from "./durable-files.js";
import { type DurableNote, openDurableNote } from "./durable-note.js";
import type { FileSystem } from "./file-system.js";
import { GroupCommit, MAX_PENDING_APPENDS, MAX_PENDING_BYTES } from "./group-commit.js";
import { createHints } from "./hints.js";
import { importEvents } from "./import-events.js";
import { createIndexKeeper, type IndexKeeper } from "./index-keeper.js";
import { MAX_SEGMENT_BYTES, MIN_SEGMENT_BYTES, SEGMENT_BYTES } from "./log-files.js";
import { MAX_POSITION } from "./log-index.js";
import { type LogView, readAll, readStream } from "./log-reader.js";
import { LogTail } from "./log-tail.js";
import { refuseNetworkFileSystem } from "./network-file-system.js";
import { createNodeFileSystem } from "./node-file-system.js";
import type { Owned, Ownership } from "./ownership.js";
import { createRecentBytes } from "./recent-bytes.js";
import { recoverLog } from "./recovery.js";
import { createSegmentFiles, type SegmentFiles } from "./segment-files.js";
import { createSocketOwnership } from "./socket-ownership.js";
import { findHead } from "./stream-head.js";

/** So many events take about 2 GB of memory. */
const MAX_EVENTS = 100_000_000;
/** From this share of `maxEvents` on the store says so. */
const NEARLY_FULL = 0.8;

export interface FsEventStoreOptions {
	/** The data directory; made when it is missing. Its path is resolved once, here. */
	readonly directory: string;
	readonly clock: Clock;
	readonly logger?: Logger;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in the directory. */
	readonly ownership?: Ownership;
	/** Appends that may wait for a sync; one more is `overloaded`. Default 16,384. */
	readonly maxPendingAppends?: number;
	/** Bytes of log that may wait for a sync. Default 64 MiB. */
	readonly maxPendingBytes?: number;
	/** How many events the log may hold; more are refused with `io`. Default 100 million; at most 4,294,967,294. */
	readonly maxEvents?: number;
	/** A file of the log that has so many bytes is followed by the next one. Default 64 MiB; 1 KiB to 1 GiB. */
	readonly segmentBytes?: number;
	/** Lets the directory lie on NFS, SMB and the like, where only this machine may ever mount it. Default: refused. */
	readonly allowNetworkFileSystem?: boolean;
}

export interface FsEventStore extends EventStore, EventImporter {
	/**
	 * Takes ownership of the directory and recovers its log; until then every call rejects with `closed`.
	 * *Errors*: rejects with a `StoreFault`: `owned` (names the other process), `corrupt` (names segment and byte),
	 * `io`. A store that failed to open is closed.
	 * *Promise*: everything that can be read afterwards is durable.
	 */
	open(): Promise<void>;

	/**
	 * Why every append is rejected now; `undefined` while none is for that. What was durable is still read. A disk that
	 * failed is tried again by itself; a damaged log must be repaired.
	 */
	failure(): StoreFault | undefined;

	/** What else is wrong, in words: a full disk, or a log that will be full. */
	troubles(): readonly string[];
}

interface OpenLog {
	readonly owned: Owned;
	readonly files: SegmentFiles;
	readonly view: LogView;
	readonly tail: LogTail;
	readonly writer: GroupCommit;
	readonly indexes: IndexKeeper;
	readonly note: DurableNote;
}

/** Makes the event store of a directory; `open` it before use. Any number of readers may stand beside it. */
export function createFsEventStore(options: FsEventStoreOptions): FsEventStore {
	const directory = resolve(options.directory);
	const fileSystem = options.fileSystem ?? createNodeFileSystem();
	const { maxEvents = MAX_EVENTS, segmentBytes = SEGMENT_BYTES } = options;
	checkWhole("maxEvents", maxEvents, 1, MAX_POSITION);
	checkWhole("segmentBytes", segmentBytes, MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES);
	const logger = options.logger && guardLogger(options.logger);
	const hints = createHints(logger);
	let log: OpenLog | undefined;
	let opening: Promise<OpenLog> | undefined;
	let closing: Promise<void> | undefined;

	const openedLog = (): OpenLog => {
		if (log !== undefined && closing === undefined) return log;
		throw storeFault("closed", `the event store in ${directory} is ${closing ? "closed" : "not open yet"}`);
	};
	const view = async () => openedLog().view;

	return {
		supports: { persistence: true },
		async open() {
			if (closing !== undefined) throw storeFault("closed", `the event store in ${directory} is closed`);
			const settled = {
				...options,
				directory,
				fileSystem,
				maxEvents,
				segmentBytes,
				...(logger && { logger }),
			};
			opening ??= startLog(settled, hints.give);
			log = await opening;
		},
		failure: () => log?.writer.failure,
		troubles: () => (log === undefined ? [] : troublesOf(log, maxEvents)),
		// Not `async`: that would be one promise more for each append, and it costs.
		append(stream, events, expectedVersion) {
			try {
				checkAppend(stream, events, expectedVersion);
				return openedLog().writer.append(stream, events, expectedVersion);
			} catch (error) {
				return Promise.reject(error);
			}
		},
		importEvents: async (events, after) => importEvents(openedLog(), events, after),
		read: (stream, readOptions) => readStream(view, stream, readOptions),
		readAll: (readOptions) => readAll(view, readOptions),
		onAppended: hints.add,
		close() {
			closing ??= stopLog(opening);
			return closing;
		},
	};
}

function checkWhole(name: string, value: number, least: number, most: number): void {
	if (Number.isSafeInteger(value) && value >= least && value <= most) return;
	throw new RangeError(`${name} must be a whole number from ${least} to ${most}`);
}

function troublesOf({ writer, view }: OpenLog, maxEvents: number): readonly string[] {
	const { position } = view.index;
	const filling =
		position < maxEvents * NEARLY_FULL
			? undefined
			: `the event log holds ${position} events, and ${maxEvents} are its limit: raise maxEvents, or move on`;
	return [writer.trouble?.message, filling].filter((trouble) => trouble !== undefined);
}

type SettledOptions = FsEventStoreOptions &
	Required<Pick<FsEventStoreOptions, "fileSystem" | "maxEvents" | "segmentBytes">>;

async function startLog(options: SettledOptions, hint: () => void): Promise<OpenLog> {
	const { directory, fileSystem, clock, logger } = options;
	const ownership = options.ownership ?? createSocketOwnership();
	const files = createSegmentFiles(fileSystem, directory);
	let owned: Owned | undefined;
	try {
		await makeDurableDirectory(fileSystem, directory);
		await syncAncestors(fileSystem, directory);
		if (options.allowNetworkFileSystem !== true) await refuseNetworkFileSystem(fileSystem, directory);
		owned = await ownership.acquire(directory, clock.now());
		const { file, index } = await recoverLog({ fileSystem, directory, files }, logger);
		const indexes = createIndexKeeper({ fileSystem, directory, files, index }, logger);
		const { segmentBytes } = options;
		const tail = new LogTail({
			fileSystem,
			directory,
			index,
			file,
			segmentBytes,
			onSealed: indexes.saveSealed,
		});
		const note = await openDurableNote(fileSystem, directory, index.position);
		const owner = owned;
		const publish = () => owner.publish(index.end);
		publish();
		const recent = createRecentBytes(files);
		const source = { index, files: recent.files };
		const writer = new GroupCommit({
			tail,
			index,
			recent,
			findHead: (stream) => findHead(source, stream),
			clock,
			logger,
			maxPendingAppends: options.maxPendingAppends ?? MAX_PENDING_APPENDS,
			maxPendingBytes: options.maxPendingBytes ?? MAX_PENDING_BYTES,
			maxEvents: options.maxEvents,
			onDurable() {
				publish();
				hint();
			},
			onIdle: () => note.write(index.position),
		});
		const view: LogView = {
			...source,
			get visible() {
				return index.position;
			},
			refresh: async () => {},
			onDamage: (fault) => writer.refuse(fault),
		};
		return { owned, files, view, tail, writer, indexes, note };
	} catch (error) {
		await files.close();
		await owned?.release();
		throw toFault(error, `opening the event store in ${directory}`);
	}
}

/** Appends under way are finished, the ownership is given up last. */
async function stopLog(opening: Promise<OpenLog> | undefined): Promise<void> {
	const log = await opening?.catch(() => undefined); // `open` has told its caller.
	if (log === undefined) return;
	await log.writer.drain();
	const isSaved = await log.indexes.close();
	await log.note.close(isSaved ? undefined : log.view.index.position);
	try {
		await log.files.close();
		await log.tail.close();
	} finally {
		await log.owned.release();
	}
}
