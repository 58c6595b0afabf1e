// The clauses of `VideoStore` about one upload: what is written, hashed and committed, and how it ends.

import { concatBytes } from "@noble/hashes/utils.js";
import type { VideoDigest, VideoStore, VideoUpload } from "../ports/video-store.js";
import { assert, assertSame, rejectionOf } from "./case.js";
import {
	assertBytes,
	assertDigest,
	assertInvisible,
	assertKept,
	beginWith,
	digestOf,
	isClosed,
	keep,
	readFrom,
	sampleBytes,
	textBytes,
	writeAll,
} from "./video-store-samples.js";

export async function showsNothingBeforeCommit(store: VideoStore): Promise<void> {
	// Where it will lie, as far as that can be known before.
	const { location } = await keep(store, "video-a", sampleBytes(10_000, 1));
	await store.remove(location);
	for (const options of [{}, { note: "of video-a" }]) {
		const bytes = sampleBytes(100_000, 2);
		const upload = await store.begin("video-a", options);
		await assertInvisible(store, "video-a", location);
		await writeAll(upload, bytes);
		await assertInvisible(store, "video-a", location);
		assertDigest(await upload.digest(), digestOf(bytes), "the digest before the commit");
		await assertInvisible(store, "video-a", location);
		const { _tag, video } = await upload.commit();
		assertSame(_tag, "Committed", "the commit of a video that nobody saw before");
		await assertKept(store, "video-a", video, bytes);
		await store.remove(video.location);
	}
}

export async function commitsAndReads(store: VideoStore): Promise<void> {
	const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
	const videos = [everyByte, textBytes("\r\n\0\u001a\u001a\u001a"), sampleBytes(1), sampleBytes(333_333)];
	for (const [index, bytes] of videos.entries()) {
		const upload = await beginWith(store, `video-${index}`, bytes);
		assertSame(upload.offset, 0, "the offset of a new upload");
		const { _tag, video } = await upload.commit();
		assertSame(_tag, "Committed", "the commit of a new video");
		assert(typeof video.location === "string" && video.location !== "", "a video has a location");
		await assertKept(store, `video-${index}`, video, bytes);
	}
}

export async function takesNoBytes(store: VideoStore): Promise<void> {
	const none = new Uint8Array();
	await assertKept(store, "video-a", await keep(store, "video-a", none), none);
	const upload = await store.begin("video-b");
	const bytes = sampleBytes(1_000);
	for (const chunk of [none, bytes.subarray(0, 400), none, none, bytes.subarray(400), none]) {
		await upload.write(chunk);
	}
	assertDigest(await upload.digest(), digestOf(bytes), "the digest with empty chunks in between");
	await assertKept(store, "video-b", (await upload.commit()).video, bytes);
}

export async function writesInCallOrder(store: VideoStore): Promise<void> {
	const upload = await store.begin("video-a");
	const chunks = Array.from({ length: 40 }, (_, index) =>
		sampleBytes(((index * 7919) % 9_000) + 1, index + 1),
	);
	const [early, late] = [chunks.slice(0, 25), chunks.slice(25)];
	// In one tick: a digest holds the writes that were called before it.
	const writes = early.map((chunk) => upload.write(chunk));
	const digesting = upload.digest();
	writes.push(...late.map((chunk) => upload.write(chunk)));
	const committing = upload.commit();
	assertDigest(await digesting, digestOf(concatBytes(...early)), "the digest between the writes");
	await Promise.all(writes);
	await assertKept(store, "video-a", (await committing).video, concatBytes(...chunks));
}

export async function takesChunks(store: VideoStore): Promise<void> {
	const upload = await store.begin("video-a");
	const written: Uint8Array[] = [];
	const buffer = new Uint8Array(50_000);
	for (let turn = 1; turn <= 6; turn += 1) {
		const chunk = buffer.subarray(0, buffer.length - turn * 1_000);
		chunk.set(sampleBytes(chunk.length, turn));
		written.push(chunk.slice());
		await upload.write(chunk);
		buffer.fill(0);
	}
	const bytes = concatBytes(...written);
	assertDigest(await upload.digest(), digestOf(bytes), "the digest, when the caller uses its buffer again");
	await assertKept(store, "video-a", (await upload.commit()).video, bytes);
}

