// Compares what the log says of videos with the files that are there. Changes nothing.

import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { foldRecordings, type Recording, recordingDeadline } from "@reelkeep/core";
import type { EventStore, RecordedEvent, StreamName } from "@reelkeep/core/ports";
import { openIfPresent, sizeIfPresent } from "./durable-files.js";
import { type FileSystem, hasCode } from "./file-system.js";
import { type FoundPartial, findPartials } from "./partial-files.js";
import { safeName } from "./safe-name.js";
import { hashFile } from "./video-file.js";
import type { DamagedVideo, Leftover, MissingVideo, UntoldVideo, VideoInspection } from "./video-findings.js";
import { foldersOf, isLocation, placeAt, placeOf, videosOf } from "./video-place.js";

/** Of files, to learn their sizes. */
const LOOKS_AT_A_TIME = 16;
/** What a disk says that has lost something. */
const UNREADABLE = "EIO";

export interface InspectionProgress {
	/** How many of the kept videos were looked at, of how many, and how many bytes of them were read. */
	readonly videos: number;
	readonly of: number;
	readonly bytes: number;
}

export interface InspectVideosOptions {
	readonly fileSystem: FileSystem;
	readonly directory: string;
	readonly events: Pick<EventStore, "readAll">;
	readonly isOwned: boolean;
	/** Also read every kept video, and compare its SHA-256 with its receipt. */
	readonly hashes: boolean;
	readonly onProgress?: (progress: InspectionProgress) => void;
}

interface Known {
	readonly stream: StreamName;
	readonly recording: Recording;
}

/** A recording that the log says to be kept in this store. */
interface KeptRecording {
	readonly stream: StreamName;
	readonly location: string;
	readonly bytes: number;
	readonly sha256: string;
	readonly deadline: number;
}

/** *Errors*: rejects with what reading the log or a directory does. */
export async function inspectVideos(options: InspectVideosOptions): Promise<VideoInspection> {
	const { fileSystem, directory, isOwned } = options;
	// Files first: whoever writes one tells the log of its recording before, and of its being kept afterwards.
	const names = await listNames(fileSystem, directory);
	const partials = await listPartials(fileSystem, directory);
	const log = await readLog(options.events);
	const byName = new Map(
		[...log.recordings].map(([stream, recording]) => [safeName(stream), { stream, recording }]),
	);
	const archived = keptRecordings(log.recordings);
	const here = archived.filter(({ location }) => isLocation(location));
	const told = new Set(here.map(({ location }) => location));
	const sizes = await measure(fileSystem, directory, names);
	const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
	const checked = await checkKept(options, here, sizes);
	const untold = names.flatMap((name) => untoldOf(name, { directory, byName, told, sizes }));
	const leftovers = await judgePartials(fileSystem, directory, partials, { byName, names: new Set(names) });
	return {
		isOwned,
		position: log.position,
		recordings: log.recordings.size,
		archived: here.length,
		archivedElsewhere: archived.length - here.length,
		files: sizes.size,
		bytes,
		hashed: checked.hashed,
		unfinished: partials.length - leftovers.length,
		findings: [...checked.findings, ...untold, ...leftovers],
	};
}

async function listNames(fileSystem: FileSystem, directory: string): Promise<readonly string[]> {
	const names: string[] = [];
	for (const folder of await foldersOf(fileSystem, directory)) {
		for (const file of await videosOf(fileSystem, directory, folder)) names.push(basename(file, ".mp4"));
	}
	return names;
}

async function listPartials(fileSystem: FileSystem, directory: string): Promise<readonly FoundPartial[]> {
	try {
		return await findPartials(fileSystem, join(directory, "videos", "partial"));
	} catch (error) {
		if (hasCode(error, "ENOENT")) return [];
		throw error;
	}
}

async function readLog(events: Pick<EventStore, "readAll">) {
	let position = "0";
	const watched = async function* (): AsyncGenerator<RecordedEvent> {
		for await (const event of events.readAll()) {
			position = event.position;
			yield event;
		}
	};
	const recordings = await foldRecordings(watched());
	return { recordings, position };
}

function keptRecordings(recordings: ReadonlyMap<StreamName, Recording>): readonly KeptRecording[] {
	return [...recordings].flatMap(([stream, recording]) => {
		const { receipt, state } = recording;
		if (state !== "archived" || receipt === undefined) return [];
		const { location, bytes, sha256 } = receipt;
		return [{ stream, location, bytes, sha256, deadline: recordingDeadline(recording)?.at ?? 0 }];
	});
}

/** By name; one that is gone by now has none. */
async function measure(
	fileSystem: FileSystem,
	directory: string,
	names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
	const sizes = new Map<string, number>();
	for (let at = 0; at < names.length; at += LOOKS_AT_A_TIME) {
		const look = async (name: string): Promise<void> => {
			const size = await sizeIfPresent(fileSystem, placeOf(directory, name).path).catch(ignoreUnreadable);
			if (size !== undefined) sizes.set(name, size);
		};
		await Promise.all(names.slice(at, at + LOOKS_AT_A_TIME).map(look));
	}
	return sizes;
}

