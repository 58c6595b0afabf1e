// One link, once: open, stream to the store, verify, commit. Whatever fails before the commit leaves nothing behind.

import { createHash } from "node:crypto";
import { observe, type VideoReceipt } from "@reelkeep/core";
import {
	isSourceFault,
	isStoreFault,
	type Logger,
	type OpenedVideo,
	type StreamName,
	sourceFault,
	type VideoSource,
	type VideoStore,
	type VideoUpload,
} from "@reelkeep/core/ports";
import { describeError } from "./describe-error.js";
import { type Failure, failureOf } from "./failure.js";
import {
	adoptedReceipt,
	type DownloadedVideo,
	findMismatch,
	HEAD_BYTES,
	type ReceivedVideo,
	receiptOf,
} from "./verify-video.js";

export interface KeepVideoDeps {
	readonly source: VideoSource;
	readonly videoStore: VideoStore;
	readonly logger: Logger;
}

export type KeepResult =
	/** `adopted`: another process had committed it first. */
	| { readonly _tag: "Kept"; readonly receipt: VideoReceipt; readonly adopted: boolean }
	| { readonly _tag: "Failed"; readonly failure: Failure }
	| { readonly _tag: "Stopped" };

/** Whole by its length, and nothing but an ETag against it. Damage on the way is not the same twice; such an object is. */
interface Doubt {
	readonly _tag: "Doubtful";
	readonly message: string;
	readonly etag: string | undefined;
	readonly sha256: string;
}

interface Download {
	readonly stream: StreamName;
	readonly link: string;
	readonly signal: AbortSignal;
	/** What the download before came to, of the same link. */
	readonly doubt?: Doubt;
}

/**
 * Downloads `link` into the store under the name of `stream`.
 * *Errors*: never rejects; what fails, and whose fault it is, is in the result.
 * *Promise*: `Kept` only after length and MD5, where stated, were found right and the commit resolved. An ETag alone, at
 * the right length, is no proof against a video: it is downloaded once more at once, and kept without a checksum when
 * the same bytes come with the same ETag. Holds one chunk at a time: the origin waits while the store writes.
 */
export async function keepVideo(
	deps: KeepVideoDeps,
	stream: StreamName,
	link: string,
	signal: AbortSignal,
): Promise<KeepResult> {
	const first = await download(deps, { stream, link, signal });
	if (first._tag !== "Doubtful") return first;
	observe(() =>
		deps.logger.warn({ stream }, "the ETag is not the MD5 of the video; downloading it once more"),
	);
	const second = await download(deps, { stream, link, signal, doubt: first });
	if (second._tag === "Doubtful") return failed(failureOf("mismatch", second.message));
	if (second._tag === "Kept" && second.receipt.originChecksum === undefined) {
		observe(() => deps.logger.warn({ stream }, "video kept without a checksum of the origin's"));
	}
	return second;
}

async function download(deps: KeepVideoDeps, task: Download): Promise<KeepResult | Doubt> {
	const { stream, link, signal } = task;
	// Ends the request on every way out, also when its body was never read.
	const request = new AbortController();
	const abort = (): void => request.abort();
	signal.addEventListener("abort", abort, { once: true });
	if (signal.aborted) abort();
	try {
		const opened = await deps.source.open(link, { signal: request.signal });
		if (signal.aborted) return { _tag: "Stopped" };
		if (opened._tag === "Unavailable") {
			return failed(failureOf(opened.reason, opened.message, opened.retryAfterMs));
		}
		return await store(deps, opened, task);
	} catch (error) {
		return signal.aborted ? { _tag: "Stopped" } : failed(describeThrown(error, stream, deps.logger));
	} finally {
		signal.removeEventListener("abort", abort);
		abort();
	}
}

async function store(
	deps: KeepVideoDeps,
	opened: DownloadedVideo,
	{ stream, signal, doubt }: Download,
): Promise<KeepResult | Doubt> {
	const upload = await inStore(() => deps.videoStore.begin(stream));
	let isCommitted = false;
	try {
		const received = await receive(opened, upload);
		if (signal.aborted) return { _tag: "Stopped" };
		const mismatch = findMismatch(opened, received);
		if (mismatch?.isDoubtful === false) return failed(failureOf("mismatch", mismatch.message));
		if (mismatch !== undefined && !isRepeated(doubt, opened, received)) {
			return { _tag: "Doubtful", message: mismatch.message, etag: opened.etag, sha256: received.sha256 };
		}
		const verified = mismatch === undefined ? opened : { ...opened, checksums: {} };
		const committed = await inStore(() => upload.commit());
		isCommitted = true;
		if (committed._tag === "Committed") {
			return { _tag: "Kept", receipt: receiptOf(committed.video, verified), adopted: false };
		}
		// The first commit wins: it was verified too. What was downloaded now is not what the receipt describes.
		if (committed.video.sha256 !== received.sha256) {
			observe(() =>
				deps.logger.warn({ stream }, "another video was kept first; the one downloaded now differs from it"),
			);
		}
		return { _tag: "Kept", receipt: adoptedReceipt(committed.video), adopted: true };
	} finally {
		if (!isCommitted) await discard(upload, stream, deps.logger);
	}
}

function isRepeated(doubt: Doubt | undefined, { etag }: OpenedVideo, { sha256 }: ReceivedVideo): boolean {
	return doubt !== undefined && doubt.etag === etag && doubt.sha256 === sha256;
}

/** Chunk by chunk, each written before the next is asked for. */
async function receive(opened: OpenedVideo, upload: VideoUpload): Promise<ReceivedVideo> {
	if (opened.offset !== 0) throw sourceFault("broke-off", "the video's source starts behind its beginning");
	const md5 = opened.checksums.md5 === undefined ? undefined : createHash("md5");
	let head = new Uint8Array();
	for await (const chunk of fromSource(opened.body)) {
		md5?.update(chunk);
		if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
		await inStore(() => upload.write(chunk));
	}
	const digest = await inStore(() => upload.digest());
	return { ...digest, head, ...(md5 === undefined ? {} : { md5: md5.digest("hex") }) };
}

/** Whatever another source's body throws becomes a fault of the source, without its words: they may hold a link. */
async function* fromSource(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
	try {
		yield* body;
	} catch (error) {
		throw isSourceFault(error) ? error : sourceFault("broke-off", "the video's source failed");
	}
}

class VideoStoreFailure extends Error {
	constructor(cause: unknown) {
		super(isStoreFault(cause) ? cause.message : "the video store failed", { cause });
	}
}

async function inStore<Result>(act: () => Promise<Result>): Promise<Result> {
	try {
		return await act();
	} catch (error) {
		throw new VideoStoreFailure(error);
	}
}

async function discard(upload: VideoUpload, stream: StreamName, logger: Logger): Promise<void> {
	try {
		await upload.discard();
	} catch (error) {
		observe(() =>
			logger.warn({ stream, error: describeError(error) }, "an unfinished download cannot be removed"),
		);
	}
}

function describeThrown(error: unknown, stream: StreamName, logger: Logger): Failure {
	if (error instanceof VideoStoreFailure) {
		observe(() => logger.error({ stream, error: describeError(error.cause) }, "the video store failed"));
		return failureOf("storage", error.message);
	}
	if (isSourceFault(error)) {
		return failureOf(error.reason === "too-large" ? "too-large" : "broke-off", error.message);
	}
	observe(() => logger.error({ stream, error: describeError(error) }, "the video's source threw"));
	return failureOf("failed", "the video's source threw instead of answering");
}

function failed(failure: Failure): KeepResult {
	return { _tag: "Failed", failure };
}
