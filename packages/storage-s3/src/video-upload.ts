// One upload: written and hashed in order, then committed, suspended or discarded, once.

import { describeError, observe } from "@reelkeep/core";
import { type CommitResult, type Logger, storeFault, type VideoUpload } from "@reelkeep/core/ports";
import type { Bucket } from "./bucket.js";
import type { PartWriter } from "./part-writer.js";
import { toFault } from "./s3-fault.js";

export interface UploadOptions {
	readonly bucket: Bucket;
	readonly writer: PartWriter;
	/** With a note: it can be gone on with later. */
	readonly isResumable: boolean;
	/** Puts what was written under the video's name. */
	readonly commit: () => Promise<CommitResult>;
	/** Called once, when the upload is over. */
	readonly onEnd: () => void;
	readonly logger?: Logger | undefined;
}

/** Its methods run one after the other, in the order of the calls. */
export function createUpload({ bucket, writer, ...options }: UploadOptions): VideoUpload {
	const offset = writer.digest().bytes;
	let last: Promise<unknown> = Promise.resolve();
	let isOver = false;
	/** Of a commit; nothing is written or committed behind it. */
	let failure: unknown;
	const inTurn = <T>(doing: string, work: () => Promise<T>): Promise<T> => {
		const turn = last.then(work).catch((error) => {
			throw toFault(error, doing);
		});
		last = turn.catch(() => {});
		return turn;
	};
	const refuseOver = (): void => {
		if (isOver) throw storeFault("closed", "this upload is over");
		const failed = failure ?? writer.failure();
		if (failed !== undefined) throw failed;
	};
	const end = (): void => {
		isOver = true;
		options.onEnd();
	};
	const remove = async (): Promise<void> => {
		await writer.settled();
		try {
			await bucket.remove(writer.keys());
		} finally {
			end();
		}
	};
	return {
		offset,
		write: (chunk) =>
			inTurn("writing a video", async () => {
				refuseOver();
				await writer.write(chunk);
			}),
		digest: () =>
			inTurn("hashing a video", async () => {
				refuseOver();
				return writer.digest();
			}),
		commit: () =>
			inTurn("committing a video", async () => {
				refuseOver();
				await writer.settled();
				refuseOver();
				let result: CommitResult;
				try {
					result = await options.commit();
				} catch (error) {
					failure = error;
					throw error;
				}
				// The video is kept: what cannot be removed now is found by `removePartial`, or a rule of the bucket's.
				await remove().catch((error: unknown) =>
					observe(() =>
						options.logger?.warn(
							{ error: describeError(error) },
							"parts of a video that was put together cannot be removed",
						),
					),
				);
				return result;
			}),
		discard: () => inTurn("discarding a video", async () => (isOver ? undefined : remove())),
		suspend: () =>
			inTurn("suspending a video", async () => {
				if (isOver) return;
				if (!options.isResumable || writer.digest().bytes === 0) return remove();
				await writer.settled();
				try {
					// What was put before a part failed is kept as it is.
					if (writer.failure() === undefined) await writer.putTail();
				} finally {
					end();
				}
			}),
	};
}
