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

	/** Those who wait until a file is idle, which can give way to theirs. */
	const waiting: (() => void)[] = [];
	const findIdle = (): [number, Entry] | undefined => [...entries].find(([, { uses }]) => uses === 0);

	const open = async (segment: number, inPlaceOf: Entry | undefined): Promise<OpenFile> => {
		if (inPlaceOf !== undefined) await closeEntry(inPlaceOf);
		return fileSystem.open(segmentPath(directory, segment), "read");
	};
	const add = (segment: number): Entry => {
		const idle = entries.size < MAX_OPEN_FILES ? undefined : findIdle();
		if (idle !== undefined) entries.delete(idle[0]);
		const entry = { file: open(segment, idle?.[1]), uses: 0 };
		// One that could not be opened is tried anew the next time.
		entry.file.catch(() => entries.get(segment) === entry && entries.delete(segment));
		return entry;
	};
	const take = async (segment: number): Promise<Entry> => {
		while (!entries.has(segment) && entries.size >= MAX_OPEN_FILES && findIdle() === undefined) {
			await new Promise<void>((resolve) => waiting.push(resolve));
		}
		const entry = entries.get(segment) ?? add(segment);
		entries.delete(segment);
		entries.set(segment, entry);
		entry.uses += 1;
		return entry;
	};
	const run = async <Result>(segment: number, work: (file: OpenFile) => Promise<Result>): Promise<Result> => {
		const entry = await take(segment);
		try {
			return await work(await entry.file);
		} catch (error) {
			throw toFault(error, "reading the event log");
		} finally {
			entry.uses -= 1;
			waiting.shift()?.();
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
			// Twice: what waited for a place opens its file after the first.
			closing ??= reset().then(reset);
			return closing;
		},
	};
	return files;
}

async function closeEntry({ file }: Entry): Promise<void> {
	const opened = await file.catch(() => undefined);
	await opened?.close().catch(() => undefined); // It was only read.
}