/** If it is one that is kept, its check will tell. Anything else, too many open files for instance, says nothing about a video. */
function ignoreUnreadable(error: unknown): undefined {
	if (!hasCode(error, UNREADABLE)) throw error;
}

async function checkKept(
	options: InspectVideosOptions,
	kept: readonly KeptRecording[],
	sizes: ReadonlyMap<string, number>,
) {
	const findings: (MissingVideo | DamagedVideo)[] = [];
	let videos = 0;
	let bytes = 0;
	let hashed = 0;
	const tell = (): void => options.onProgress?.({ videos, of: kept.length, bytes });
	const onBytes = (chunk: Uint8Array): void => {
		bytes += chunk.byteLength;
		tell();
	};
	for (const video of kept) {
		const isMeasured = !options.hashes && sizes.get(basename(video.location, ".mp4")) === video.bytes;
		const finding = isMeasured ? undefined : await checkVideo(options, video, onBytes);
		if (finding !== undefined) findings.push(finding);
		if (options.hashes && finding?._tag !== "Missing") hashed += 1;
		videos += 1;
		tell();
	}
	return { findings, hashed };
}

async function checkVideo(
	{ fileSystem, directory, hashes }: InspectVideosOptions,
	{ stream, location, deadline, ...receipt }: KeptRecording,
	onBytes: (chunk: Uint8Array) => void,
): Promise<MissingVideo | DamagedVideo | undefined> {
	const damaged = (problem: string): DamagedVideo => ({
		_tag: "Damaged",
		location,
		stream,
		deadline,
		problem,
	});
	try {
		const file = await openIfPresent(fileSystem, placeAt(directory, location).path);
		if (file === undefined) return { _tag: "Missing", location, stream, deadline };
		try {
			const { bytes } = await file.status();
			if (bytes !== receipt.bytes)
				return damaged(`it has ${bytes} bytes, and its receipt says ${receipt.bytes}`);
			if (!hashes) return undefined;
			const hash = createHash("sha256");
			await hashFile(file, hash, onBytes);
			if (hash.digest("hex") !== receipt.sha256) return damaged("its SHA-256 is not that of its receipt");
		} finally {
			await file.close();
		}
	} catch (error) {
		if (hasCode(error, UNREADABLE)) return damaged(`it cannot be read (${UNREADABLE})`);
		throw error;
	}
	return undefined;
}

interface Files {
	readonly directory: string;
	readonly byName: ReadonlyMap<string, Known>;
	/** The locations of what the log says to be kept. */
	readonly told: ReadonlySet<string>;
	readonly sizes: ReadonlyMap<string, number>;
}

function untoldOf(name: string, { directory, byName, told, sizes }: Files): readonly UntoldVideo[] {
	const { location } = placeOf(directory, name);
	const bytes = sizes.get(name);
	if (told.has(location) || bytes === undefined) return [];
	const known = byName.get(name);
	if (known === undefined) return [{ _tag: "Untold", location, bytes, state: "unknown" }];
	const { stream, recording } = known;
	// Of a recording that is kept elsewhere, or never was reported, nobody waits for a file here.
	const { state } = recording;
	const isOpen = state === "pending" || state === "expired" || state === "abandoned";
	return [{ _tag: "Untold", location, bytes, state: isOpen ? state : "unknown", stream }];
}

async function judgePartials(
	fileSystem: FileSystem,
	directory: string,
	partials: readonly FoundPartial[],
	{ byName, names }: { readonly byName: ReadonlyMap<string, Known>; readonly names: ReadonlySet<string> },
): Promise<readonly Leftover[]> {
	const leftovers: Leftover[] = [];
	for (const partial of partials) {
		const known = byName.get(partial.videoName);
		const why = whyLeft(partial, known?.recording, names.has(partial.videoName));
		if (why === undefined) continue;
		const files = partial.endings.map((ending) => `videos/partial/${partial.name}.${ending}`);
		const bytes = why === "unreadable" ? 0 : await totalBytes(fileSystem, directory, files);
		leftovers.push({ _tag: "Leftover", files, bytes, why, ...(known && { stream: known.stream }) });
	}
	return leftovers;
}

async function totalBytes(
	fileSystem: FileSystem,
	directory: string,
	files: readonly string[],
): Promise<number> {
	let bytes = 0;
	for (const file of files) bytes += (await sizeIfPresent(fileSystem, join(directory, file))) ?? 0;
	return bytes;
}

function whyLeft(
	{ kept, failure }: FoundPartial,
	recording: Recording | undefined,
	hasVideo: boolean,
): Leftover["why"] | undefined {
	if (failure !== undefined) return "unreadable";
	if (kept === undefined) return "useless";
	if (hasVideo) return "kept";
	if (recording === undefined) return "unknown";
	return recording.state === "pending" ? undefined : "rested";
}
