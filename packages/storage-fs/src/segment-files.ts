// The segments' files as readers use them: opened when needed, a bounded number at a time, and never closed under a read,
// when the number of their descriptor may already stand for another file.

import { storeFault } from "@reelkeep/core/ports";
import { readRange, toFault } from "./durable-files.js";
import type { FileSystem, OpenFile } from "./file-system.js";
import { segmentPath } from "./log-files.js";

/** A replay needs one at a time; streams that go on for long, a few. */
const MAX_OPEN_FILES = 16;

export interface SegmentFiles {
	/** The bytes of a segment from `from` to `to`; fewer when the file ends before that. */
	read(segment: number, from: number, to: number): Promise<Buffer>;
	/**
	 * Opens the file, unless it is, for as long as `work` takes.
	 * *Errors*: rejects with a `StoreFault`: `closed` after `close`, else what `work` rejects with, as `io`.
	 */
	use<Result>(segment: number, work: (file: OpenFile) => Promise<Result>): Promise<Result>;
	/** Forgets what is open, because files were replaced. */
	reset(): Promise<void>;
	/** Resolves once nothing is under way and everything is closed. Idempotent. */
	close(): Promise<void>;
}

interface Entry {
	readonly file: Promise<OpenFile>;
	uses: number;
}

/** The files of the log in `directory`, for reading. */
export function createSegmentFiles(fileSystem: FileSystem, directory: string): SegmentFiles {
	/** The least recently used first. */
	let entries = new Map<number, Entry>();
	const underWay = new Set<Promise<unknown>>();
	let closing: Promise<void> | undefined;

	const entryOf = (segment: number): Entry => {
		const known = entries.get(segment);
		const entry = known ?? { file: fileSystem.open(segmentPath(directory, segment), "read"), uses: 0 };
		entries.delete(segment);
		entries.set(segment, entry);
		if (known === undefined) {
			// One that could not be opened is tried anew the next time.
			entry.file.catch(() => entries.get(segment) === entry && entries.delete(segment));
		}
		return entry;
	};
	const closeIdle = async (): Promise<void> => {
		const [idle] = [...entries].filter(([, { uses }]) => uses === 0);
		if (entries.size <= MAX_OPEN_FILES || idle === undefined) return;
		entries.delete(idle[0]);
		await closeEntry(idle[1]);
	};
	const run = async <Result>(segment: number, work: (file: OpenFile) => Promise<Result>): Promise<Result> => {
		const entry = entryOf(segment);
		entry.uses += 1;
		try {
			return await work(await entry.file);
		} catch (error) {
			throw toFault(error, "reading the event log");
		} finally {
			entry.uses -= 1;
			await closeIdle();
		}
	};
	const reset = async (): Promise<void> => {
		const old = entries;
		entries = new Map();
		await Promise.allSettled(underWay);
		await Promise.all([...old.values()].map(closeEntry));
	};
	const files: SegmentFiles = {
		read: (segment, from, to) => files.use(segment, (file) => readRange(file, from, to)),
		async use(segment, work) {
			if (closing !== undefined) throw storeFault("closed", "the event log was closed while it was read");
			const result = run(segment, work);
			underWay.add(result);
			try {
				return await result;
			} finally {
				underWay.delete(result);
			}
		},
		reset,
		close() {
			closing ??= reset();
			return closing;
		},
	};
	return files;
}

async function closeEntry({ file }: Entry): Promise<void> {
	const opened = await file.catch(() => undefined);
	await opened?.close();
}
