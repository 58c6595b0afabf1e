// For the test of the video store's suite only: stores that read wrongly, or find the wrong things in a later process.

import { isStoreFault, type StoredVideo, storeFault } from "../ports/index.js";
import { brokenVideos, type VideoFlaw } from "./test-flawed-videos.js";
import { beginWith, readFrom, sampleBytes } from "./video-store-samples.js";

const CHUNK_BYTES = 64 * 1024;

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const videoReadingFlaws: Record<string, VideoFlaw> = {
	"an offset beyond the end is an error": {
		breaks: ["offsets"],
		make: brokenVideos((store) => ({
			async *open(location, { offset = 0 } = {}) {
				const { length } = await readFrom(store, location);
				if (Number.isInteger(offset) && offset > length) throw storeFault("io", "beyond the end");
				yield* store.open(location, { offset });
			},
		})),
	},
	"an offset is rounded down to a block": {
		breaks: ["large", "offsets", "readings-apart"],
		make: brokenVideos((store) => ({
			open: (location, { offset = 0 } = {}) =>
				store.open(location, {
					offset: offset > 0 && Number.isInteger(offset) ? offset - (offset % 4_096) : offset,
				}),
		})),
	},
	"an offset counts from the end when it is negative": {
		breaks: ["wrong-offsets"],
		make: brokenVideos((store) => ({
			async *open(location, { offset = 0 } = {}) {
				const bytes = await readFrom(store, location);
				yield bytes.slice(offset);
			},
		})),
	},
	"what is not there reads as empty": {
		breaks: [
			"invisible-before-commit",
			"remove",
			"absent",
			"abandoned-reading",
			"partial-invisible",
			"reopened-removals",
			"crash-videos",
		],
		make: brokenVideos((store) => ({
			async *open(location, options) {
				try {
					yield* store.open(location, options);
				} catch (error) {
					if (!isStoreFault(error)) throw error;
				}
			},
		})),
	},
	"what is not there reads as empty from behind its beginning on": {
		breaks: ["absent"],
		make: brokenVideos((store) => ({
			async *open(location, options) {
				try {
					yield* store.open(location, options);
				} catch (error) {
					if (!isStoreFault(error) || (options?.offset ?? 0) === 0) throw error;
				}
			},
		})),
	},
	"readings share their place": {
		breaks: ["readings-apart"],
		make: brokenVideos((store) => {
			const places = new Map<string, number>();
			return {
				async *open(location, { offset = 0 } = {}) {
					const bytes = await readFrom(store, location, offset);
					places.set(location, offset);
					for (;;) {
						const at = places.get(location) ?? 0;
						if (at - offset >= bytes.length) return;
						places.set(location, at + CHUNK_BYTES);
						yield bytes.slice(at - offset, at - offset + CHUNK_BYTES);
					}
				},
			};
		}),
	},
	"a reading uses its buffer again": {
		breaks: ["immutable"],
		make: brokenVideos((store) => ({
			async *open(location, { offset = 0 } = {}) {
				const bytes = await readFrom(store, location, offset);
				const buffer = new Uint8Array(CHUNK_BYTES);
				for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
					const chunk = bytes.subarray(at, at + CHUNK_BYTES);
					buffer.set(chunk);
					yield buffer.subarray(0, chunk.length);
				}
			},
		})),
	},
	"whoever reads a video can write into it": {
		breaks: ["immutable"],
		make: brokenVideos((store) => {
			const cache = new Map<string, Uint8Array>();
			return {
				async *open(location, { offset = 0 } = {}) {
					const fresh = await readFrom(store, location, offset);
					if (fresh.length + offset < 300_000) return yield fresh;
					const kept = cache.get(location);
					const bytes = kept ?? (await readFrom(store, location, 0));
					cache.set(location, bytes);
					yield bytes.subarray(offset);
				},
				async remove(location) {
					cache.delete(location);
					await store.remove(location);
				},
			};
		}),
	},
	"a reading that was broken off keeps its place": {
		breaks: ["abandoned-reading"],
		make: brokenVideos((store) => {
			let places = 48;
			return {
				async *open(location, options) {
					if (places === 0) throw storeFault("overloaded", "too many readings");
					const bytes = await readFrom(store, location, options?.offset ?? 0);
					places -= 1;
					yield bytes;
					places += 1;
				},
			};
		}),
	},
	"locations change with each process": {
		breaks: ["reopened-videos", "reopened-partials", "reopened-removals", "crash-videos"],
		make: brokenVideos((store, { number }) => ({
			async stat(key) {
				const video = await store.stat(key);
				return video && numbered(video, number);
			},
			async begin(key, options) {
				const upload = await store.begin(key, options);
				return {
					...upload,
					async commit() {
						const result = await upload.commit();
						return { ...result, video: numbered(result.video, number) };
					},
				};
			},
			open: (location, options) => store.open(location.slice(location.indexOf(":") + 1), options),
			remove: (location) => store.remove(location.slice(location.indexOf(":") + 1)),
		})),
	},
	"what was removed comes back": {
		breaks: ["commit-at-once", "reopened-removals", "crash-videos"],
		make: brokenVideos((store) => {
			const removed = new Set<string>();
			const isGone = (video: StoredVideo | undefined) => video !== undefined && removed.has(video.location);
			return {
				async stat(key) {
					const video = await store.stat(key);
					return isGone(video) ? undefined : video;
				},
				async *open(location, options) {
					if (removed.has(location)) throw storeFault("io", "removed", { retryable: false });
					yield* store.open(location, options);
				},
				async begin(key, options) {
					const upload = await store.begin(key, options);
					return {
						...upload,
						async commit() {
							const video = await store.stat(key);
							if (video === undefined || !isGone(video)) return upload.commit();
							removed.delete(video.location);
							await store.remove(video.location);
							return upload.commit();
						},
					};
				},
				async remove(location) {
					removed.add(location);
				},
			};
		}),
	},
	"a kill commits what was under way": {
		breaks: ["crash-videos"],
		make: brokenVideos((store, { after, disk, number }) => ({
			async stat(key) {
				const isFirst = after === "crash" && number === 2 && key === "video-d";
				if (isFirst && (await disk.stat(key)) === undefined)
					await (await beginWith(disk, key, sampleBytes(0))).commit();
				return store.stat(key);
			},
		})),
	},
};

function numbered(video: StoredVideo, number: number): StoredVideo {
	return { ...video, location: `${number}:${video.location}` };
}
