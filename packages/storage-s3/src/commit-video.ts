// Puts what was written under the video's name, once, and says what came of it, also where the answer was lost.

import { type CommitResult, locationOfVideo, storeFault, type VideoDigest } from "@reelkeep/core/ports";
import type { Bucket, BucketOptions } from "./bucket.js";
import { composeVideo } from "./compose-video.js";
import { describeVideo } from "./describe-video.js";
import type { StoredPart } from "./part-writer.js";

export interface WrittenVideo {
	/** The video's `videoName`. */
	readonly name: string;
	readonly uploadId: string;
	readonly digest: VideoDigest;
	readonly parts: readonly StoredPart[];
	readonly tail: Uint8Array;
}

/** *Errors*: rejects with a `StoreFault`: nothing was made, or nobody knows, and the video is there as a whole or not at all. */
export async function commitVideo(
	bucket: Bucket,
	options: BucketOptions,
	live: Set<string>,
	{ name, uploadId, digest, parts, tail }: WrittenVideo,
): Promise<CommitResult> {
	const location = locationOfVideo(name);
	// `upload` tells ours from another's, when the answer to a first try was lost and the second finds the name taken.
	const metadata = { sha256: digest.sha256, upload: uploadId };
	let failure: unknown;
	try {
		const isCreated =
			parts.length === 0
				? await bucket.createVideo(location, tail, metadata)
				: await composeVideo(options, { key: location, parts, tail, metadata, live });
		if (isCreated) return { _tag: "Committed", video: { location, ...digest } };
	} catch (error) {
		failure = error;
	}
	const found = await bucket.head(location).catch(() => undefined);
	if (found?.metadata.upload === uploadId && found.metadata.sha256 === digest.sha256)
		return { _tag: "Committed", video: { location, ...digest } };
	if (found !== undefined)
		return { _tag: "AlreadyStored", video: await describeVideo(options, location, found) };
	throw failure ?? storeFault("io", "the video that was in the way cannot be looked at, or is gone");
}
