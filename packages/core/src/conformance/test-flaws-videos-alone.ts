// For the test of the video store's suite only: flaws so narrow that of the clauses which other flaws break together only
// one sees them.

import { concatBytes } from "@noble/hashes/utils.js";
import type { StoredVideo, VideoDigest, VideoStore, VideoUpload } from "../ports/index.js";
import { brokenUploads, brokenVideos, type MakeVideos, type VideoFlaw } from "./test-flawed-videos.js";
import { beginHolding, takePartial } from "./test-flaws-video-resuming.js";
import { beginWith } from "./video-store-samples.js";

const BLOCK_BYTES = 64;

export const loneVideoFlaws: Record<string, VideoFlaw> = {
	"a digest shows the video under its final name": {
		breaks: ["invisible-before-commit"],
		make: showing((upload, show) => ({
			async digest() {
				const digest = await upload.digest();
				show(digest);
				return digest;
			},
		})),
	},
	"a digest is made anew with each block of 64 bytes only": {
		breaks: ["digest"],
		make: brokenUploads((upload) => {
			const made = new Map<number, VideoDigest>();
			return {
				async digest() {
					const digest = await upload.digest();
					const block = Math.floor(digest.bytes / BLOCK_BYTES);
					const known = made.get(block) ?? digest;
					made.set(block, known);
					return known;
				},
			};
		}),
	},
	"a video takes the place of one that is as long": {
		breaks: ["create-only"],
		make: brokenUploads((upload, { disk, key }) => ({
			async commit() {
				const { bytes } = await upload.digest();
				const there = await disk.stat(key);
				if (there !== undefined && there.bytes === bytes) await disk.remove(there.location);
				return upload.commit();
			},
		})),
	},
	"a video that is not there is looked for in lower case": {
		breaks: ["distinct-keys"],
		make: brokenVideos((store) => {
			const kept = new Map<string, string>();
			return {
				async begin(key, options) {
					const upload = await store.begin(key, options);
					return {
						...upload,
						async commit() {
							kept.set(key.toLowerCase(), key);
							return upload.commit();
						},
					};
				},
				async stat(key) {
					const video = await store.stat(key);
					return video ?? store.stat(kept.get(key.toLowerCase()) ?? key);
				},
			};
		}),
	},
	"an upload that came in three parts is not kept": {
		breaks: ["resume-again"],
		make: brokenVideos((store) => {
			const parts = new Map<string, number>();
			return {
				async begin(key, options) {
					const upload = await store.begin(key, options);
					if (upload.offset === 0) parts.delete(key);
					let isNewPart = true;
					return {
						...upload,
						async write(chunk) {
							await upload.write(chunk);
							if (isNewPart) parts.set(key, (parts.get(key) ?? 0) + 1);
							isNewPart = false;
						},
						suspend: () => (parts.get(key) === 3 ? upload.discard() : upload.suspend()),
					};
				},
			};
		}),
	},
	"what a resumed upload holds lies under its final name": {
		breaks: ["partial-invisible"],
		make: showing((upload, show) => {
			if (upload.offset > 0) show({ bytes: upload.offset, sha256: "" });
			return {};
		}),
	},
	"an upload with a note leaves what another left": {
		breaks: ["superseded"],
		make: brokenVideos((store) => ({
			async begin(key, options = {}) {
				const partial = await store.findPartial(key);
				if (partial === undefined || options.note === undefined || options.resume !== undefined)
					return store.begin(key, options);
				const { resumeToken, note } = partial;
				const earlier = await store.begin(key, { note, resume: { resumeToken } });
				const upload = await store.begin(key, options);
				await earlier.suspend();
				return upload;
			},
		})),
	},
	"an upload without a note is kept with an empty one when it is suspended": {
		breaks: ["without-note"],
		make: brokenUploads((upload, { store, key, options }) => {
			if (options.note !== undefined || upload.offset > 0) return {};
			const chunks: Uint8Array[] = [];
			return {
				async write(chunk) {
					await upload.write(chunk);
					chunks.push(chunk.slice());
				},
				async suspend() {
					const isOver = await upload.digest().then(
						() => false,
						() => true,
					);
					await upload.suspend();
					if (isOver) return;
					const noted = await beginWith(store, key, concatBytes(...chunks), { note: "" });
					await noted.suspend();
				},
			};
		}),
	},
	"a token goes on with bytes that were removed": {
		breaks: ["remove-partial"],
		make: brokenVideos((store) => {
			const removed = new Map<string, Uint8Array>();
			return {
				async removePartial(key) {
					const partial = await store.findPartial(key);
					if (partial !== undefined) removed.set(partial.resumeToken, await takePartial(store, key));
				},
				async begin(key, options = {}) {
					const held = removed.get(options.resume?.resumeToken ?? "");
					return held === undefined ? store.begin(key, options) : beginHolding(store, key, options, held);
				},
			};
		}),
	},
	"a later process takes an empty video for one that was cut short": {
		breaks: ["reopened-videos"],
		make: brokenVideos((store, { number }) => ({
			async stat(key) {
				const video = await store.stat(key);
				return number > 1 && video?.bytes === 0 ? undefined : video;
			},
		})),
	},
	"an end in good order removes what is partial": {
		breaks: ["reopened-partials"],
		make: losingPartials("reopen"),
	},
	"a start after a kill removes what is partial": {
		breaks: ["crash-partials"],
		make: losingPartials("crash"),
	},
	"that an upload was removed is forgotten with the process": {
		breaks: ["reopened-removals"],
		make: brokenVideos((store) => {
			const removed = new Set<string>();
			return {
				async begin(key, options) {
					if (removed.delete(key)) await store.removePartial(key);
					return store.begin(key, options);
				},
				findPartial: async (key) => (removed.has(key) ? undefined : store.findPartial(key)),
				async removePartial(key) {
					if ((await store.findPartial(key)) !== undefined) removed.add(key);
				},
			};
		}),
	},
};

/** A store that tells of an upload as of a video once `show` was called, until the upload is over. */
function showing(
	plant: (upload: VideoUpload, show: (digest: VideoDigest) => void) => Partial<VideoUpload>,
): MakeVideos {
	return brokenVideos((store) => {
		const shown = new Map<string, StoredVideo>();
		return {
			async begin(key, options) {
				const upload = await store.begin(key, options);
				const hidden =
					<Result>(end: () => Promise<Result>) =>
					(): Promise<Result> => {
						shown.delete(key);
						return end();
					};
				return {
					...upload,
					commit: hidden(upload.commit),
					discard: hidden(upload.discard),
					suspend: hidden(upload.suspend),
					...plant(upload, (digest) => shown.set(key, { location: "memory:under-way", ...digest })),
				};
			},
			stat: async (key) => (await store.stat(key)) ?? shown.get(key),
		};
	});
}

/** A store whose next process, after such an end, finds nothing of uploads that it did not begin itself. */
function losingPartials(end: "reopen" | "crash"): MakeVideos {
	return brokenVideos((store: VideoStore, { after }) => {
		const begun = new Set<string>();
		return {
			begin(key, options) {
				begun.add(key);
				return store.begin(key, options);
			},
			findPartial: async (key) => (after !== end || begun.has(key) ? store.findPartial(key) : undefined),
		};
	});
}
