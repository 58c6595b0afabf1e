// The files under `videos/partial/`: `NAME.part` has an upload's bytes, `NAME.note` beside it says how many of them are
// durable. One without the other is worth nothing.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { storeFault } from "@reelkeep/core/ports";
import { readRange, unlinkIfPresent, withFile } from "./durable-files.js";
import { type FileSystem, hasCode, type OpenFile } from "./file-system.js";
import type { OpenNote } from "./partial-marks.js";
import { decodeNote } from "./partial-note.js";

/** An upload's name: its video's safe name, and digits of its own. `.kept` is of the time before there were notes. */
const FILE = /^(([0-9a-f]{64})\.[0-9a-f]{16})\.(part|note|kept)$/;
/** A mark has some 20 bytes, and there is at most one a second: enough for a week. */
const MAX_NOTE_FILE_BYTES = 16 * 1024 * 1024;

/** What an upload left that can be gone on with. */
export interface KeptPartial {
	/** The upload's; also the resume token. */
	readonly name: string;
	/** The safe name of its video's key. */
	readonly videoName: string;
	readonly note: string;
	/** How many bytes are durable. */
	readonly bytes: number;
	/** Where the mark that says so ends in the file of the note. */
	readonly noteEnd: number;
}

/** The files of one upload. */
export interface FoundPartial {
	readonly name: string;
	readonly videoName: string;
	/** Which are there. */
	readonly endings: readonly string[];
	/** `undefined`: it cannot be gone on with. */
	readonly kept: KeptPartial | undefined;
	/** Why nobody can tell. */
	readonly failure?: unknown;
}

/** An upload whose files are open again. */
export interface ReopenedPartial {
	readonly part: OpenFile;
	readonly note: OpenNote;
}

export function newPartialName(videoName: string): string {
	return `${videoName}.${randomBytes(8).toString("hex")}`;
}

export function partPath(folder: string, name: string): string {
	return join(folder, `${name}.part`);
}

function notePath(folder: string, name: string): string {
	return join(folder, `${name}.note`);
}

/** Every upload that left a file in `folder`, but those that `isInUse` says to be under way. Reads none of their bytes. */
export async function findPartials(
	fileSystem: FileSystem,
	folder: string,
	isInUse: (name: string) => boolean = () => false,
): Promise<readonly FoundPartial[]> {
	const byName = new Map<string, { readonly videoName: string; readonly endings: string[] }>();
	for (const file of await fileSystem.list(folder)) {
		const [, name, videoName, ending] = FILE.exec(file) ?? [];
		if (name === undefined || videoName === undefined || ending === undefined || isInUse(name)) continue;
		const found = byName.get(name) ?? { videoName, endings: [] };
		found.endings.push(ending);
		byName.set(name, found);
	}
	const partials: FoundPartial[] = [];
	for (const [name, { videoName, endings }] of byName) {
		const found = { name, videoName, endings };
		const isPair = endings.includes("part") && endings.includes("note");
		try {
			partials.push({ ...found, kept: isPair ? await readKept(fileSystem, folder, found) : undefined });
		} catch (failure) {
			partials.push({ ...found, kept: undefined, failure });
		}
	}
	return partials;
}

async function readKept(
	fileSystem: FileSystem,
	folder: string,
	{ name, videoName }: { readonly name: string; readonly videoName: string },
): Promise<KeptPartial | undefined> {
	const fileBytes = await withFile(fileSystem, partPath(folder, name), async (file) => {
		const { bytes, isFile = true } = await file.status();
		if (!isFile) throw storeFault("io", `videos/partial/${name}.part is no file`);
		return bytes;
	});
	const content = await withFile(fileSystem, notePath(folder, name), async (file) =>
		readRange(file, 0, Math.min((await file.status()).bytes, MAX_NOTE_FILE_BYTES)),
	);
	if (fileBytes === undefined || content === undefined) return undefined;
	const decoded = decodeNote(name, content, fileBytes);
	return decoded && { name, videoName, note: decoded.note, bytes: decoded.bytes, noteEnd: decoded.end };
}

/** Removes the files of an upload: those with these endings. */
export async function removePartial(
	fileSystem: FileSystem,
	folder: string,
	{ name, endings = ["note", "part"] }: { readonly name: string; readonly endings?: readonly string[] },
): Promise<void> {
	for (const ending of endings) await unlinkIfPresent(fileSystem, join(folder, `${name}.${ending}`));
}

/** Opens the files of an upload to go on with it, without what is behind its mark. `undefined`: they are gone. */
export async function reopenPartial(
	fileSystem: FileSystem,
	folder: string,
	{ name, bytes, noteEnd }: KeptPartial,
): Promise<ReopenedPartial | undefined> {
	const part = await openToUpdate(fileSystem, partPath(folder, name));
	if (part === undefined) return undefined;
	let note: OpenFile | undefined;
	try {
		note = await openToUpdate(fileSystem, notePath(folder, name));
		if (note !== undefined) {
			await cutTail(note, noteEnd);
			await cutTail(part, bytes);
			return { part, note: { file: note, end: noteEnd, marked: bytes } };
		}
	} catch (error) {
		await note?.close();
		await part.close();
		throw error;
	}
	await part.close();
	return undefined;
}

async function openToUpdate(fileSystem: FileSystem, path: string): Promise<OpenFile | undefined> {
	try {
		return await fileSystem.open(path, "update");
	} catch (error) {
		if (hasCode(error, "ENOENT")) return undefined;
		throw error;
	}
}

/** Durably: a mark behind the end would be believed again once the bytes have grown past it. */
async function cutTail(file: OpenFile, end: number): Promise<void> {
	if ((await file.status()).bytes === end) return;
	await file.truncate(end);
	await file.datasync();
}
