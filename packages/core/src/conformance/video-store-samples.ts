// Bytes for the cases about videos, and how they are written, kept and read.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { isStoreFault } from "../ports/store-fault.js";
import type {
	BeginUploadOptions,
	PartialVideo,
	StoredVideo,
	VideoDigest,
	VideoKey,
	VideoStore,
	VideoUpload,
} from "../ports/video-store.js";
import { assert, assertSame, rejectionOf } from "./case.js";

/** No power of two, so that blocks of a store do not end where chunks do. */
const CHUNK_BYTES = 60_000;

/** So many bytes that repeat nowhere, the same for the same `seed` (a positive integer). */
export function sampleBytes(length: number, seed = 1): Uint8Array {
	// Four at a time: there are many of them.
	const words = new Uint32Array(Math.ceil(length / 4));
	let state = Math.imul(seed, 0x9e3779b1) | 1;
	for (let at = 0; at < words.length; at += 1) {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		words[at] = state;
	}
	return new Uint8Array(words.buffer, 0, length);
}

export const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const digestOf = (bytes: Uint8Array): VideoDigest => ({
	bytes: bytes.length,
	sha256: bytesToHex(sha256(bytes)),
});

/** Writes `bytes` chunk by chunk, each once the one before was taken. */
export async function writeAll(upload: VideoUpload, bytes: Uint8Array): Promise<VideoUpload> {
	for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
		await upload.write(bytes.subarray(at, at + CHUNK_BYTES));
	return upload;
}

/** An upload under way that `bytes` were written to. */
export async function beginWith(
	store: VideoStore,
	key: VideoKey,
	bytes: Uint8Array,
	options?: BeginUploadOptions,
): Promise<VideoUpload> {
	return writeAll(await store.begin(key, options), bytes);
}

/** Stores a video whose key is free. */
export async function keep(store: VideoStore, key: VideoKey, bytes: Uint8Array): Promise<StoredVideo> {
	const upload = await beginWith(store, key, bytes);
	const result = await upload.commit();
	assertSame(result._tag, "Committed", `the commit of a video whose key ${nameOf(key)} is free`);
	return result.video;
}

/** Leaves a partial upload of `bytes` behind and finds it. */
export async function suspendWith(
	store: VideoStore,
	key: VideoKey,
	bytes: Uint8Array,
	note: string,
): Promise<PartialVideo> {
	const upload = await beginWith(store, key, bytes, { note });
	await upload.suspend();
	return findKept(store, key);
}

/** What was kept of an upload that is known to have left something. */
export async function findKept(store: VideoStore, key: VideoKey): Promise<PartialVideo> {
	const partial = await store.findPartial(key);
	assert(partial !== undefined, `what was suspended under ${nameOf(key)} is found`);
	return partial;
}

/** Goes on with `partial`, without its note, which is kept; fails unless the upload says that it holds what was found. */
export async function resumeOf(
	store: VideoStore,
	key: VideoKey,
	{ resumeToken, bytes }: PartialVideo,
	onBytes?: (chunk: Uint8Array) => void,
): Promise<VideoUpload> {
	const resume = onBytes === undefined ? { resumeToken } : { resumeToken, onBytes };
	const upload = await store.begin(key, { resume });
	assertSame(upload.offset, bytes, "the offset of a resumed upload: the bytes that were found");
	return upload;
}

/** As `resumeOf`; fails unless all that is held, and that is the start of `whole`, was handed over when `begin` resolved. */
export async function resumeAndHash(
	store: VideoStore,
	key: VideoKey,
	partial: PartialVideo,
	whole: Uint8Array,
): Promise<VideoUpload> {
	const handed: Uint8Array[] = [];
	const upload = await resumeOf(store, key, partial, (chunk) => void handed.push(new Uint8Array(chunk)));
	const held = concatBytes(...handed);
	assertBytes(held, whole.subarray(0, partial.bytes), "what a resumed upload holds, as it was handed over");
	return upload;
}

/** Writes the rest of `whole` behind what `upload` holds, commits it, and fails unless the video is `whole`. */
export async function finishWith(
	store: VideoStore,
	key: VideoKey,
	upload: VideoUpload,
	whole: Uint8Array,
): Promise<StoredVideo> {
	await writeAll(upload, whole.subarray(upload.offset));
	const { _tag, video } = await upload.commit();
	assertSame(_tag, "Committed", `a commit of ${nameOf(key)}, which is free`);
	await assertKept(store, key, video, whole);
	return video;
}

/** Everything from `offset` on. */
export async function readFrom(store: VideoStore, location: string, offset?: number): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of store.open(location, offset === undefined ? {} : { offset }))
		chunks.push(new Uint8Array(chunk));
	return concatBytes(...chunks);
}

/** Fails unless `store` keeps `bytes` under `key` as `video` says. */
export async function assertKept(
	store: VideoStore,
	key: VideoKey,
	video: StoredVideo,
	bytes: Uint8Array,
): Promise<void> {
	assertVideo(await store.stat(key), video, `what is said to be kept under ${nameOf(key)}`);
	assertDigest(video, digestOf(bytes), `the video under ${nameOf(key)}`);
	assertBytes(await readFrom(store, video.location), bytes, `the bytes under ${nameOf(key)}`);
}

/** Fails unless nothing is to be seen of a video: neither under `key` nor, where it would lie, at `location`. */
export async function assertInvisible(store: VideoStore, key: VideoKey, location?: string): Promise<void> {
	assertSame(await store.stat(key), undefined, `what is said to be kept under ${nameOf(key)}`);
	if (location === undefined) return;
	const fault = await rejectionOf(() => readFrom(store, location));
	assert(isStoreFault(fault), "the opening of what is not there rejects with a StoreFault");
}

export function assertVideo(actual: StoredVideo | undefined, expected: StoredVideo, message: string): void {
	assertSame(actual?.location, expected.location, `${message}, its location`);
	assertDigest(actual, expected, message);
}

export function assertDigest(actual: VideoDigest | undefined, expected: VideoDigest, message: string): void {
	assertSame(actual?.bytes, expected.bytes, `${message}, its length`);
	assertSame(actual?.sha256, expected.sha256, `${message}, its SHA-256`);
}

export function assertBytes(actual: Uint8Array, expected: Uint8Array, message: string): void {
	assertSame(actual.length, expected.length, `${message}, their number`);
	const same = countSame(actual, expected);
	const difference = `byte ${same} is ${actual[same]}, must be ${expected[same]}`;
	assert(same === actual.length, `${message}: ${difference}`);
}

/** How many bytes at the start are the same in both, which are as long. Gigabytes are compared: where it can, four at a time. */
function countSame(some: Uint8Array, others: Uint8Array): number {
	let same = 0;
	if (some.byteOffset % 4 === 0 && others.byteOffset % 4 === 0) {
		const [words, otherWords] = [wordsOf(some), wordsOf(others)];
		while (same < words.length && words[same] === otherWords[same]) same += 1;
		same *= 4;
	}
	while (same < some.length && some[same] === others[same]) same += 1;
	return same;
}

function wordsOf({ buffer, byteOffset, length }: Uint8Array): Uint32Array {
	return new Uint32Array(buffer, byteOffset, Math.floor(length / 4));
}

/** Whether `error` says that the upload is over. */
export function isClosed(error: unknown): boolean {
	return isStoreFault(error) && error.reason === "closed";
}

export function nameOf(key: VideoKey): string {
	return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
}
