// Compares what the log says of videos with the files that are there. Changes nothing.

import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { foldRecordings, type Recording, recordingDeadline } from "@reelkeep/core";
import {
	type EventStore,
	isVideoLocation,
	type RecordedEvent,
	type StoreFault,
	type StreamName,
	videoName,
} from "@reelkeep/core/ports";
import { openIfPresent, sizeIfPresent, toFault } from "./durable-files.js";
import { type FileSystem, hasCode } from "./file-system.js";
import { type FoundPartial, findPartials } from "./partial-files.js";
import { hashFile } from "./video-file.js";
import type { DamagedVideo, Leftover, MissingVideo, UntoldVideo, VideoInspection } from "./video-findings.js";
import { lookAtVideo, type VideoLook } from "./video-look.js";
import { foldersOf, placeAt, placeOf, videosOf } from "./video-place.js";

/** Of files, to learn their sizes. */
const LOOKS_AT_A_TIME = 16;
/** What a disk says that has lost something. */
const UNREADABLE = "EIO";
const NO_FILE = "it is no file, but a directory, a pipe or a link to nothing";

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
		[...log.recordings].map(([stream, recording]) => [videoName(stream), { stream, recording }]),
	);
	const archived = keptRecordings(log.recordings);
	const here = archived.filter(({ location }) => isVideoLocation(location));
	const told = new Set(here.map(({ location }) => location));
	const looks = await lookAtAll(fileSystem, directory, names);
	const sizes = [...looks.values()].filter((look) => typeof look === "number");
	const checked = await checkKept(options, here, looks);
	const untold = names.flatMap((name) => untoldOf(name, { directory, byName, told, looks }));
	const leftovers = await judgePartials(fileSystem, directory, partials, { byName, looks });
	return {
		isOwned,
		position: log.position,
		recordings: log.recordings.size,
		archived: here.length,
		archivedElsewhere: archived.length - here.length,
		files: sizes.length,
		bytes: sizes.reduce((sum, size) => sum + size, 0),
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
		throw toFault(error, "listing videos/partial");
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
type Looks = ReadonlyMap<string, number | "no-file">;

async function lookAtAll(
	fileSystem: FileSystem,
	directory: string,
	names: readonly string[],
): Promise<Looks> {
	const looks = new Map<string, number | "no-file">();
	for (let at = 0; at < names.length; at += LOOKS_AT_A_TIME) {
		const lookAt = async (name: string): Promise<void> => {
			const place = placeOf(directory, name);
			try {
				const look = await lookAtVideo(fileSystem, place);
				if (look !== undefined) looks.set(name, look);
			} catch (error) {
				// If it is one that is kept, its check will tell.
				if (!hasCode(error, UNREADABLE)) throw cannotLook(error, place.location);
			}
		};
		await Promise.all(names.slice(at, at + LOOKS_AT_A_TIME).map(lookAt));
	}
	return looks;
}

/** Too many open files, a missing permission: that says nothing about a video, but somebody has to know where. */
function cannotLook(error: unknown, location: string): StoreFault {
	return toFault(error, `looking at ${location}`);
}

async function checkKept(options: InspectVideosOptions, kept: readonly KeptRecording[], looks: Looks) {
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
		const look = looks.get(basename(video.location, ".mp4"));
		const finding = await checkVideo(options, video, { look, onBytes });
		if (finding !== undefined) findings.push(finding);
		if (options.hashes && look !== "no-file" && finding?._tag !== "Missing") hashed += 1;
		videos += 1;
		tell();
	}
	return { findings, hashed };
}

async function checkVideo(
	{ fileSystem, directory, hashes }: InspectVideosOptions,
	video: KeptRecording,
	{ look, onBytes }: { readonly look: VideoLook; readonly onBytes: (chunk: Uint8Array) => void },
): Promise<MissingVideo | DamagedVideo | undefined> {
	if (look === "no-file") return { ...damaged(video, NO_FILE), isFile: false };
	if (!hashes && look === video.bytes) return undefined;
	const { stream, location, deadline } = video;
	try {
		const file = await openIfPresent(fileSystem, placeAt(directory, location).path);
		if (file === undefined) return { _tag: "Missing", location, stream, deadline };
		try {
			const { bytes } = await file.status();
			if (bytes !== video.bytes)
				return damaged(video, `it has ${bytes} bytes, and its receipt says ${video.bytes}`);
			if (!hashes) return undefined;
			const hash = createHash("sha256");
			await hashFile(file, hash, onBytes);
			if (hash.digest("hex") !== video.sha256)
				return damaged(video, "its SHA-256 is not that of its receipt");
		} finally {
			await file.close();
		}
	} catch (error) {
		if (hasCode(error, UNREADABLE)) return damaged(video, `it cannot be read (${UNREADABLE})`);
		throw cannotLook(error, location);
	}
	return undefined;
}

function damaged({ location, stream, deadline }: KeptRecording, problem: string): DamagedVideo {
	return { _tag: "Damaged", location, stream, deadline, isKept: true, isFile: true, problem };
}

interface Files {
	readonly directory: string;
	readonly byName: ReadonlyMap<string, Known>;
	/** The locations of what the log says to be kept. */
	readonly told: ReadonlySet<string>;
	readonly looks: Looks;
}

function untoldOf(
	name: string,
	{ directory, byName, told, looks }: Files,
): readonly (UntoldVideo | DamagedVideo)[] {
	const { location } = placeOf(directory, name);
	const bytes = looks.get(name);
	if (told.has(location) || bytes === undefined) return [];
	const known = byName.get(name);
	if (bytes === "no-file") return [inTheWay(location, known)];
	if (known === undefined) return [{ _tag: "Untold", location, bytes, state: "unknown" }];
	const { stream, recording } = known;
	// Of a recording that is kept elsewhere, or never was reported, nobody waits for a file here.
	const { state, removed } = recording;
	if (removed !== undefined && state !== "archived" && removed.bytes !== bytes) {
		const problem = `it has ${bytes} bytes, and the video that was removed from there had ${removed.bytes}`;
		return [{ ...inTheWay(location, known), isFile: true, problem }];
	}
	const isOpen = state === "pending" || state === "expired" || state === "abandoned";
	return [{ _tag: "Untold", location, bytes, state: isOpen ? state : "unknown", stream }];
}

function inTheWay(location: string, known: Known | undefined): DamagedVideo {
	const deadline = (known && recordingDeadline(known.recording)?.at) ?? 0;
	const whose = known && { stream: known.stream };
	return { _tag: "Damaged", location, ...whose, deadline, isKept: false, isFile: false, problem: NO_FILE };
}

async function judgePartials(
	fileSystem: FileSystem,
	directory: string,
	partials: readonly FoundPartial[],
	{ byName, looks }: Pick<Files, "byName" | "looks">,
): Promise<readonly Leftover[]> {
	const leftovers: Leftover[] = [];
	for (const partial of partials) {
		const known = byName.get(partial.videoName);
		const why = whyLeft(partial, known?.recording, typeof looks.get(partial.videoName) === "number");
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
	for (const file of files) {
		bytes += (await sizeIfPresent(fileSystem, join(directory, file)).catch(() => undefined)) ?? 0;
	}
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
