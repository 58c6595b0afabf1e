// The clauses of `VideoStore` about a commit under way: at no moment, and after no kill, is a video there in part.

import { isStoreFault } from "../ports/store-fault.js";
import type { VideoDigest, VideoKey, VideoStore, VideoUpload } from "../ports/video-store.js";
import { assert, assertSame, rejectionOf } from "./case.js";
import { pause } from "./pause.js";
import type { VideoStoreHarness } from "./video-store.js";
import { finishAfterKill, later } from "./video-store-reopening.js";
import {
	assertBytes,
	assertDigest,
	assertKept,
	beginWith,
	digestOf,
	keep,
	readFrom,
	sampleBytes,
} from "./video-store-samples.js";

/** So large that a copy of it takes its time. */
const LARGE = sampleBytes(1_000_000);
/** For a clause that writes it many times. */
const SMALLER = LARGE.subarray(0, 400_000);

export async function showsAllOrNothing(store: VideoStore): Promise<void> {
	const digest = digestOf(LARGE);
	const location = await locationOf(store, "video-a");
	for (const options of [{}, { note: "of video-a" }]) {
		const upload = await beginWith(store, "video-a", LARGE, options);
		const commit = follow(upload);
		let hasShown = false;
		while (!commit.isOver()) {
			const isShown = await isWhole(store, { key: "video-a", location, bytes: LARGE, digest });
			assert(isShown || !hasShown, "a video that was seen once is not gone before it is removed");
			hasShown = isShown;
			await pause(0);
		}
		const { _tag, video } = await commit.result;
		assertSame(_tag, "Committed", "the commit of a video that is looked for meanwhile");
		await assertKept(store, "video-a", video, LARGE);
		await store.remove(video.location);
	}
}

/** Where a video will lie, as far as that can be known before. */
async function locationOf(store: VideoStore, key: VideoKey): Promise<string> {
	const { location } = await keep(store, key, sampleBytes(10));
	await store.remove(location);
	return location;
}

/** Commits, and says when that is over. */
function follow(upload: VideoUpload) {
	let isOver = false;
	const result = upload.commit();
	const end = (): void => {
		isOver = true;
	};
	result.then(end, end);
	return { result, isOver: () => isOver };
}

interface Committing {
	readonly key: VideoKey;
	readonly location: string;
	readonly bytes: Uint8Array;
	readonly digest: VideoDigest;
}

/** Whether all of it is there; fails when it is there in part. */
async function isWhole(store: VideoStore, { key, location, bytes, digest }: Committing): Promise<boolean> {
	const video = await store.stat(key);
	if (video !== undefined) assertDigest(video, digest, "what is said of a video while it is committed");
	const read = await readIfThere(store, video?.location ?? location);
	assert(video === undefined || read !== undefined, "a video that is told of can be opened");
	if (read !== undefined) assertBytes(read, bytes, "what opens while a video is committed");
	return video !== undefined;
}

async function readIfThere(store: VideoStore, location: string): Promise<Uint8Array | undefined> {
	try {
		return await readFrom(store, location);
	} catch (error) {
		assert(isStoreFault(error), "the opening of what is not there rejects with a StoreFault");
		return undefined;
	}
}

/** Milliseconds from the call of `commit` to the kill; `seen`: it comes as soon as something is there. */
const KILLS = [0, 2, 8, "seen"] as const;

export async function survivesKillsAllOrNothing(
	first: VideoStore,
	harness: VideoStoreHarness,
): Promise<void> {
	let store = first;
	const digest = digestOf(SMALLER);
	for (const [index, when] of KILLS.entries()) {
		const key = `video-${index}`;
		const location = await locationOf(store, key);
		const commit = follow(await beginWith(store, key, SMALLER, { note: "of a video" }));
		if (when !== "seen") await pause(when);
		else while (!commit.isOver() && (await store.stat(key)) === undefined) await pause(0);
		store = await later(harness, "crash");
		const isDone = await isWhole(store, { key, location, bytes: SMALLER, digest });
		if (!isDone) await finishAfterKill(store, key, SMALLER, SMALLER.length);
		// What was lost with its process may never settle.
		await Promise.race([rejectionOf(() => commit.result), pause(500)]);
	}
}
