// The end of the log, where it is written: the active segment's file, and the step to the next segment.

import { unlinkIfPresent } from "./durable-files.js";
import type { FileSystem, OpenFile } from "./file-system.js";
import { createSegment, eventsDirectory, segmentPath } from "./log-files.js";
import type { LogIndex } from "./log-index.js";

export interface LogTailOptions {
	readonly fileSystem: FileSystem;
	readonly directory: string;
	/** Holds what is durable; a new segment is added to it here. */
	readonly index: LogIndex;
	/** The active segment, for writing. */
	readonly file: OpenFile;
	/** A segment that has so many bytes is followed by the next one. */
	readonly segmentBytes: number;
	/** Called when a segment is complete. */
	onSealed(): void;
}

export class LogTail {
	readonly #options: LogTailOptions;
	#file: OpenFile;

	constructor(options: LogTailOptions) {
		this.#options = options;
		this.#file = options.file;
	}

	/** Writes `bytes` behind what is durable, in the next segment when this one is full. */
	async write(bytes: Uint8Array): Promise<void> {
		const { index, segmentBytes } = this.#options;
		if (index.active.bytes >= segmentBytes) await this.#startSegment();
		await this.#file.write(bytes, index.active.bytes);
	}

	datasync(): Promise<void> {
		return this.#file.datasync();
	}

	/** Removes what a failed write has left. *Promise*: the log is as it was, durably, when it resolves. */
	async undo(): Promise<void> {
		const { fileSystem, directory, index } = this.#options;
		// A step to the next segment that did not come to its end is undone too.
		const next = segmentPath(directory, index.active.segment + 1);
		await unlinkIfPresent(fileSystem, `${next}.new`);
		await unlinkIfPresent(fileSystem, next);
		await fileSystem.syncDirectory(eventsDirectory(directory));
		await this.#file.truncate(index.active.bytes);
		await this.#file.datasync();
	}

	/** After a failed sync, whose handle is no longer trusted: opens the segment anew and removes what it has not synced. */
	async reopen(): Promise<void> {
		const { fileSystem, directory, index } = this.#options;
		const old = this.#file;
		this.#file = await fileSystem.open(segmentPath(directory, index.active.segment), "write-through");
		await old.close().catch(() => undefined);
		await this.undo();
	}

	/** Never rejects: everything in it is durable, or has been told to have failed. */
	async close(): Promise<void> {
		await this.#file.close().catch(() => undefined);
	}

	async #startSegment(): Promise<void> {
		const { fileSystem, directory, index, onSealed } = this.#options;
		const segment = index.active.segment + 1;
		const header = { segment, firstPosition: index.position + 1 };
		const headerBytes = await createSegment(fileSystem, directory, header);
		await fileSystem.syncDirectory(eventsDirectory(directory));
		const full = this.#file;
		this.#file = await fileSystem.open(segmentPath(directory, segment), "write-through");
		index.startSegment(headerBytes);
		await full.close().catch(() => undefined); // Everything in it is durable.
		onSealed();
	}
}