export async function tellsDigests(store: VideoStore): Promise<void> {
	const bytes = sampleBytes(150_000);
	const upload = await store.begin("video-a");
	assertDigest(await upload.digest(), digestOf(new Uint8Array()), "the digest of nothing");
	let length = 0;
	for (const end of [1, 64, 50_000, 50_001, 150_000]) {
		await upload.write(bytes.subarray(length, end));
		length = end;
		const expected = digestOf(bytes.subarray(0, length));
		for (const digest of [await upload.digest(), await upload.digest()])
			assertDigest(digest, expected, `the digest after ${length} bytes`);
	}
	const digest = await upload.digest();
	assertDigest((await upload.commit()).video, digest, "the committed video, by the digest before it");
}

type End = "commit" | "discard" | "suspend";

export async function refusesWhatIsOver(store: VideoStore): Promise<void> {
	for (const end of ["commit", "discard", "suspend"] satisfies End[]) {
		const key = `video-${end}`;
		const upload = await beginWith(store, key, sampleBytes(10_000), { note: "of a video" });
		const ending = upload[end]();
		// The second one is called before the upload is over.
		const late = rejectionOf(() => upload.commit());
		await ending;
		assert(isClosed(await late), `a commit right behind ${end} rejects with StoreFault closed`);
		for (const work of workOf(upload)) {
			assert(isClosed(await rejectionOf(work)), `work after ${end} rejects with StoreFault closed`);
		}
	}
	assertSame(await store.stat("video-discard"), undefined, "what is kept of a video that was discarded");
	assertSame(await store.stat("video-suspend"), undefined, "what is kept of a video that was suspended");
}

function workOf(upload: VideoUpload): readonly (() => Promise<unknown>)[] {
	return [() => upload.write(sampleBytes(1)), () => upload.digest(), () => upload.commit()];
}

export async function discards(store: VideoStore): Promise<void> {
	for (const options of [{}, { note: "of video-a" }]) {
		const upload = await beginWith(store, "video-a", sampleBytes(200_000), options);
		await upload.discard();
		await upload.discard();
		await assertInvisible(store, "video-a");
		assertSame(await store.findPartial("video-a"), undefined, "what a discarded upload left");
	}
	const bytes = sampleBytes(100_000, 2);
	await assertKept(store, "video-a", await keep(store, "video-a", bytes), bytes);
}

export async function endsOnce(store: VideoStore): Promise<void> {
	const bytes = sampleBytes(100_000);
	const note = "of a video";
	for (const end of ["discard", "suspend"] as const) {
		const committed = await beginWith(store, `video-${end}`, bytes, { note });
		const { video } = await committed.commit();
		await committed[end]();
		await assertKept(store, `video-${end}`, video, bytes);
		assertSame(await store.findPartial(`video-${end}`), undefined, "what is left of a committed upload");
	}
	const discarded = await beginWith(store, "video-a", bytes, { note });
	await discarded.discard();
	await discarded.suspend();
	assertSame(await store.findPartial("video-a"), undefined, "what is left of a discarded upload");
	const suspended = await beginWith(store, "video-b", bytes, { note });
	await suspended.suspend();
	const partial = await store.findPartial("video-b");
	await suspended.suspend();
	await suspended.discard();
	const { bytes: left } = (await store.findPartial("video-b")) ?? {};
	assertSame(left, partial?.bytes, "bytes that are left of a suspended upload");
}

const LARGE_BYTES = 8 * 1024 * 1024;
const LARGE_CHUNK_BYTES = 64 * 1024;
/** Made once: it takes longer than all else. */
let large: { readonly bytes: Uint8Array; readonly digest: VideoDigest } | undefined;

function largeVideo() {
	const bytes = new Uint8Array(LARGE_BYTES);
	// Repeats, but no two chunks of it are the same.
	const block = sampleBytes(LARGE_CHUNK_BYTES + 1);
	for (let at = 0; at < bytes.length; at += block.length) bytes.set(block.subarray(0, bytes.length - at), at);
	return { bytes, digest: digestOf(bytes) };
}

export async function keepsLarge(store: VideoStore): Promise<void> {
	large ??= largeVideo();
	const { bytes, digest } = large;
	const upload = await store.begin("video-a");
	for (let at = 0; at < bytes.length; at += LARGE_CHUNK_BYTES)
		await upload.write(bytes.subarray(at, at + LARGE_CHUNK_BYTES));
	assertDigest(await upload.digest(), digest, "the digest of a large video");
	const { video } = await upload.commit();
	assertDigest(video, digest, "a large video");
	assertDigest(await store.stat("video-a"), digest, "what is said to be kept of a large video");
	assertBytes(await readFrom(store, video.location), bytes, "the bytes of a large video");
	const offset = LARGE_BYTES - 1_000_001;
	assertBytes(await readFrom(store, video.location, offset), bytes.subarray(offset), "its last bytes");
}
