// The videos of a bucket without a composition: for who looks into a store, or moves one.

import { guardLogger } from "@reelkeep/core";
import type { Logger, VideoStore } from "@reelkeep/core/ports";
import { prepareParts, type S3StorageOptions } from "./parts.js";

export interface S3Videos {
	readonly videos: VideoStore;
	close(): Promise<void>;
}

/**
 * *Errors*: rejects with a `RangeError` for a prefix or a size of parts that is none, and with a `StoreFault` when the bucket
 * cannot be listed.
 */
export async function openS3Videos(
	options: S3StorageOptions & { readonly logger: Logger },
): Promise<S3Videos> {
	const { store, destroyClient } = prepareParts(options)(guardLogger(options.logger));
	const close = async (): Promise<void> => {
		store.close();
		destroyClient();
	};
	try {
		await store.start();
	} catch (error) {
		await close();
		throw error;
	}
	return { videos: store, close };
}
