// One link, once: open, stream to the store, verify, commit. What breaks off is gone on with, here or in a later attempt.

import { observe } from "@reelkeep/core";
import {
	type Clock,
	isSourceFault,
	isStoreFault,
	type Logger,
	type StreamName,
	sourceFault,
	type VideoSource,
	type VideoStore,
	type VideoUnavailable,
} from "@reelkeep/core/ports";
import type { BlockWriters } from "./block-writer.js";
import { describeError } from "./describe-error.js";
import { type DiskSpace, NoRoom, type Room } from "./disk-space.js";
import { type Failure, failureOf } from "./failure.js";
import { fillTransfer } from "./fill-transfer.js";
import { findPartialDownload, type PartialDownload } from "./partial-download.js";
import { type Doubt, type Settled, settleTransfer } from "./settle-transfer.js";
import { beginTransfer, inStore, type Mp4ProbeStream, type Transfer, VideoStoreFailure } from "./transfer.js";
import type { DownloadedVideo } from "./verify-video.js";

/** How often an object may change, or the store lose what it held, in one attempt. */
const MAX_RESTARTS = 2;

export interface KeepVideoDeps {
	readonly source: VideoSource;
	readonly videoStore: VideoStore;
	readonly clock: Clock;
	readonly logger: Logger;
	/** From 0 up to, not including, 1. */
	readonly random: () => number;
	readonly space: DiskSpace;
	readonly blocks: BlockWriters;
	/** Makes what looks at each video as an MP4; absent: nobody looks. */
	readonly probeMp4?: (() => Mp4ProbeStream) | undefined;
}

/** Who looks on while a video comes. */
export interface DownloadWatch {
	/** The origin has answered. `false`: the download gives way to others. */
	opened(size: { readonly totalBytes?: number; readonly heldBytes: number }): boolean;
	/** So many more bytes are held. */
	received(bytes: number): void;
}

export type KeepResult =
	| Exclude<Settled, Doubt>
	/** Others can be kept in its time, and it cannot. */
	| { readonly _tag: "GaveWay" }
	| { readonly _tag: "Stopped" };

/** What was held turned out to be of another object, or is lost: from the beginning. */
interface Restart {
	readonly _tag: "Restart";
}

interface Download {
	readonly stream: StreamName;
	readonly link: string;
	readonly signal: AbortSignal;
	readonly watch: DownloadWatch;
	/** What the download before came to, of the same link. */
	readonly doubt?: Doubt;
}

const UNWATCHED: DownloadWatch = { opened: () => true, received: () => undefined };

/**
 * Downloads `link` into the store under the name of `stream`, from where an earlier download of the same object ended.
 * *Errors*: never rejects; what fails, and whose fault it is, is in the result.
 * *Promise*: `Kept` only after length, CRC-64 and MD5, where stated, were found right and the commit resolved. An ETag
 * alone, at the right length, is no proof against a video: it is downloaded once more at once, and kept without a checksum
 * when the same bytes come with the same ETag. Holds one chunk at a time: the origin waits while the store writes.
 */
export async function keepVideo(
	deps: KeepVideoDeps,
	stream: StreamName,
	link: string,
	signal: AbortSignal,
	watch: DownloadWatch = UNWATCHED,
): Promise<KeepResult> {
	const first = await download(deps, { stream, link, signal, watch });
	if (first._tag !== "Doubtful") return first;
	observe(() =>
		deps.logger.warn({ stream }, "the ETag is not the MD5 of the video; downloading it once more"),
	);
	const second = await download(deps, { stream, link, signal, watch, doubt: first });
	if (second._tag === "Doubtful") return failed(failureOf("mismatch", second.message));
	if (second._tag === "Kept" && second.receipt.originChecksum === undefined) {
		observe(() => deps.logger.warn({ stream }, "video kept without a checksum of the origin's"));
	}
	return second;
}

async function download(deps: KeepVideoDeps, task: Download): Promise<KeepResult | Doubt> {
	const { stream, signal } = task;
	try {
		let partial = await inStore(() => findPartialDownload(deps.videoStore, stream));
		for (let restarts = 0; restarts <= MAX_RESTARTS; restarts += 1) {
			if (signal.aborted) return { _tag: "Stopped" };
			const result = await downloadOnce(deps, task, partial);
			if (result._tag !== "Restart") return result;
			partial = undefined;
		}
		return failed(failureOf("broke-off", "the object at the origin changes while it is downloaded"));
	} catch (error) {
		return signal.aborted ? { _tag: "Stopped" } : failed(describeThrown(error, stream, deps.logger));
	}
}

