// How far the log is durable, noted after a sync that no other batch follows at once (the next batch tells the same), and
// without a sync of its own. It is true whenever it was written, and a process that is killed leaves it in the cache: so
// who comes next, and who only reads, can tell the last batch from a torn tail. After a power cut it may be old or missing,
// and tells less.

import { join } from "node:path";
import { crc32 } from "node:zlib";
import { readSmallFile, unlinkIfPresent } from "./durable-files.js";
import type { FileSystem, OpenFile } from "./file-system.js";
import { eventsDirectory } from "./log-files.js";

const NOTE = /^([0-9]{10}) ([0-9a-f]{8})\n$/;
const MAX_BYTES = 64;

export interface DurableNote {
	/**
	 * Writes, in the background, that everything up to `position` is durable; only the newest of several. Does nothing
	 * after `close`. Never throws.
	 */
	write(position: number): void;
	/** `position`: a last note, because nothing else tells; `undefined`: the note is removed. */
	close(position: number | undefined): Promise<void>;
}

/** The last position that a note tells to be durable; 0: none does. */
export async function readDurableNote(fileSystem: FileSystem, directory: string): Promise<number> {
	const text = await readSmallFile(fileSystem, pathOf(directory), MAX_BYTES);
	const match = NOTE.exec(text ?? "");
	return match !== null && match[2] === checksum(match[1] as string) ? Number(match[1]) : 0;
}

/** Begins the notes of an owner, for which everything up to `position` is durable. */
export async function openDurableNote(
	fileSystem: FileSystem,
	directory: string,
	position: number,
): Promise<DurableNote> {
	const file = await fileSystem.open(pathOf(directory), "replace");
	let newest = position;
	let writing: Promise<void> | undefined;
	const write = async (): Promise<void> => {
		for (let written = -1; written !== newest; ) {
			written = newest;
			// One that is missing or torn tells less, and nothing wrong.
			await writeNote(file, written).catch(() => undefined);
		}
		writing = undefined;
	};
	let isClosed = false;
	const note: DurableNote = {
		write(durable) {
			if (isClosed) return;
			newest = durable;
			writing ??= write();
		},
		async close(last) {
			if (last !== undefined) note.write(last);
			isClosed = true;
			await writing;
			await file.close().catch(() => undefined);
			if (last === undefined) await unlinkIfPresent(fileSystem, pathOf(directory)).catch(() => undefined);
		},
	};
	note.write(position);
	return note;
}

function writeNote(file: OpenFile, position: number): Promise<void> {
	const digits = String(position).padStart(10, "0");
	return file.write(Buffer.from(`${digits} ${checksum(digits)}\n`), 0);
}

function checksum(digits: string): string {
	return crc32(digits).toString(16).padStart(8, "0");
}

function pathOf(directory: string): string {
	return join(eventsDirectory(directory), "durable");
}
