// For the test of the video store's suite only: stores whose uploads write, hash, commit or end wrongly.

import { concatBytes } from "@noble/hashes/utils.js";
import { type StoredVideo, storeFault, type VideoDigest } from "../ports/index.js";
import { pause } from "./pause.js";
import { brokenUploads, brokenVideos, type VideoFlaw } from "./test-flawed-videos.js";
import { beginWith, digestOf, readFrom } from "./video-store-samples.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const videoWritingFlaws: Record<string, VideoFlaw> = {
	"a partial file lies under the final name": {
		breaks: ["invisible-before-commit", "create-only", "kept-beside", "crash-videos", "crash-partials"],
		make: brokenUploads((upload, { disk, key }) => {
			const chunks: Uint8Array[] = [];
			let shown: StoredVideo | undefined;
			const hide = async (): Promise<void> => {
				if (shown !== undefined) await disk.remove(shown.location);
				shown = undefined;
			};
			return {
				async write(chunk) {
					await upload.write(chunk);
					// A few will do: all of a large video would be written again with each of its chunks.
					if (chunks.push(chunk.slice()) > 10) return;
					const there = await disk.stat(key);
					if (upload.offset > 0 || (there !== undefined && there !== shown)) return;
					await hide();
					const file = await beginWith(disk, key, concatBytes(...chunks));
					shown = (await file.commit()).video;
				},
				async commit() {
					await hide();
					return upload.commit();
				},
				async discard() {
					await hide();
					await upload.discard();
				},
				async suspend() {
					await hide();
					await upload.suspend();
				},
			};
		}),
	},
	"an upload under way is told of": {
		breaks: ["invisible-before-commit", "create-only", "partial-invisible"],
		make: brokenVideos((store) => {
			const live = new Map<string, () => Promise<VideoDigest>>();
			return {
				async begin(key, options) {
					const upload = await store.begin(key, options);
					live.set(key, upload.digest);
					return upload;
				},
				async stat(key) {
					const digest = await live
						.get(key)?.()
						.catch(() => undefined);
					return digest === undefined ? store.stat(key) : { location: "memory:partial", ...digest };
				},
			};
		}),
	},
	"what ends a text ends a video": {
		breaks: ["commit-and-read"],
		make: brokenVideos((store) => ({
			async *open(location, options) {
				const bytes = await readFrom(store, location, options?.offset);
				yield bytes.slice(-3).every((byte) => byte === 0x1a) ? bytes.slice(0, -3) : bytes;
			},
		})),
	},
	"a video without bytes is not kept": {
		breaks: ["no-bytes", "reopened-videos"],
		make: brokenUploads((upload) => ({
			async commit() {
				const { bytes } = await upload.digest();
				if (bytes === 0) throw storeFault("io", "there is nothing to commit", { retryable: false });
				return upload.commit();
			},
		})),
	},
	"a chunk without bytes ends the video": {
		breaks: ["no-bytes"],
		make: brokenUploads((upload) => {
			let hasEnded = false;
			return {
				async write(chunk) {
					hasEnded ||= chunk.length === 0;
					if (!hasEnded) await upload.write(chunk);
				},
			};
		}),
	},
	"small chunks overtake large ones": {
		breaks: ["write-order"],
		make: brokenUploads((upload) => {
			const writing = new Set<Promise<unknown>>();
			return {
				async write(chunk) {
					const turn = pause(chunk.length > 5_000 ? 2 : 0).then(() => upload.write(chunk));
					writing.add(turn);
					await turn.finally(() => writing.delete(turn));
				},
				async digest() {
					await Promise.all(writing);
					return upload.digest();
				},
				async commit() {
					await Promise.all(writing);
					return upload.commit();
				},
			};
		}),
	},
	"a digest does not wait for the writes before it": {
		breaks: ["write-order"],
		make: brokenUploads((upload) => {
			let last: Promise<unknown> = Promise.resolve();
			return {
				write(chunk) {
					const turn = last.then(() => pause()).then(() => upload.write(chunk));
					last = turn.catch(() => undefined);
					return turn;
				},
				async commit() {
					await last;
					return upload.commit();
				},
			};
		}),
	},
	"chunks are only remembered when their write resolves": {
		breaks: ["taken-chunks"],
		make: brokenUploads((upload) => {
			let remembered: Uint8Array[] = [];
			/** All in one tick, so that nothing comes in between. */
			const behindThem = async <Result>(work: () => Promise<Result>): Promise<Result> => {
				const writing = remembered.splice(0).map((chunk) => upload.write(chunk));
				const [result] = await Promise.all([work(), ...writing]);
				return result;
			};
			return {
				async write(chunk) {
					const asking = upload.write(new Uint8Array());
					remembered.push(chunk);
					await asking;
				},
				digest: () => behindThem(upload.digest),
				commit: () => behindThem(upload.commit),
				suspend: () => behindThem(upload.suspend),
				async discard() {
					remembered = [];
					await upload.discard();
				},
			};
		}),
	},
	"a digest ends the hashing": {
		breaks: ["write-order", "digest", "resume"],
		make: brokenUploads((upload) => {
			let told: VideoDigest | undefined;
			return {
				async digest() {
					const { bytes, sha256 } = await upload.digest();
					if (bytes > 0) told ??= { bytes, sha256 };
					return { bytes, sha256: told?.sha256 ?? sha256 };
				},
				async commit() {
					const result = await upload.commit();
					if (result._tag === "AlreadyStored" || told === undefined) return result;
					return { ...result, video: { ...result.video, sha256: told.sha256 } };
				},
			};
		}),
	},
	"an upload that is over takes more": {
		breaks: ["over"],
		make: brokenUploads((upload) => ({ write: (chunk) => upload.write(chunk).catch(() => undefined) })),
	},
	"an upload that is over rejects with another error": {
		breaks: ["over"],
		make: brokenUploads((upload) => ({
			digest: () =>
				upload.digest().catch(() => {
					throw storeFault("io", "bad file descriptor");
				}),
		})),
	},
	"an upload can be committed twice": {
		breaks: ["over"],
		make: brokenUploads((upload) => {
			let committing: ReturnType<typeof upload.commit> | undefined;
			return {
				commit() {
					committing ??= upload.commit();
					return committing;
				},
			};
		}),
	},
	"a discarded upload can be gone on with": {
		breaks: ["discard", "ended-once", "reopened-removals"],
		make: brokenUploads((upload) => ({ discard: upload.suspend })),
	},
	"an upload can be discarded once": {
		breaks: ["discard"],
		make: brokenUploads((upload, { options }) => {
			let isDiscarded = false;
			return {
				async discard() {
					if (isDiscarded && options.note === undefined) throw storeFault("closed", "it is gone");
					isDiscarded = true;
					await upload.discard();
				},
			};
		}),
	},
	"a discard behind the commit removes the video": {
		breaks: ["ended-once"],
		make: brokenUploads((upload, { store }) => {
			let location: string | undefined;
			return {
				async commit() {
					const result = await upload.commit();
					if (result._tag === "Committed") location = result.video.location;
					return result;
				},
				async discard() {
					await upload.discard();
					if (location !== undefined) await store.remove(location);
				},
			};
		}),
	},
	"a discard behind a suspend removes what was kept": {
		breaks: ["ended-once"],
		make: brokenUploads((upload, { store, key }) => ({
			async discard() {
				await upload.discard();
				await store.removePartial(key);
			},
		})),
	},
	"what is larger than 4 MiB is cut at its end": {
		breaks: ["large"],
		make: brokenVideos((store) => ({
			async *open(location, { offset = 0 } = {}) {
				for await (const chunk of store.open(location, { offset }))
					yield chunk.subarray(0, Math.max(0, 4 * 1024 * 1024 - offset));
			},
		})),
	},
	"after 100 chunks the hash counts no more": {
		breaks: ["large"],
		make: brokenUploads((upload) => {
			const chunks: Uint8Array[] = [];
			return {
				async write(chunk) {
					await upload.write(chunk);
					chunks.push(chunk.slice());
				},
				async digest() {
					const digest = await upload.digest();
					if (chunks.length <= 100) return digest;
					return { ...digest, sha256: digestOf(concatBytes(...chunks.slice(0, 100))).sha256 };
				},
			};
		}),
	},
};
