// Reads the log of a directory from outside its owner: a CLI, a projection in another process.

import { resolve } from "node:path";
import { guardLogger } from "@reelkeep/core";
import { type EventStore, type Logger, storeFault } from "@reelkeep/core/ports";
import { loadLogToCopy } from "./backup-source.js";
import { sizeIfPresent, toFault } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import { createHints } from "./hints.js";
import { extendLog, type LoadedLog, type LogSource, loadLog } from "./load-log.js";
import { findSegments, indexPath, requireLog, segmentPath, type Watermark } from "./log-files.js";
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
	/**
	 * Without an owner, show all that the next one would take over, whether it was acknowledged or not; it is synced first.
	 * For who copies the log. Default false: only what the log itself proves to be durable.
	 */
	readonly asNextOwner?: boolean;
	readonly logger?: Logger;
	/** Default: the machine's. */
	readonly fileSystem?: FileSystem;
	/** Default: by a Unix socket in the directory. */
	readonly ownership?: Ownership;
}

/**
 * Opens the log of `directory` for reading, beside a running owner or without one; it changes nothing there.
 * *Errors*: rejects with a `StoreFault`: `io` when there is no store, or its owner does not answer; `corrupt`.
 * *Promise*: as the store's own readers: only durable events, told by the owner; without an owner only what the log
 * itself proves to be durable (but see `asNextOwner`), so that after a crash the last batch is seen once an owner has started. `append` rejects
 * with a `TypeError`; hints come from the owner.
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
		const takeOver =
			options.asNextOwner === true ? (from: LogSource) => loadLogToCopy(from, ownership) : undefined;
		const log = new FollowedLog({ fileSystem, directory, files }, connect, logger, takeOver);
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
				onDamage: () => log.distrust(),
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

const HIDDEN =
	"the last events of the log are not shown: nobody runs on it who could tell that they are durable; they are once it is started";

/** The index of a log that others may write, and how far of it may be seen. */
class FollowedLog {
	readonly #source: LogSource;
	readonly #connect: () => Promise<OwnerConnection | undefined>;
	readonly #logger: Logger | undefined;
	/** What the next owner would take over; `undefined`: that is not to be seen. */
	readonly #takeOver: ((source: LogSource) => Promise<LogIndex>) | undefined;
	#index: LogIndex | undefined;
	#visible = 0;
	/** What the files were like when nobody owned the log. */
	#resting: string | undefined;
	/** Something that was read is not what the index says: files were replaced, by a repair say. */
	#isStale = false;

	constructor(
		source: LogSource,
		connect: () => Promise<OwnerConnection | undefined>,
		logger: Logger | undefined,
		takeOver: ((source: LogSource) => Promise<LogIndex>) | undefined,
	) {
		this.#takeOver = takeOver;
		this.#source = source;
		this.#connect = connect;
		this.#logger = logger;
	}

	get index(): LogIndex {
		if (this.#index === undefined) throw new Error("the log has not been read yet");
		return this.#index;
	}

	/** Only what is durable. While the index is extended, what is new is not seen before all of it is there. */
	get visible(): number {
		return this.#visible;
	}

	async catchUp(): Promise<void> {
		const durable = await this.#askOwner();
		if (durable !== undefined) return this.#followOwner(durable);
		const state = await this.#state();
		if (this.#index !== undefined && !this.#isStale && state === this.#resting) return;
		if (this.#takeOver !== undefined) {
			await this.#source.files.reset();
			const taken = await this.#takeOver(this.#source);
			this.#resting = state;
			this.#isStale = false;
			return this.#show(taken, taken.position);
		}
		// Nobody tells how far the log is durable, and a sync of ours would not make it so: after one that failed, the next
		// succeeds without writing. So only that is seen which the log itself proves; the next owner makes the rest durable.
		const { index, proven } = await this.#load();
		this.#resting = state;
		const hidden = index.position - Math.max(proven, this.#visible);
		if (hidden > 0) this.#logger?.warn({ events: hidden }, HIDDEN);
		this.#show(index, Math.min(Math.max(proven, this.#visible), index.position));
	}

	async #followOwner(durable: Watermark): Promise<void> {
		// What was read beyond what was seen, an owner may have cut.
		if (this.#index === undefined || this.#isStale || this.#index.position > this.#visible) {
			this.#index = (await this.#load(durable)).index;
		} else await extendLog(this.#source, this.#index, durable);
		this.#show(this.#index, this.#index.position);
	}

	/** Called when a reader met damage: the next look begins anew. */
	distrust(): void {
		this.#isStale = true;
	}

	async #load(upTo?: Watermark): Promise<LoadedLog> {
		// What is open may have been replaced.
		await this.#source.files.reset();
		const loaded = await loadLog(this.#source, upTo);
		this.#isStale = false;
		return loaded;
	}

	/** Tells whether an owner came and went: each leaves another last segment, or another index file of it. */
	async #state(): Promise<string> {
		const { fileSystem, directory } = this.#source;
		const { last } = await findSegments(fileSystem, directory);
		const sizes = [segmentPath(directory, last), indexPath(directory, last)].map((path) =>
			sizeIfPresent(fileSystem, path),
		);
		return [last, ...(await Promise.all(sizes))].join(" ");
	}

	#show(index: LogIndex, visible: number): void {
		this.#index = index;
		this.#visible = visible;
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
