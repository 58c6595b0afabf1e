// Mends one finding. Files first, then the log: cut short between the two, the next look finds what is left to do.

import { join } from "node:path";
import { decodeEvent, execute, loadRecording, type RecordingCommand, receiptOfFound } from "@reelkeep/core";
import {
	type Clock,
	type EventMetadata,
	type EventStore,
	type Ids,
	type StreamName,
	storeFault,
} from "@reelkeep/core/ports";
import { listIfPresent } from "./backup-files.js";
import { makeDurableDirectory, toFault, unlinkIfPresent } from "./durable-files.js";
import type { FileSystem } from "./file-system.js";
import type { DamagedVideo, Leftover, UntoldVideo, VideoFinding } from "./video-findings.js";
import { placeAt } from "./video-place.js";
import { statVideo } from "./video-upload.js";

/** Below `videos/`. */
const ASIDE_DIRECTORY = "damaged";

/**
 * - `Mended`: told to the log, moved or removed; `aside` is where what was damaged is kept now, below the data directory
 * - `Left`: others see to it, or nobody but a person can
 * - `Failed`: `message` says why
 */
export type Mending =
	| { readonly _tag: "Mended"; readonly aside?: string }
	| { readonly _tag: "Left" }
	| { readonly _tag: "Failed"; readonly message: string };

export interface MendingTools {
	readonly fileSystem: FileSystem;
	readonly directory: string;
	/** The owner's. */
	readonly store: EventStore;
	readonly clock: Pick<Clock, "now">;
	readonly ids: Ids;
}

/** *Errors*: never rejects; one that fails must not keep the others from being mended. */
export async function mendFinding(tools: MendingTools, finding: VideoFinding): Promise<Mending> {
	try {
		return await mend(tools, finding);
	} catch (error) {
		return { _tag: "Failed", message: toFault(error, "mending this").message };
	}
}

async function mend(tools: MendingTools, finding: VideoFinding): Promise<Mending> {
	switch (finding._tag) {
		case "Missing": {
			const { stream, location } = finding;
			const message = "the file of the video is missing";
			await tell(tools, stream, { _tag: "RemoveVideo", location, cause: "missing", message });
			return { _tag: "Mended" };
		}
		case "Damaged":
			return mendDamaged(tools, finding);
		case "Untold":
			return mendUntold(tools, finding);
		case "Leftover":
			return mendLeftover(tools, finding);
	}
}

/** Told before it is moved, a damaged file would be adopted by an archiver that starts between the two. */
async function mendDamaged(
	tools: MendingTools,
	{ stream, location, problem, isKept }: DamagedVideo,
): Promise<Mending> {
	const aside = await moveAside(tools, location);
	if (stream === undefined || !isKept) return { _tag: "Mended", aside };
	const message = `the video is damaged: ${problem}; kept as ${aside}`;
	await tell(tools, stream, { _tag: "RemoveVideo", location, cause: "damaged", message });
	return { _tag: "Mended", aside };
}

/** The file names of videos of which something was moved aside; none when nothing ever was. */
export async function movedAside(fileSystem: FileSystem, directory: string): Promise<ReadonlySet<string>> {
	const names = await listIfPresent(fileSystem, join(directory, "videos", ASIDE_DIRECTORY), /\.mp4-/);
	return new Set(names.map((name) => name.slice(0, name.lastIndexOf("-"))));
}

async function moveAside({ fileSystem, directory, clock }: MendingTools, location: string): Promise<string> {
	const { path, folder } = placeAt(directory, location);
	const to = join(directory, "videos", ASIDE_DIRECTORY);
	await makeDurableDirectory(fileSystem, to);
	const name = `${location.slice(location.lastIndexOf("/") + 1)}-${clock.now()}`;
	await fileSystem.rename(path, join(to, name));
	await fileSystem.syncDirectory(to);
	await fileSystem.syncDirectory(folder);
	return `videos/${ASIDE_DIRECTORY}/${name}`;
}

/**
 * Commits are create-only and come after verification: the file is whole, and its event was lost with its process — unless
 * it lies where a video was removed, and is another one than that.
 */
async function mendUntold(tools: MendingTools, { stream, location, state }: UntoldVideo): Promise<Mending> {
	if (stream === undefined || (state !== "expired" && state !== "abandoned")) return { _tag: "Left" };
	const video = await statVideo(tools.fileSystem, placeAt(tools.directory, location));
	if (video === undefined) throw storeFault("io", "the video is gone");
	const { recording } = await loadRecording(tools.store, stream);
	const receipt = receiptOfFound(recording, video);
	if (receipt === undefined) return { _tag: "Mended", aside: await moveAside(tools, location) };
	await tell(tools, stream, { _tag: "ArchiveRecording", receipt, adopted: true });
	return { _tag: "Mended" };
}

async function mendLeftover(
	{ fileSystem, directory }: MendingTools,
	{ files, why }: Leftover,
): Promise<Mending> {
	if (why === "unreadable") return { _tag: "Left" };
	for (const file of files) await unlinkIfPresent(fileSystem, join(directory, file));
	await fileSystem.syncDirectory(join(directory, "videos", "partial"));
	return { _tag: "Mended" };
}

async function tell(tools: MendingTools, stream: StreamName, command: RecordingCommand): Promise<void> {
	const metadata = await metadataFor(tools.store, stream);
	const { outcome } = await execute(tools, stream, command, { metadata });
	if (outcome !== "Accepted") throw storeFault("io", `the log would not have it (${outcome})`);
}

/** What is told follows from what the stream last said of its recording. */
async function metadataFor(store: EventStore, stream: StreamName): Promise<EventMetadata> {
	let metadata: EventMetadata = { ingress: "doctor" };
	for await (const event of store.read(stream)) {
		if (decodeEvent(event) === undefined) continue;
		const correlationId = metadata.correlationId ?? event.metadata.correlationId ?? event.id;
		metadata = { ingress: "doctor", correlationId, causationId: event.id };
	}
	return metadata;
}
