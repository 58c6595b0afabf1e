import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { storeFault } from "../ports/store-fault.js";
import type { StoredVideo, VideoStore, VideoUpload } from "../ports/video-store.js";

/** Makes a `VideoStore` in memory: for tests with small videos. */
export function createMemoryVideoStore(): VideoStore {
	const videos = new Map<string, { readonly video: StoredVideo; readonly bytes: Uint8Array }>();
	return {
		supports: { resume: false },
		async begin(key) {
			return createUpload(key, videos);
		},
		async stat(key) {
			return videos.get(locationOf(key))?.video;
		},
		async *open(location, options = {}) {
			const kept = videos.get(location);
			if (kept === undefined) throw storeFault("io", `no video at ${location}`, { retryable: false });
			yield kept.bytes.subarray(options.offset ?? 0);
		},
		async remove(location) {
			videos.delete(location);
		},
	};
}

const locationOf = (key: string): string => `memory:${encodeURIComponent(key)}`;

function createUpload(
	key: string,
	videos: Map<string, { readonly video: StoredVideo; readonly bytes: Uint8Array }>,
): VideoUpload {
	let chunks: Uint8Array[] = [];
	const hash = sha256.create();
	let length = 0;
	const digest = () => ({ bytes: length, sha256: bytesToHex(hash.clone().digest()) });
	const forget = async (): Promise<void> => {
		chunks = [];
	};
	return {
		offset: 0,
		resumeToken: undefined,
		async write(chunk) {
			chunks.push(chunk.slice());
			hash.update(chunk);
			length += chunk.length;
		},
		async digest() {
			return digest();
		},
		async commit() {
			const location = locationOf(key);
			const existing = videos.get(location);
			if (existing !== undefined) return { _tag: "AlreadyStored", video: existing.video };
			const video = { location, ...digest() };
			videos.set(location, { video, bytes: concatBytes(...chunks) });
			return { _tag: "Committed", video };
		},
		discard: forget,
		suspend: forget,
	};
}
