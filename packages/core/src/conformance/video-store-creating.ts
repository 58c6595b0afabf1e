// The clauses of `VideoStore` about videos under a final name: created once, removed for good.

import type { CommitResult, VideoStore } from "../ports/video-store.js";
import { assert, assertSame } from "./case.js";
import {
	assertInvisible,
	assertKept,
	assertVideo,
	beginWith,
	keep,
	sampleBytes,
	textBytes,
} from "./video-store-samples.js";

export async function createsOnly(store: VideoStore): Promise<void> {
	const bytes = sampleBytes(20_000, 1);
	const earlier = await beginWith(store, "video-a", sampleBytes(30_000, 2));
	const video = await keep(store, "video-a", bytes);
	const later = await Promise.all(
		// Shorter, as long, longer, and the very same.
		[sampleBytes(10, 3), sampleBytes(20_000, 4), sampleBytes(90_000, 5), bytes].map((others) =>
			beginWith(store, "video-a", others),
		),
	);
	for (const upload of [earlier, ...later]) {
		const result = await upload.commit();
		assertSame(result._tag, "AlreadyStored", "a commit under a name that is taken");
		assertVideo(result.video, video, "the video that it returns");
		await assertKept(store, "video-a", video, bytes);
	}
	assertSame(await store.findPartial("video-a"), undefined, "what is left of commits that lost");
}

export async function createsOnceConcurrently(store: VideoStore): Promise<void> {
	const attempts = Array.from({ length: 20 }, (_, index) => textBytes(`attempt ${index} `.repeat(index + 1)));
	const uploads = await Promise.all(attempts.map((bytes) => beginWith(store, "video-a", bytes)));
	const results = await Promise.all(uploads.map((upload) => upload.commit()));
	const winners = results.flatMap((result, index) => (isCommitted(result) ? [index] : []));
	assertSame(winners.length, 1, "concurrent commits of one key that won");
	const [winner = 0] = winners;
	const [video, bytes] = [results[winner]?.video, attempts[winner]];
	assert(video !== undefined && bytes !== undefined, "the winner is one of them");
	for (const result of results) assertVideo(result.video, video, "the video that each is told");
	await assertKept(store, "video-a", video, bytes);
	assertSame(await store.findPartial("video-a"), undefined, "what is left of commits that lost");
}

const isCommitted = ({ _tag }: CommitResult): boolean => _tag === "Committed";

export async function keepsUploadsApart(store: VideoStore): Promise<void> {
	const keys = ["video-a", "video-b", "video-c", "video-d"];
	const videos = keys.map((_, index) => sampleBytes(40_000 + index * 5_000, index + 1));
	const uploads = await Promise.all([...keys, "video-a"].map((key) => store.begin(key)));
	const given = [...videos, sampleBytes(70_000, 99)];
	for (let at = 0; at < 70_000; at += 7_000) {
		await Promise.all(uploads.map((upload, index) => upload.write(chunkOf(given[index], at))));
	}
	// The second of video-a ends without harm to the first.
	await uploads.at(-1)?.discard();
	for (const [index, key] of keys.entries()) {
		const result = await uploads[index]?.commit();
		assert(result !== undefined && isCommitted(result), `${key} is committed`);
	}
	for (const [index, key] of keys.entries()) {
		const video = await store.stat(key);
		assert(video !== undefined, `${key} is kept`);
		await assertKept(store, key, video, videos[index] ?? new Uint8Array());
	}
}

function chunkOf(bytes: Uint8Array | undefined, at: number): Uint8Array {
	return (bytes ?? new Uint8Array()).subarray(at, at + 7_000);
}

export async function leavesKeptAlone(store: VideoStore): Promise<void> {
	for (const end of ["discard", "suspend"] as const) {
		for (const options of [{}, { note: "of a later one" }]) {
			const key = `video-${end} ${options.note}`;
			const [bytes, others] = [sampleBytes(30_000, 1), sampleBytes(20_000, 2)];
			const earlier = await beginWith(store, key, others, options);
			const video = await keep(store, key, bytes);
			await earlier[end]();
			await assertKept(store, key, video, bytes);
			const later = await beginWith(store, key, others, options);
			await later[end]();
			await assertKept(store, key, video, bytes);
		}
	}
}

export async function removes(store: VideoStore): Promise<void> {
	const bytes = sampleBytes(50_000, 1);
	const video = await keep(store, "video-a", bytes);
	const other = await keep(store, "video-b", bytes);
	await store.remove(video.location);
	await assertInvisible(store, "video-a", video.location);
	await store.remove(video.location);
	await assertKept(store, "video-b", other, bytes);
	const next = sampleBytes(20_000, 2);
	await assertKept(store, "video-a", await keep(store, "video-a", next), next);
	await assertKept(store, "video-b", other, bytes);
}

export async function countsFreeBytes(store: VideoStore): Promise<void> {
	for (const when of ["in an empty store", "beside a video"]) {
		const free = await store.freeBytes();
		const isNumber = free === undefined || (Number.isSafeInteger(free) && free >= 0);
		assert(isNumber, `free bytes ${when} are a whole number, not ${free}`);
		if (when === "in an empty store") await keep(store, "video-a", sampleBytes(1_000));
	}
}
