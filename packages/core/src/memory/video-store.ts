import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { checkVideoOffset } from "../ports/check-video.js";
import { storeFault } from "../ports/store-fault.js";
import type { BeginUploadOptions, StoredVideo, VideoStore, VideoUpload } from "../ports/video-store.js";

interface Kept {
	readonly video: StoredVideo;
	readonly bytes: Uint8Array;
}

interface Partial {
	readonly token: string;
	readonly bytes: Uint8Array;
	readonly note: string;
}

interface State {
	readonly videos: Map<string, Kept>;
	/** By key: suspended, and resumed by nobody yet. */
	readonly partials: Map<string, Partial>;
	nextToken: number;
}

/** Makes a `VideoStore` in memory: for tests with small videos. */
export function createMemoryVideoStore(): VideoStore {
	const state: State = { videos: new Map(), partials: new Map(), nextToken: 1 };
	return {
		supports: { resume: true },
		async begin(key, options = {}) {
			const partial = state.partials.get(key);
			state.partials.delete(key);
			return createUpload(state, key, options, partial);
		},
		async findPartial(key) {
			const partial = state.partials.get(key);
			if (partial === undefined) return undefined;
			const { token, bytes, note } = partial;
			return { resumeToken: token, bytes: bytes.length, note };
		},
		async removePartial(key) {
			state.partials.delete(key);
		},
		freeBytes: async () => undefined,
		async stat(key) {
			return state.videos.get(locationOf(key))?.video;
		},
		async *open(location, { offset = 0 } = {}) {
			checkVideoOffset(offset);
			const kept = state.videos.get(location);
			if (kept === undefined) throw storeFault("io", `no video at ${location}`, { retryable: false });
			// A copy: who reads it may write into it.
			yield kept.bytes.slice(offset);
		},
		async remove(location) {
			state.videos.delete(location);
		},
	};
}

const locationOf = (key: string): string => `memory:${encodeURIComponent(key)}`;

function createUpload(
	state: State,
	key: string,
	{ note, resume }: BeginUploadOptions,
	partial: Partial | undefined,
): VideoUpload {
	const resumed = partial !== undefined && partial.token === resume?.resumeToken ? partial : undefined;
	const keptNote = resumed?.note ?? note;
	let chunks: Uint8Array[] = [];
	const hash = sha256.create();
	let length = 0;
	let isOver = false;
	const add = (chunk: Uint8Array): void => {
		chunks.push(chunk.slice());
		hash.update(chunk);
		length += chunk.length;
	};
	if (resumed !== undefined) {
		add(resumed.bytes);
		resume?.onBytes?.(resumed.bytes);
	}
	const refuseOver = (): void => {
		if (isOver) throw storeFault("closed", "this upload is over");
	};
	const end = (): void => {
		isOver = true;
		chunks = [];
	};
	const digest = () => ({ bytes: length, sha256: bytesToHex(hash.clone().digest()) });
	return {
		offset: length,
		async write(chunk) {
			refuseOver();
			add(chunk);
		},
		async digest() {
			refuseOver();
			return digest();
		},
		async commit() {
			refuseOver();
			const location = locationOf(key);
			const existing = state.videos.get(location);
			const bytes = concatBytes(...chunks);
			end();
			if (existing !== undefined) return { _tag: "AlreadyStored", video: existing.video };
			const video = { location, ...digest() };
			state.videos.set(location, { video, bytes });
			return { _tag: "Committed", video };
		},
		async discard() {
			end();
		},
		async suspend() {
			if (!isOver && keptNote !== undefined && length > 0) {
				const token = String(state.nextToken++);
				state.partials.set(key, { token, bytes: concatBytes(...chunks), note: keptNote });
			}
			end();
		},
	};
}
