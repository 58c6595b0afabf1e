// The clauses of `VideoStore` about partial uploads that nobody goes on with: when they go, and whose they are.

import { concatBytes } from "@noble/hashes/utils.js";
import type { VideoStore } from "../ports/video-store.js";
import { assertSame } from "./case.js";
import type { VideoStoreHarness } from "./video-store.js";
import { contentOf, SIMILAR_KEYS } from "./video-store-keys.js";
import { resumableVideo } from "./video-store-resuming.js";
import {
	assertInvisible,
	assertKept,
	beginWith,
	findKept,
	finishWith,
	keep,
	nameOf,
	resumeOf,
	sampleBytes,
	suspendWith,
} from "./video-store-samples.js";

export async function supersedes(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	for (const options of [{}, { note: "of the second" }]) {
		const { resumeToken, note } = await suspendWith(store, "video-a", part, "of the first");
		const upload = await store.begin("video-a", options);
		assertSame(upload.offset, 0, "the offset of an upload that was not to go on");
		assertSame(await store.findPartial("video-a"), undefined, "what is left once another upload has begun");
		await upload.discard();
		assertSame(await store.findPartial("video-a"), undefined, "what is left once that was discarded");
		const late = await store.begin("video-a", { note, resume: { resumeToken } });
		assertSame(late.offset, 0, "the offset of one that comes too late with the token");
		await late.discard();
	}
	// The newest is the one that is found.
	await suspendWith(store, "video-a", part, "of the first");
	const others = sampleBytes(whole.length, 2);
	const second = others.subarray(0, part.length + 1);
	const partial = await suspendWith(store, "video-a", second, "of the second");
	assertSame(partial.note, "of the second", "the note of the newest");
	const upload = await resumeOf(store, "video-a", partial);
	await finishWith(store, "video-a", upload, others);
}

export async function keepsNothingWithoutNote(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { part, whole } = resumableVideo(harness);
	const without = [{}, ...(store.supports.resume ? [] : [{ note: "of video-a" }])];
	for (const options of without) {
		const upload = await beginWith(store, "video-a", part, options);
		await upload.suspend();
		assertSame(await store.findPartial("video-a"), undefined, "what an upload left that cannot be resumed");
		await assertInvisible(store, "video-a");
		const video = await keep(store, "video-a", whole);
		await assertKept(store, "video-a", video, whole);
		await store.remove(video.location);
	}
}

export async function removesPartials(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	const other = await suspendWith(store, "video-b", part, "of video-b");
	const { resumeToken, note } = await suspendWith(store, "video-a", part, "of video-a");
	await store.removePartial("video-a");
	assertSame(await store.findPartial("video-a"), undefined, "what is found once it was removed");
	await store.removePartial("video-a");
	await store.removePartial("video-c");
	const upload = await store.begin("video-a", { note, resume: { resumeToken } });
	assertSame(upload.offset, 0, "the offset of an upload whose bytes were removed");
	await upload.discard();
	const left = await findKept(store, "video-b");
	assertSame(left.bytes, other.bytes, "bytes that are left under another key");
	await finishWith(store, "video-b", await resumeOf(store, "video-b", left), whole);
}

export async function tellsPartialsApart(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { minResumableBytes = 0 } = harness;
	// Each its own bytes behind as many as a store needs; not so many of them when that is a lot.
	const start = sampleBytes(minResumableBytes);
	const keys = SIMILAR_KEYS.filter((_, index) => index % 3 !== 2).slice(
		0,
		minResumableBytes > 1_000 ? 8 : 99,
	);
	const contents = new Map(keys.map((key) => [key, concatBytes(start, contentOf(key))]));
	const contentUnder = (key: string): Uint8Array => contents.get(key) ?? new Uint8Array();
	for (const key of keys) await suspendWith(store, key, contentUnder(key), key.slice(0, 1_000));
	for (const key of keys) {
		const { note } = await findKept(store, key);
		assertSame(note, key.slice(0, 1_000), `the note of what was left under ${nameOf(key)}`);
	}
	for (const key of SIMILAR_KEYS.filter((key) => !contents.has(key))) {
		assertSame(await store.findPartial(key), undefined, `what was left under ${nameOf(key)}, never used`);
		await store.removePartial(key);
	}
	for (const [index, key] of keys.entries()) {
		if (index % 2 === 0) await store.removePartial(key);
	}
	for (const [index, key] of keys.entries()) {
		if (index % 2 === 0) {
			assertSame(await store.findPartial(key), undefined, `what is left under ${nameOf(key)}, removed`);
			continue;
		}
		const upload = await resumeOf(store, key, await findKept(store, key));
		await finishWith(store, key, upload, contentUnder(key));
	}
}
