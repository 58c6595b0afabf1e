// The clauses of `VideoStore` about what a later process finds, after an end in good order and after a kill.

import type { VideoKey, VideoStore } from "../ports/video-store.js";
import { assert, assertSame, rejectionOf } from "./case.js";
import type { VideoStoreHarness } from "./video-store.js";
import { resumableVideo } from "./video-store-resuming.js";
import {
	assertInvisible,
	assertKept,
	beginWith,
	findKept,
	finishWith,
	keep,
	resumeAndHash,
	resumeOf,
	sampleBytes,
	suspendWith,
	writeAll,
} from "./video-store-samples.js";

export async function later(
	harness: VideoStoreHarness,
	end: "reopen" | "crash" = "reopen",
): Promise<VideoStore> {
	const store = await harness[end]?.();
	assert(store !== undefined, "the harness says that it can");
	return store;
}

export async function findsVideosAgain(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const videos = [sampleBytes(300_000, 1), new Uint8Array(), sampleBytes(1, 2)];
	const kept = await Promise.all(videos.map((bytes, index) => keep(store, `video-${index}`, bytes)));
	for (let session = 0; session < 2; session += 1) {
		const reopened = await later(harness);
		for (const [index, video] of kept.entries()) {
			await assertKept(reopened, `video-${index}`, video, videos[index] ?? new Uint8Array());
		}
		const again = await (await beginWith(reopened, "video-0", sampleBytes(10))).commit();
		assertSame(again._tag, "AlreadyStored", "a commit under a name that was taken in an earlier process");
		assertSame(await reopened.stat("video-x"), undefined, "what is said of a key that was never used");
	}
}

export async function findsPartialsAgain(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part, half } = resumableVideo(harness);
	const note = "of video-a\n游戏";
	const { bytes } = await suspendWith(store, "video-a", part, note);
	let reopened = await later(harness);
	const partial = await findKept(reopened, "video-a");
	assertSame(partial.bytes, bytes, "bytes of what was suspended in an earlier process");
	assertSame(partial.note, note, "its note");
	await assertInvisible(reopened, "video-a");
	// In the third process go on what the first and the second wrote.
	const upload = await resumeAndHash(reopened, "video-a", partial, whole);
	await writeAll(upload, whole.subarray(upload.offset, half + 1_000));
	await upload.suspend();
	reopened = await later(harness);
	const last = await findKept(reopened, "video-a");
	const video = await finishWith(reopened, "video-a", await resumeOf(reopened, "video-a", last), whole);
	reopened = await later(harness);
	await assertKept(reopened, "video-a", video, whole);
	assertSame(await reopened.findPartial("video-a"), undefined, "what is left of a committed upload");
}

export async function keepsRemoved(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { part } = resumableVideo(harness);
	const note = "of a video";
	const { location } = await keep(store, "video-removed", sampleBytes(1_000));
	const other = await keep(store, "video-kept", sampleBytes(1_000));
	await store.remove(location);
	await (await beginWith(store, "video-discarded", part, { note })).discard();
	for (const key of ["video-partial", "video-superseded"]) {
		await (await beginWith(store, key, part, { note })).suspend();
	}
	await store.removePartial("video-partial");
	await (await store.begin("video-superseded")).discard();
	const reopened = await later(harness);
	await assertInvisible(reopened, "video-removed", location);
	for (const key of ["video-removed", "video-discarded", "video-partial", "video-superseded"]) {
		await assertInvisible(reopened, key);
		assertSame(await reopened.findPartial(key), undefined, `what is left under ${key}`);
	}
	await assertKept(reopened, "video-kept", other, sampleBytes(1_000));
}

export async function survivesKills(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const bytes = sampleBytes(200_000);
	const video = await keep(store, "video-a", bytes);
	const { location } = await keep(store, "video-b", bytes);
	await store.remove(location);
	await beginWith(store, "video-b", bytes);
	await beginWith(store, "video-c", bytes, { note: "of video-c" });
	await store.begin("video-d");
	await beginWith(store, "video-a", sampleBytes(30_000, 2), { note: "of a later one" });
	const reopened = await later(harness, "crash");
	await assertKept(reopened, "video-a", video, bytes);
	await assertInvisible(reopened, "video-b", location);
	for (const key of ["video-b", "video-c", "video-d"]) await assertInvisible(reopened, key);
	for (const key of ["video-b", "video-d"])
		assertSame(await reopened.findPartial(key), undefined, "what is found of an upload without a note");
	for (const key of ["video-b", "video-c", "video-d"]) {
		const others = sampleBytes(1_000, 2);
		await assertKept(reopened, key, await keep(reopened, key, others), others);
	}
	const again = await (await beginWith(reopened, "video-a", sampleBytes(10))).commit();
	assertSame(again._tag, "AlreadyStored", "a commit under a name that was taken before the kill");
}

export async function findsTruePrefixes(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	const note = "of a video";
	await beginWith(store, "video-a", part, { note });
	const suspended = await suspendWith(store, "video-b", part, note);
	const busy = await beginWith(store, "video-c", part, { note });
	const rest = whole.subarray(part.length);
	// Nobody waits for this one: the kill may find it anywhere.
	const writing = rejectionOf(() => busy.write(rest));
	const reopened = await later(harness, "crash");
	await finishAfterKill(reopened, "video-a", whole, part.length);
	const kept = await findKept(reopened, "video-b");
	assertSame(kept.bytes, suspended.bytes, "bytes of what was suspended before the kill");
	await finishAfterKill(reopened, "video-b", whole, part.length);
	await finishAfterKill(reopened, "video-c", whole, whole.length);
	await writing;
}

export async function findsTruePrefixesOfResumed(
	store: VideoStore,
	harness: VideoStoreHarness,
): Promise<void> {
	const { whole, part, half } = resumableVideo(harness);
	const partial = await suspendWith(store, "video-a", part, "of a video");
	const upload = await resumeOf(store, "video-a", partial);
	const end = upload.offset + half;
	await writeAll(upload, whole.subarray(upload.offset, end));
	await finishAfterKill(await later(harness, "crash"), "video-a", whole, end);
}

/** Fails unless what is found, if anything, are the first bytes of `whole`, at most `written`, and can be gone on with. */
export async function finishAfterKill(
	store: VideoStore,
	key: VideoKey,
	whole: Uint8Array,
	written: number,
): Promise<void> {
	await assertInvisible(store, key);
	const partial = await store.findPartial(key);
	if (partial === undefined) {
		await finishWith(store, key, await store.begin(key), whole);
		return;
	}
	assertSame(partial.note, "of a video", "the note of what a kill left");
	assert(partial.bytes <= written, `a kill left ${partial.bytes} bytes, no more than the ${written} written`);
	await finishWith(store, key, await resumeAndHash(store, key, partial, whole), whole);
}
