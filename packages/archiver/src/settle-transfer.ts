// A transfer that came to its end: what came is verified, and committed.

import { observe, type VideoReceipt } from "@reelkeep/core";
import type { Logger, OpenedVideo, StreamName } from "@reelkeep/core/ports";
import { type Failure, failureOf } from "./failure.js";
import { inStore, type Transfer } from "./transfer.js";
import {
	adoptedReceipt,
	type DownloadedVideo,
	findMismatch,
	type ReceivedVideo,
	receiptOf,
} from "./verify-video.js";

/** Whole by its length, and nothing but an ETag against it. Damage on the way is not the same twice; such an object is. */
export interface Doubt {
	readonly _tag: "Doubtful";
	readonly message: string;
	readonly etag: string | undefined;
	readonly sha256: string;
}

export type Settled =
	/** `adopted`: another process had committed it first. */
	| { readonly _tag: "Kept"; readonly receipt: VideoReceipt; readonly adopted: boolean }
	/** The bytes are not what the origin stated. */
	| { readonly _tag: "Failed"; readonly failure: Failure }
	| Doubt;

/**
 * Verifies what `transfer` received, and commits it. `doubt`: what the download before came to.
 * *Errors*: rejects with a `VideoStoreFailure`.
 */
export async function settleTransfer(
	{ upload, received: receive }: Transfer,
	options: {
		readonly stream: StreamName;
		readonly opened: DownloadedVideo;
		readonly logger: Logger;
		readonly doubt?: Doubt;
	},
): Promise<Settled> {
	const { stream, opened, logger, doubt } = options;
	const received = await receive();
	const mismatch = findMismatch(opened, received);
	if (mismatch?.isDoubtful === false) {
		return { _tag: "Failed", failure: failureOf("mismatch", mismatch.message) };
	}
	if (mismatch !== undefined && !isRepeated(doubt, opened, received)) {
		return { _tag: "Doubtful", message: mismatch.message, etag: opened.etag, sha256: received.sha256 };
	}
	const committed = await inStore(() => upload.commit());
	if (committed._tag === "Committed") {
		return { _tag: "Kept", receipt: receiptOf(committed.video, opened, received), adopted: false };
	}
	// The first commit wins: it was verified too. What was downloaded now is not what the receipt describes.
	if (committed.video.sha256 !== received.sha256) {
		observe(() =>
			logger.warn({ stream }, "another video was kept first; the one downloaded now differs from it"),
		);
	}
	return { _tag: "Kept", receipt: adoptedReceipt(committed.video), adopted: true };
}

function isRepeated(doubt: Doubt | undefined, { etag }: OpenedVideo, { sha256 }: ReceivedVideo): boolean {
	return doubt !== undefined && doubt.etag === etag && doubt.sha256 === sha256;
}