/** One go, over as many connections as it takes. The request ends on every way out, also when its body was never read. */
async function downloadOnce(
	deps: KeepVideoDeps,
	task: Download,
	partial: PartialDownload | undefined,
): Promise<KeepResult | Doubt | Restart> {
	const { link, signal, watch } = task;
	const request = new AbortController();
	const abort = (): void => request.abort();
	signal.addEventListener("abort", abort, { once: true });
	if (signal.aborted) abort();
	try {
		const from = partial === undefined ? {} : { offset: partial.askFrom, validator: partial.validator };
		const opened = await deps.source.open(link, { ...from, signal: request.signal });
		if (signal.aborted) return { _tag: "Stopped" };
		if (opened._tag === "Unavailable") {
			return failed(failureFrom(opened));
		}
		// The origin vouches for the object that the bytes at hand are of, or it starts at its beginning.
		const resumed = partial !== undefined && opened.offset === partial.askFrom ? partial : undefined;
		if (opened.offset !== (resumed?.askFrom ?? 0)) {
			throw sourceFault("broke-off", "the video's source starts in the wrong place");
		}
		const { totalBytes } = opened;
		const heldBytes = resumed?.bytes ?? 0;
		if (!watch.opened({ heldBytes, ...(totalBytes === undefined ? {} : { totalBytes }) }))
			return { _tag: "GaveWay" };
		// What is not gone on with gives its place first.
		if (partial !== undefined && resumed === undefined)
			await inStore(() => deps.videoStore.removePartial(task.stream));
		const leftBytes = totalBytes === undefined ? undefined : Math.max(totalBytes - heldBytes, 0);
		const room = await inStore(() => deps.space.reserve(leftBytes));
		if (room._tag === "Short") throw new NoRoom(room);
		try {
			return await transfer(deps, task, { opened, resumed, room, request: request.signal });
		} finally {
			room.release();
		}
	} finally {
		signal.removeEventListener("abort", abort);
		abort();
	}
}

interface Opening {
	readonly opened: DownloadedVideo;
	/** What is gone on with. */
	readonly resumed: PartialDownload | undefined;
	readonly room: Room;
	readonly request: AbortSignal;
}

async function transfer(
	deps: KeepVideoDeps,
	task: Download,
	opening: Opening,
): Promise<KeepResult | Doubt | Restart> {
	const { stream, signal } = task;
	const { resumed, room } = opening;
	const { videoStore, probeMp4, blocks } = deps;
	const begun = await beginTransfer({
		videoStore,
		stream,
		blocks,
		room,
		opened: opening.opened,
		onBytes: (count) => task.watch.received(count),
		resumeToken: resumed?.resumeToken,
		probe: probeMp4?.(),
	});
	// Kept for the next time, unless it turns out to be wrong.
	let end: "commit" | "suspend" | "discard" = "suspend";
	try {
		if (begun.upload.offset !== (resumed?.bytes ?? 0)) {
			end = "discard";
			return { _tag: "Restart" };
		}
		const { opened, request } = opening;
		const skip = resumed === undefined ? 0 : resumed.bytes - resumed.askFrom;
		const filled = await fillTransfer(deps, begun, { link: task.link, opened, skip, signal: request });
		if (signal.aborted) return { _tag: "Stopped" };
		if (filled._tag === "Unavailable") return failed(failureFrom(filled));
		end = "discard";
		if (filled._tag === "Changed") return { _tag: "Restart" };
		const result = await settleTransfer(begun, { ...task, opened: filled.opened, logger: deps.logger });
		if (result._tag === "Kept") end = "commit";
		// What was held may be what is wrong: without it, before the origin is blamed.
		else if (resumed !== undefined) return { _tag: "Restart" };
		return result;
	} catch (error) {
		if (isSourceFault(error) && error.reason === "too-large") end = "discard";
		// Nothing is wrong with the bytes, also where it failed at the commit.
		if (error instanceof VideoStoreFailure) end = "suspend";
		throw error;
	} finally {
		begun.end();
		if (end !== "commit") await leave(begun, end, stream, deps.logger);
	}
}

async function leave(
	{ upload }: Transfer,
	how: "suspend" | "discard",
	stream: StreamName,
	logger: Logger,
): Promise<void> {
	try {
		await upload[how]();
	} catch (error) {
		observe(() =>
			logger.warn({ stream, error: describeError(error) }, `an unfinished download cannot be ${how}ed`),
		);
	}
}

function describeThrown(error: unknown, stream: StreamName, logger: Logger): Failure {
	if (error instanceof NoRoom) return failureOf(error.isFull ? "storage" : "no-room", error.message);
	if (error instanceof VideoStoreFailure) {
		observe(() => logger.error({ stream, error: describeError(error.cause) }, "the video store failed"));
		return failureOf("storage", isStoreFault(error.cause) ? error.cause.message : error.message);
	}
	if (isSourceFault(error)) {
		return failureOf(error.reason === "too-large" ? "too-large" : "broke-off", error.message);
	}
	observe(() => logger.error({ stream, error: describeError(error) }, "the video's source threw"));
	return failureOf("failed", "the video's source threw instead of answering");
}

function failureFrom({ reason, message, retryAfterMs }: VideoUnavailable): Failure {
	return failureOf(reason, message, retryAfterMs);
}

function failed(failure: Failure): Extract<KeepResult, { _tag: "Failed" }> {
	return { _tag: "Failed", failure };
}
