// Reads the log of a directory from outside its owner: a CLI, a projection in another process.

import { resolve } from "node:path";
import { guardLogger } from "@reelkeep/core";
import { type EventStore, type Logger, storeFault } from "@reelkeep/core/ports";
import { toFault } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { createHints } from "./hints.js";
import { extendLog, type LogSource, loadLog } from "./load-log.js";
import { findSegments, requireLog, type Watermark } from "./log-files.js";
import type { LogIndex } from "./log-index.js";
import { type LogView, readAll, readStream } from "./log-reader.js";
import { createNodeFileSystem } from "./node-file-system.js";
import type { OwnerConnection, Ownership } from "./ownership.js";
import { createSegmentFiles } from "./segment-files.js";
import { shareRuns } from "./share-runs.js";
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
	const files = createSegmentFiles(fileSystem, directory);
	try {
		await requireLog(fileSystem, directory);
		const log = new FollowedLog({ fileSystem, directory, files }, connect);
		const refresh = shareRuns(async () => {
			try {
				await log.catchUp();
			} catch (error) {
				throw toFault(error, "reading the event log");
			}
		});
		await refresh();
		return {
			view: {
				files,
				refresh,
				get index() {
					return log.index;
				},
				get visible() {
					return log.visible;
				},
				onDamage() {},
			},
			onAppended: hints.add,
			async close() {
				isClosed = true;
				connection?.close();
				await files.close();
			},
		};
	} catch (error) {
		connection?.close();
		await files.close();
		throw toFault(error, `reading the event store in ${directory}`);
	}
}

/** The index of a log that others may write. Everything in it is durable, so all of it may be seen. */
class FollowedLog {
	readonly #source: LogSource;
	readonly #connect: () => Promise<OwnerConnection | undefined>;
	#index: LogIndex | undefined;
	#visible = 0;
	/** How long the last segment was when nobody owned the log. */
	#restingBytes = 0;

	constructor(source: LogSource, connect: () => Promise<OwnerConnection | undefined>) {
		this.#source = source;
		this.#connect = connect;
	}

	get index(): LogIndex {
		if (this.#index === undefined) throw new Error("the log has not been read yet");
		return this.#index;
	}

	/** While it is extended, what is new is not seen before all of it is there. */
	get visible(): number {
		return this.#visible;
	}

	async catchUp(): Promise<void> {
		const durable = await this.#askOwner();
		if (durable !== undefined) return this.#followOwner(durable);
		if (await this.#isAtRest()) return;
		const { files } = this.#source;
		// Nobody writes. What is read now was written before the sync that follows, so that it is durable afterwards; and
		// an owner that came meanwhile is found by asking again. Until then nothing of it may be seen.
		const { index, bytes } = await loadLog(this.#source);
		const { segment } = index.active;
		await files.use(segment, (file) => file.datasync());
		const meanwhile = await this.#askOwner();
		if (meanwhile !== undefined) return this.#followOwner(meanwhile);
		// An owner that came and went may have undone a failed write of its own: what was read is not all there.
		const status = await files.use(segment, (file) => file.status());
		if (status.bytes < bytes) return this.catchUp();
		this.#restingBytes = bytes;
		this.#show(index);
	}

	async #followOwner(durable: Watermark): Promise<void> {
		if (this.#index === undefined) return this.#show((await loadLog(this.#source, durable)).index);
		await extendLog(this.#source, this.#index, durable);
		this.#show(this.#index);
	}

	/** Whether the log is as it was when nobody owned it. */
	async #isAtRest(): Promise<boolean> {
		if (this.#restingBytes === 0) return false;
		const { fileSystem, directory, files } = this.#source;
		const { segment } = this.index.active;
		const { bytes } = await files.use(segment, (file) => file.status());
		return bytes === this.#restingBytes && (await findSegments(fileSystem, directory)).last === segment;
	}

	#show(index: LogIndex): void {
		this.#index = index;
		this.#visible = index.position;
	}

	/** How far the live owner says that the log is durable; `undefined` when there is none. */
	async #askOwner(): Promise<Watermark | undefined> {
		for (;;) {
			const owner = await this.#connect();
			const durable = await owner?.durable();
			// An owner that went while we asked may have a successor.
			if (owner === undefined || durable !== undefined) return durable;
		}
	}
}
