// What is known of a kept video: what was written with it, else what its bytes tell.

import { createHash } from "node:crypto";
import type { StoredVideo } from "@reelkeep/core/ports";
import type { BucketOptions, StoredObject } from "./bucket.js";
import { readObject } from "./read-object.js";

const SHA256 = /^[0-9a-f]{64}$/;

/** A video that was copied here without its metadata is read as a whole. *Errors*: rejects with a `StoreFault`. */
export async function describeVideo(
	options: BucketOptions,
	location: string,
	{ bytes, metadata }: StoredObject,
): Promise<StoredVideo> {
	const { sha256 } = metadata;
	if (sha256 !== undefined && SHA256.test(sha256)) return { location, bytes, sha256 };
	const hash = createHash("sha256");
	let read = 0;
	for await (const chunk of readObject(options, location)) {
		hash.update(chunk);
		read += chunk.length;
	}
	return { location, bytes: read, sha256: hash.digest("hex") };
}
