// For the test of the video store's suite only: stores that keep, remove or lose the wrong partial uploads.

import { createMemoryVideoStore } from "../memory/video-store.js";
import { storeFault, type VideoStore } from "../ports/index.js";
import { brokenUploads, brokenVideos, type VideoFlaw } from "./test-flawed-videos.js";
import { beginHolding, takePartial } from "./test-flaws-video-resuming.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const videoPartialFlaws: Record<string, VideoFlaw> = {
	"an upload that begins leaves what another left": {
		breaks: ["superseded", "reopened-removals"],
		make: brokenVideos((store) => ({
			async begin(key, options = {}) {
				const partial = await store.findPartial(key);
				if (partial === undefined || options.resume !== undefined) return store.begin(key, options);
				const { resumeToken, note } = partial;
				const earlier = await store.begin(key, { note, resume: { resumeToken } });
				const upload = await store.begin(key, options);
				await earlier.suspend();
				return upload;
			},
		})),
	},
	"an upload whose token is unusable leaves what another left": {
		breaks: ["unusable-token"],
		make: brokenVideos((store) => ({
			async begin(key, options = {}) {
				const partial = await store.findPartial(key);
				const token = options.resume?.resumeToken;
				if (partial === undefined || token === undefined || token === partial.resumeToken)
					return store.begin(key, options);
				const { resumeToken, note } = partial;
				const earlier = await store.begin(key, { note, resume: { resumeToken } });
				const upload = await store.begin(key, options);
				await earlier.suspend();
				return upload;
			},
		})),
	},
	"an upload without a note is kept with an empty one": {
		breaks: ["without-note", "crash-videos"],
		make: brokenVideos((store) => ({ begin: (key, options) => store.begin(key, { note: "", ...options }) })),
	},
	"a resumed upload that is given no note is kept no second time": {
		breaks: ["resume-again", "resume-note", "reopened-partials"],
		make: brokenUploads((upload, { options }) =>
			upload.offset > 0 && options.note === undefined ? { suspend: upload.discard } : {},
		),
	},
	"a resumed upload takes the note that it is given": {
		breaks: ["resume-note"],
		make: brokenVideos((store) => {
			const notes = new Map<string, string>();
			return {
				begin(key, options = {}) {
					if (options.note !== undefined) notes.set(key, options.note);
					return store.begin(key, options);
				},
				async findPartial(key) {
					const partial = await store.findPartial(key);
					return partial && { ...partial, note: notes.get(key) ?? partial.note };
				},
			};
		}),
	},
	"what is partial is not removed": {
		breaks: ["remove-partial", "distinct-partials", "reopened-removals"],
		make: brokenVideos(() => ({ removePartial: async () => undefined })),
	},
	"what is partial can be removed once": {
		breaks: ["live-partial", "remove-partial", "distinct-partials"],
		make: brokenVideos((store) => ({
			async removePartial(key) {
				if ((await store.findPartial(key)) === undefined)
					throw storeFault("io", "no such file", { retryable: false });
				await store.removePartial(key);
			},
		})),
	},
	"a removal removes all that is partial": {
		breaks: ["remove-partial", "distinct-partials"],
		make: brokenVideos((store) => {
			const keys = new Set<string>();
			return {
				begin(key, options) {
					keys.add(key);
					return store.begin(key, options);
				},
				async removePartial() {
					for (const key of keys) await store.removePartial(key);
				},
			};
		}),
	},
	"an upload removes what was left under keys that begin as its own": {
		breaks: ["distinct-partials"],
		make: brokenVideos((store) => {
			const keys = new Set<string>();
			return {
				async begin(key, options = {}) {
					keys.add(key);
					const upload = await store.begin(key, options);
					if (options.resume !== undefined) return upload;
					for (const other of keys) if (other.startsWith(key)) await store.removePartial(other);
					return upload;
				},
			};
		}),
	},
	"a token dies with its process": {
		breaks: ["reopened-partials", "crash-partials"],
		make: brokenVideos((store, { number }) => {
			const own = new Set<string>();
			return {
				begin(key, options) {
					own.add(key);
					return store.begin(key, options);
				},
				findPartial: async (key) => (number === 1 || own.has(key) ? store.findPartial(key) : undefined),
			};
		}),
	},
	"a note dies with its process": {
		breaks: ["reopened-partials", "crash-partials", "crash-resumed"],
		make: brokenVideos((store, { after }) => ({
			async findPartial(key) {
				const partial = await store.findPartial(key);
				return partial && after !== undefined ? { ...partial, note: "" } : partial;
			},
		})),
	},
	"it forgets although it says that it can be opened again": {
		breaks: ["reopened-videos", "reopened-partials", "reopened-removals", "crash-videos", "crash-partials"],
		make: async () => {
			const open = async (): Promise<VideoStore> => createMemoryVideoStore();
			return { open, reopen: open, crash: open, dispose: async () => undefined };
		},
	},
	"after a kill more is found than was written": {
		breaks: ["crash-partials", "crash-resumed"],
		make: brokenVideos((store, { after }) => ({
			async findPartial(key) {
				const partial = await store.findPartial(key);
				return partial && after === "crash" ? { ...partial, bytes: partial.bytes + 4_096 } : partial;
			},
		})),
	},
	"a kill leaves a hole where the disk was not done": {
		breaks: ["crash-partials", "crash-resumed"],
		make: brokenVideos((store, { after, disk }) => {
			const torn = new Set<string>();
			return {
				async findPartial(key) {
					const partial = await store.findPartial(key);
					if (after !== "crash" || partial === undefined || torn.has(key)) return partial;
					torn.add(key);
					const bytes = await takePartial(disk, key);
					bytes.fill(0, bytes.length - 4_096);
					const upload = await disk.begin(key, { note: partial.note });
					await upload.write(bytes);
					await upload.suspend();
					return store.findPartial(key);
				},
			};
		}),
	},
	"a kill leaves only what was written since the upload went on": {
		breaks: ["crash-resumed"],
		make: brokenVideos((store, { disk }) => ({
			async begin(key, options = {}) {
				if (options.resume === undefined) return store.begin(key, options);
				const partial = await store.findPartial(key);
				if (partial?.resumeToken !== options.resume.resumeToken) return store.begin(key, options);
				const held = await takePartial(disk, key);
				const { note } = partial;
				// What outlives a kill; the other one is what callers see.
				const since = await store.begin(key, { note });
				const upload = await beginHolding(createMemoryVideoStore(), key, options, held);
				const chunks: Uint8Array[] = [held];
				return {
					...upload,
					async write(chunk) {
						await since.write(chunk);
						await upload.write(chunk);
						chunks.push(chunk.slice());
					},
					async commit() {
						await upload.discard();
						await since.discard();
						const whole = await store.begin(key);
						for (const chunk of chunks.splice(0)) await whole.write(chunk);
						return whole.commit();
					},
					async suspend() {
						await upload.discard();
						await since.discard();
						const whole = await store.begin(key, { note });
						for (const chunk of chunks.splice(0)) await whole.write(chunk);
						await whole.suspend();
					},
					async discard() {
						await upload.discard();
						await since.discard();
					},
				};
			},
		})),
	},
};
