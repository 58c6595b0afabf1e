// Marks what is durable of an upload while it goes on: its bytes are synced in the background, and then, in the file of
// its note, told to be so.

import { join } from "node:path";
import type { FileSystem, OpenFile } from "./file-system.js";
import { encodeMark, encodeNote } from "./partial-note.js";

/** How much a crash may cost of each upload: so many bytes, or what came in so long a time; whichever is more. */
export interface MarkInterval {
	readonly bytes: number;
	readonly ms: number;
}
export const MARK_INTERVAL: MarkInterval = { bytes: 32 * 1024 * 1024, ms: 1000 };

/** Shared by all uploads of a store: one of them syncs at a time. Node has few threads, and the event log needs one too. */
export interface SyncTurn {
	isTaken: boolean;
}

/** A note's file that is there already, of an upload that is resumed. */
export interface OpenNote {
	readonly file: OpenFile;
	/** Where the next mark goes. */
	readonly end: number;
	/** What the last one says. */
	readonly marked: number;
}

export interface MarksOptions {
	readonly fileSystem: FileSystem;
	/** The directory of both files. */
	readonly folder: string;
	/** The upload's name, which its files begin with. */
	readonly name: string;
	readonly note: string;
	/** The file of the bytes. */
	readonly part: OpenFile;
	readonly resumed?: OpenNote;
	readonly turn: SyncTurn;
	readonly interval: MarkInterval;
}

export interface Marks {
	/** What the last mark says, and where it ends in the file of the note. */
	readonly marked: number;
	readonly end: number;
	/** Is told that so many bytes are written; begins to mark them in the background when it is time. */
	wrote(bytes: number): void;
	/** Why marking failed in the background. Then nothing that is not marked can be made durable any more. */
	failure(): unknown;
	/**
	 * Whether no sync of the bytes has failed. After one that has, nobody can tell what of them is lost. Not while something
	 * goes on in the background.
	 */
	isSynced(): boolean;
	/** Resolves when nothing goes on in the background. */
	settled(): Promise<void>;
	/** Marks so many bytes, durably with the names of the files. Not while something goes on in the background. */
	mark(bytes: number): Promise<void>;
	/** Closes the file of the note. Not while something goes on in the background. */
	close(): Promise<void>;
}

export function createMarks(options: MarksOptions): Marks {
	const { fileSystem, folder, name, part, resumed, turn, interval } = options;
	let file = resumed?.file;
	let end = resumed?.end ?? 0;
	let marked = resumed?.marked ?? 0;
	let lastAt = performance.now();
	let failure: unknown;
	let isSynced = true;
	let underway: Promise<void> | undefined;

	const mark = async (bytes: number): Promise<void> => {
		if (bytes === marked) return;
		isSynced = false;
		await part.datasync();
		isSynced = true;
		const isFirst = file === undefined;
		// Not before there is something to say: most videos are kept sooner.
		file ??= await fileSystem.open(join(folder, `${name}.note`), "create");
		const line = encodeMark(name, bytes);
		const added = isFirst ? Buffer.concat([encodeNote(name, options.note), line]) : line;
		await file.write(added, end);
		await file.datasync();
		if (isFirst) await fileSystem.syncDirectory(folder);
		end += added.length;
		marked = bytes;
	};
	const markInBackground = async (bytes: number): Promise<void> => {
		turn.isTaken = true;
		try {
			await mark(bytes);
		} catch (error) {
			failure = error;
		} finally {
			turn.isTaken = false;
			lastAt = performance.now();
			underway = undefined;
		}
	};
	return {
		get marked() {
			return marked;
		},
		get end() {
			return end;
		},
		wrote(bytes) {
			if (turn.isTaken || failure !== undefined) return;
			if (bytes - marked >= interval.bytes || performance.now() - lastAt >= interval.ms) {
				underway = markInBackground(bytes);
			}
		},
		failure: () => failure,
		isSynced: () => isSynced,
		settled: async () => underway,
		mark,
		close: async () => file?.close(),
	};
}
