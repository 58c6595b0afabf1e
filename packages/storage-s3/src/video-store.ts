// Videos as objects of a bucket, at the same locations as in a data directory; what is unfinished, part by part.

import { createTurns } from "@reelkeep/core";
import {
	checkUploadNote,
	checkVideoKey,
	checkVideoLocation,
	checkVideoOffset,
	type Logger,
	locationOfVideo,
	storeFault,
	type VideoStore,
	videoName,
} from "@reelkeep/core/ports";
import { type BucketOptions, createBucket } from "./bucket.js";
import { commitVideo } from "./commit-video.js";
import { abortOrphans } from "./compose-video.js";
import { describeVideo } from "./describe-video.js";
import { createPartWriter, type HeldBytes, nothingHeld } from "./part-writer.js";
import {
	furthest,
	groupPartials,
	MAX_PARTS,
	newUploadId,
	type PartialObjects,
	partialFolder,
	partKey,
} from "./partial-layout.js";
import { readObject } from "./read-object.js";
import { readNote, readParts } from "./read-parts.js";
import { createUpload } from "./video-upload.js";

export interface S3VideoStoreOptions extends BucketOptions {
	readonly partBytes: number;
	/** Default: as many as S3 takes. */
	readonly maxParts?: number;
	readonly logger?: Logger;
}

export interface S3VideoStore extends VideoStore {
	/** Until then every call rejects with `closed`. *Errors*: rejects with a `StoreFault` that says what is wrong with the bucket. */
	start(): Promise<void>;
	/** *Errors*: rejects with a `StoreFault` while the bucket does not answer. */
	ping(): Promise<void>;
	/** Refuses new work. Uploads under way may still be committed, suspended or discarded. Idempotent. */
	close(): void;
}

/** The client is the caller's. One store for each prefix and process. */
export function createS3VideoStore(options: S3VideoStoreOptions): S3VideoStore {
	const bucket = createBucket(options);
	const { partBytes, maxParts = MAX_PARTS } = options;
	const turns = createTurns();
	/** Uploads under way in this process, ours and S3's multipart ones: left alone by whoever clears up. */
	const live = new Set<string>();
	let isOpen = false;
	const refuseClosed = (): void => {
		if (!isOpen) throw storeFault("closed", "the video store is not open");
	};
	/** What ended without a commit. */
	const leftOf = async (name: string): Promise<readonly PartialObjects[]> => {
		const partials = groupPartials(await bucket.list(partialFolder(name)));
		return partials.filter(({ uploadId }) => !live.has(uploadId));
	};
	/** All but `kept`, which is gone on with. */
	const removeLeft = async (
		name: string,
		partials: readonly PartialObjects[],
		kept?: PartialObjects,
	): Promise<void> => {
		if (partials.length === 0) return;
		// The parts last: where there are some, the next one looks for multipart uploads too.
		await abortOrphans(options, locationOfVideo(name), live);
		await bucket.remove(partials.flatMap((each) => (each === kept ? [] : each.keys)));
	};
	const begin = (name: string, uploadId: string, held: HeldBytes, note: string | undefined) => {
		const writer = createPartWriter({ bucket, name, uploadId, note, partBytes, maxParts }, held);
		const commit = async () => {
			// The end of a composed video is a part too.
			if (writer.tail().length > 0) partKey(name, uploadId, writer.parts().length + 1, maxParts);
			return turns.take(name, () =>
				commitVideo(bucket, options, live, {
					name,
					uploadId,
					digest: writer.digest(),
					parts: writer.parts(),
					tail: writer.tail(),
				}),
			);
		};
		return createUpload({
			bucket,
			writer,
			commit,
			isResumable: held.isNoted || note !== undefined,
			onEnd: () => void live.delete(uploadId),
			logger: options.logger,
		});
	};
	const ping = async (): Promise<void> => void (await bucket.list("videos/", 1));
	return {
		supports: { resume: true },
		ping,
		async start() {
			await ping();
			isOpen = true;
		},
		async begin(key, { note, resume } = {}) {
			checkVideoKey(key);
			if (note !== undefined) checkUploadNote(note);
			refuseClosed();
			const name = videoName(key);
			return turns.take(name, async () => {
				const left = await leftOf(name);
				const resumed = left.find(
					({ uploadId, noteKey }) => uploadId === resume?.resumeToken && noteKey !== undefined,
				);
				await removeLeft(name, left, resumed);
				const held = resumed && (await readParts(options, resumed, partBytes, resume?.onBytes));
				if (resumed !== undefined) await bucket.remove(unusableOf(resumed, held));
				const uploadId = held === undefined || resumed === undefined ? newUploadId() : resumed.uploadId;
				live.add(uploadId);
				return begin(name, uploadId, held ?? nothingHeld(), held === undefined ? note : undefined);
			});
		},
		async findPartial(key) {
			checkVideoKey(key);
			refuseClosed();
			const name = videoName(key);
			const left = await leftOf(name);
			if (left.length === 0) return undefined;
			const video = await bucket.head(locationOfVideo(name));
			// A process that ended behind a commit left the parts of what is kept; others may be of what is to take its place.
			const isKept = ({ uploadId }: PartialObjects): boolean => uploadId === video?.metadata.upload;
			const kept = left.filter(isKept);
			if (kept.length > 0) await turns.take(name, () => removeLeft(name, kept));
			const found = furthest(left.filter((partial) => !isKept(partial)));
			if (found?.noteKey === undefined) return undefined;
			const note = await readNote(options, found.noteKey);
			return note === undefined ? undefined : { resumeToken: found.uploadId, bytes: found.bytes, note };
		},
		async removePartial(key) {
			checkVideoKey(key);
			refuseClosed();
			const name = videoName(key);
			await turns.take(name, async () => removeLeft(name, await leftOf(name)));
		},
		async freeBytes() {
			refuseClosed();
			return undefined;
		},
		async stat(key) {
			checkVideoKey(key);
			refuseClosed();
			const location = locationOfVideo(videoName(key));
			const found = await bucket.head(location);
			return found && describeVideo(options, location, found);
		},
		async *open(location, { offset = 0 } = {}) {
			checkVideoOffset(offset);
			refuseClosed();
			checkVideoLocation(location);
			yield* readObject(options, location, offset);
		},
		async remove(location) {
			refuseClosed();
			checkVideoLocation(location);
			await bucket.remove([location]);
		},
		close() {
			isOpen = false;
		},
	};
}

/** The keys of what nobody can go on with: behind a part that is damaged or gone, all others. */
function unusableOf(partial: PartialObjects, held: HeldBytes | undefined): readonly string[] {
	if (held === undefined) return partial.keys;
	const parts = held.parts.length + (held.tail.length > 0 ? 1 : 0);
	const usable = new Set([partial.noteKey, ...partial.parts.slice(0, parts).map(({ key }) => key)]);
	return partial.keys.filter((key) => !usable.has(key));
}
