// For the test of the video store's suite only: stores that go on wrongly with partial uploads.

import { concatBytes } from "@noble/hashes/utils.js";
import { type PartialVideo, storeFault, type VideoStore, type VideoUpload } from "../ports/index.js";
import { brokenUploads, brokenVideos, type MakeVideos, type VideoFlaw } from "./test-flawed-videos.js";
import { digestOf } from "./video-store-samples.js";

/** The clauses that commit what went on with a partial upload. */
const COMMIT_RESUMED = [
	"resume",
	"resume-again",
	"resume-note",
	"live-partial",
	"foreign-token",
	"token-once",
	"superseded",
	"remove-partial",
	"distinct-partials",
	"reopened-partials",
	"crash-partials",
	"crash-resumed",
];

/** Those that look at what is handed over when it does. */
const TAKE_RESUMED = ["resume", "reopened-partials", "crash-partials", "crash-resumed"];

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const videoResumingFlaws: Record<string, VideoFlaw> = {
	"a note is trimmed": {
		breaks: ["suspend", "distinct-partials"],
		make: foundAs((partial) => ({ ...partial, note: partial.note.trim() })),
	},
	"a note is cut at 1024 characters": {
		breaks: ["suspend"],
		make: foundAs((partial) => ({ ...partial, note: partial.note.slice(0, 1_024) })),
	},
	"more is found than was written": {
		breaks: ["suspend", ...COMMIT_RESUMED.slice(0, 3), "partial-invisible", ...COMMIT_RESUMED.slice(3)],
		make: foundAs((partial) => ({ ...partial, bytes: partial.bytes + 1 })),
	},
	"bytes that are held are handed to nobody": {
		breaks: TAKE_RESUMED,
		make: handingOver(() => undefined),
	},
	"bytes that are held are handed over after begin": {
		breaks: TAKE_RESUMED,
		make: handingOver((chunk, onBytes) => {
			const copy = chunk.slice();
			setTimeout(() => onBytes(copy), 1);
		}),
	},
	"bytes that are held are handed over from behind": {
		breaks: TAKE_RESUMED,
		make: handingOver((chunk, onBytes) => {
			onBytes(chunk.subarray(1_000));
			onBytes(chunk.subarray(0, 1_000));
		}),
	},
	"a digest leaves out the bytes that were resumed": {
		breaks: ["resume"],
		make: brokenUploads((upload) => {
			const written: Uint8Array[] = [];
			return {
				async write(chunk) {
					await upload.write(chunk);
					written.push(chunk.slice());
				},
				digest: async () => (upload.offset === 0 ? upload.digest() : digestOf(concatBytes(...written))),
			};
		}),
	},
	"a receipt leaves out the bytes that were resumed": {
		breaks: COMMIT_RESUMED,
		make: brokenUploads((upload) => {
			const written: Uint8Array[] = [];
			return {
				async write(chunk) {
					await upload.write(chunk);
					written.push(chunk.slice());
				},
				async commit() {
					const result = await upload.commit();
					if (upload.offset === 0 || result._tag === "AlreadyStored") return result;
					return { ...result, video: { ...result.video, ...digestOf(concatBytes(...written)) } };
				},
			};
		}),
	},
	"an upload that was resumed is kept no second time": {
		breaks: ["resume-again", "resume-note", "reopened-partials"],
		make: brokenUploads((upload) => (upload.offset > 0 ? { suspend: upload.discard } : {})),
	},
	"a token that comes alone is ignored": {
		breaks: [
			"resume-again",
			"resume-note",
			"partial-invisible",
			"live-partial",
			"foreign-token",
			"superseded",
			"remove-partial",
			"distinct-partials",
			"reopened-partials",
			"crash-resumed",
		],
		make: brokenVideos((store) => ({
			begin(key, { resume, ...options } = {}) {
				const isAlone = options.note === undefined && resume?.onBytes === undefined;
				return store.begin(key, resume === undefined || isAlone ? options : { ...options, resume });
			},
		})),
	},
	"a suspended upload is told of as a video": {
		breaks: [
			"over",
			"partial-invisible",
			"reopened-partials",
			"crash-videos",
			"crash-partials",
			"crash-resumed",
		],
		make: brokenVideos((store) => ({
			async stat(key) {
				const partial = await store.findPartial(key);
				const video = await store.stat(key);
				return video ?? (partial && { location: "memory:partial", bytes: partial.bytes, sha256: "" });
			},
		})),
	},
	"an upload under way is found": {
		breaks: ["live-partial", "unusable-token", "foreign-token", "token-once", "superseded"],
		make: brokenVideos((store) => {
			const live = new Map<string, VideoUpload & { readonly note?: string | undefined }>();
			return {
				async begin(key, options = {}) {
					const upload = await store.begin(key, options);
					live.set(key, { ...upload, note: options.note });
					return upload;
				},
				async findPartial(key) {
					const partial = await store.findPartial(key);
					const { digest, note } = live.get(key) ?? {};
					const bytes = (await digest?.().catch(() => undefined))?.bytes;
					if (partial !== undefined || bytes === undefined || note === undefined) return partial;
					return { resumeToken: "live", bytes, note };
				},
			};
		}),
	},
	"removing what is partial removes what is under way": {
		breaks: ["live-partial"],
		make: brokenVideos((store) => {
			const live = new Map<string, VideoUpload>();
			return {
				async begin(key, options) {
					const upload = await store.begin(key, options);
					live.set(key, upload);
					return upload;
				},
				async removePartial(key) {
					await live.get(key)?.discard();
					await store.removePartial(key);
				},
			};
		}),
	},
	"a token that names nothing is an error": {
		breaks: ["unusable-token", "foreign-token", "token-once", "superseded", "remove-partial"],
		make: brokenVideos((store) => ({
			async begin(key, options = {}) {
				const token = (await store.findPartial(key))?.resumeToken;
				if (options.resume !== undefined && options.resume.resumeToken !== token)
					throw storeFault("io", "there is no such upload", { retryable: false });
				return store.begin(key, options);
			},
		})),
	},
	"any token will do": {
		breaks: ["unusable-token"],
		make: brokenVideos((store) => ({
			async begin(key, options = {}) {
				const { resume } = options;
				const partial = await store.findPartial(key);
				if (partial === undefined || resume === undefined) return store.begin(key, options);
				return store.begin(key, { ...options, resume: { ...resume, resumeToken: partial.resumeToken } });
			},
		})),
	},
	"a token holds for every key": {
		breaks: ["foreign-token"],
		make: brokenVideos((store) => {
			const keys = new Map<string, string>();
			return {
				async findPartial(key) {
					const partial = await store.findPartial(key);
					if (partial !== undefined) keys.set(partial.resumeToken, key);
					return partial;
				},
				async begin(key, options = {}) {
					const owner = keys.get(options.resume?.resumeToken ?? "");
					if (owner === undefined || owner === key) return store.begin(key, options);
					const held = await takePartial(store, owner);
					return beginHolding(store, key, options, held);
				},
			};
		}),
	},
	"a token works again": {
		breaks: ["token-once"],
		make: brokenVideos((store) => {
			const copies = new Map<string, Uint8Array>();
			return {
				async begin(key, options = {}) {
					const { resume, note = "" } = options;
					if (resume === undefined) return store.begin(key, options);
					const name = JSON.stringify([key, resume.resumeToken]);
					const copy = copies.get(name);
					if (copy !== undefined) return beginHolding(store, key, options, copy);
					const chunks: Uint8Array[] = [];
					const onBytes = (chunk: Uint8Array): void => {
						chunks.push(chunk.slice());
						resume.onBytes?.(chunk);
					};
					const upload = await store.begin(key, { note, resume: { ...resume, onBytes } });
					if (upload.offset > 0) copies.set(name, concatBytes(...chunks));
					return upload;
				},
			};
		}),
	},
};

