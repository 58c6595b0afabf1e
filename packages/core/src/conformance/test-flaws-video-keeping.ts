// For the test of the video store's suite only: stores that mix videos up, overwrite, lose or hand them out wrongly.

import { type StoredVideo, storeFault } from "../ports/index.js";
import { rejectionOf } from "./case.js";
import { pause } from "./pause.js";
import { brokenUploads, brokenVideos, type MakeVideos, type VideoFlaw } from "./test-flawed-videos.js";
import { readFrom } from "./video-store-samples.js";

/** The clauses that commit a second time under a name that is taken. */
const OVERWRITING = ["create-only", "concurrent-commits", "distinct-keys", "reopened-videos", "crash-videos"];

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const videoKeepingFlaws: Record<string, VideoFlaw> = {
	"a final name is overwritten": {
		breaks: OVERWRITING,
		make: brokenUploads((upload, { disk, key }) => ({
			async commit() {
				// In one tick.
				const removing = disk.remove(`memory:${encodeURIComponent(key)}`);
				const committing = upload.commit();
				await removing;
				return committing;
			},
		})),
	},
	"a commit under a name that is taken tells what it brought": {
		breaks: ["create-only", "concurrent-commits"],
		make: brokenUploads((upload) => ({
			async commit() {
				const digest = await upload.digest();
				const { _tag, video } = await upload.commit();
				return { _tag, video: { ...video, ...digest } };
			},
		})),
	},
	"whether a name is taken is asked long before it is": {
		breaks: ["concurrent-commits"],
		make: brokenUploads((upload, { disk, key }) => ({
			async commit() {
				const there = await disk.stat(key);
				if (there !== undefined) return upload.commit();
				await upload.write(new Uint8Array());
				await pause(1);
				const now = await disk.stat(key);
				if (now !== undefined) await disk.remove(now.location);
				return upload.commit();
			},
		})),
	},
	"uploads share a buffer": {
		breaks: ["uploads-apart"],
		make: (() => {
			// Of that size.
			const buffer = new Uint8Array(7_000);
			return brokenUploads((upload) => ({
				async write(chunk) {
					if (chunk.length !== buffer.length) return upload.write(chunk);
					buffer.set(chunk);
					await pause();
					await upload.write(buffer);
				},
			}));
		})(),
	},
	"a second removal is an error": {
		breaks: ["remove"],
		make: brokenVideos((store) => ({
			async remove(location) {
				const reading = await rejectionOf(() => readFrom(store, location));
				if (reading !== undefined) throw storeFault("io", "no such file", { retryable: false });
				await store.remove(location);
			},
		})),
	},
	"a removal leaves the name taken": {
		breaks: ["invisible-before-commit", "commit-at-once", "remove", "unusable-token", "token-once"],
		make: brokenVideos((store) => {
			const taken = new Map<string, StoredVideo>();
			return {
				async begin(key, options) {
					const upload = await store.begin(key, options);
					return {
						...upload,
						async commit() {
							const before = taken.get(key);
							const result = await upload.commit();
							taken.set(key, result.video);
							return before === undefined ? result : { _tag: "AlreadyStored", video: before };
						},
					};
				},
			};
		}),
	},
	"a removal removes every video of that length": {
		breaks: ["remove"],
		make: brokenVideos((store, { disk }) => ({
			async remove(location) {
				const bytes = await readFrom(store, location).catch(() => new Uint8Array());
				await store.remove(location);
				const other = await disk.stat("video-b");
				if (other !== undefined && other.bytes === bytes.length) await store.remove(other.location);
			},
		})),
	},
	"there is no end of what is free": {
		breaks: ["free-bytes"],
		make: brokenVideos(() => ({ freeBytes: async () => Number.POSITIVE_INFINITY })),
	},
	"less than nothing is free": {
		breaks: ["free-bytes"],
		make: brokenVideos(() => ({ freeBytes: async () => -1 })),
	},
	"keys are lower-cased": {
		breaks: ["distinct-keys", "foreign-token", "distinct-partials"],
		make: rekeyed((key) => key.toLowerCase()),
	},
	"keys are trimmed": { breaks: ["distinct-keys", "distinct-partials"], make: rekeyed((key) => key.trim()) },
	"keys are normalized": {
		breaks: ["distinct-keys", "distinct-partials"],
		make: rekeyed((key) => key.normalize("NFC")),
	},
	"keys are compatible characters": {
		breaks: ["distinct-keys", "distinct-partials"],
		make: rekeyed((key) => key.normalize("NFKC")),
	},
	"keys are cut at 255 characters": {
		breaks: ["distinct-keys", "distinct-partials"],
		make: rekeyed((key) => key.slice(0, 255)),
	},
	"keys are paths": {
		breaks: ["distinct-keys", "distinct-partials"],
		make: rekeyed((key) => new URL(encodeURI(key.replaceAll("/", "/")), "file:///x/").href),
	},
	"an extension is part of no key": {
		breaks: ["distinct-keys", "distinct-partials"],
		make: rekeyed((key) => key.replace(/\.mp4$/, "")),
	},
	"a location holds a signature": {
		breaks: ["plain-locations"],
		make: relocated((location) => `${location}?Signature=c2VjcmV0`),
	},
	"a location holds a password": {
		breaks: ["plain-locations"],
		make: relocated((location) => `s3://key:secret@bucket/${location}`),
	},
};

function rekeyed(change: (key: string) => string): MakeVideos {
	return brokenVideos((store) => ({
		begin: (key, options) => store.begin(change(key), options),
		stat: (key) => store.stat(change(key)),
		findPartial: (key) => store.findPartial(change(key)),
		removePartial: (key) => store.removePartial(change(key)),
	}));
}

/** Locations as `dress` makes them, everywhere. */
function relocated(dress: (location: string) => string): MakeVideos {
	return brokenVideos((store) => {
		const plain = new Map<string, string>();
		const dressed = <Video extends StoredVideo | undefined>(video: Video): Video => {
			if (video === undefined) return video;
			const location = dress(video.location);
			plain.set(location, video.location);
			return { ...video, location };
		};
		return {
			async begin(key, options) {
				const upload = await store.begin(key, options);
				return {
					...upload,
					async commit() {
						const result = await upload.commit();
						return { ...result, video: dressed(result.video) };
					},
				};
			},
			stat: async (key) => dressed(await store.stat(key)),
			open: (location, options) => store.open(plain.get(location) ?? location, options),
			remove: (location) => store.remove(plain.get(location) ?? location),
		};
	});
}