/** Ends what was left under `key`, and gives out its bytes. */
export async function takePartial(store: VideoStore, key: string): Promise<Uint8Array> {
	const partial = await store.findPartial(key);
	if (partial === undefined) return new Uint8Array();
	const chunks: Uint8Array[] = [];
	const onBytes = (chunk: Uint8Array): void => void chunks.push(chunk.slice());
	const upload = await store.begin(key, { resume: { resumeToken: partial.resumeToken, onBytes } });
	await upload.discard();
	return concatBytes(...chunks);
}

/** An upload that begins as if it were resumed. */
export async function beginHolding(
	store: VideoStore,
	key: string,
	{ note, resume }: Parameters<VideoStore["begin"]>[1] & {},
	held: Uint8Array,
): Promise<VideoUpload> {
	const upload = await store.begin(key, note === undefined ? {} : { note });
	await upload.write(held);
	resume?.onBytes?.(held);
	return { ...upload, offset: held.length };
}

function foundAs(change: (partial: PartialVideo) => PartialVideo): MakeVideos {
	return brokenVideos((store) => ({
		async findPartial(key) {
			const partial = await store.findPartial(key);
			return partial && change(partial);
		},
	}));
}

function handingOver(hand: (chunk: Uint8Array, onBytes: (chunk: Uint8Array) => void) => void): MakeVideos {
	return brokenVideos((store) => ({
		begin(key, options = {}) {
			const { resume } = options;
			if (resume?.onBytes === undefined) return store.begin(key, options);
			const { onBytes } = resume;
			const wrong = { ...resume, onBytes: (chunk: Uint8Array) => hand(chunk, onBytes) };
			return store.begin(key, { ...options, resume: wrong });
		},
	}));
}
