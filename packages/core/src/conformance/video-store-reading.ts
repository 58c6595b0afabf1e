// The clauses of `VideoStore` about reading: from any place, by many at once, and without harm to what is kept.

import { isStoreFault } from "../ports/store-fault.js";
import type { VideoStore } from "../ports/video-store.js";
import { assert, assertMistake, assertSame, rejectionOf } from "./case.js";
import { pause } from "./pause.js";
import {
	assertBytes,
	assertInvisible,
	assertKept,
	keep,
	readFrom,
	sampleBytes,
} from "./video-store-samples.js";

export async function opensFromOffsets(store: VideoStore): Promise<void> {
	const bytes = sampleBytes(600_000);
	const { location } = await keep(store, "video-a", bytes);
	const { length } = bytes;
	for (const offset of [0, 1, 4_096, 262_143, 262_144, 262_145, length - 1, length, length + 1, 2 * length]) {
		assertBytes(await readFrom(store, location, offset), bytes.subarray(offset), `bytes from ${offset} on`);
	}
	assertBytes(await readFrom(store, location), bytes, "bytes without an offset");
}

export async function refusesOffsets(store: VideoStore): Promise<void> {
	const { location } = await keep(store, "video-a", sampleBytes(1_000));
	for (const offset of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
		await assertMistake(() => readFrom(store, location, offset), `a reading from the offset ${offset}`);
	}
}

export async function tellsAbsence(store: VideoStore): Promise<void> {
	assertSame(await store.stat("video-a"), undefined, "what is said of a key that was never used");
	assertSame(await store.findPartial("video-a"), undefined, "what is found of a key that was never used");
	const { location } = await keep(store, "video-a", sampleBytes(1_000));
	await store.remove(location);
	await assertInvisible(store, "video-a", location);
	for (const offset of [1, 1_000, 2_000]) {
		const fault = await rejectionOf(() => readFrom(store, location, offset));
		assert(isStoreFault(fault), "the opening of what is not there rejects with a StoreFault, at any offset");
	}
}

export async function keepsReadingsApart(store: VideoStore): Promise<void> {
	const videos = [sampleBytes(700_000, 1), sampleBytes(500_000, 2)];
	const kept = await Promise.all(videos.map((bytes, index) => keep(store, `video-${index}`, bytes)));
	const readings = Array.from({ length: 12 }, async (_, index) => {
		const [video, bytes] = [kept[index % 2], videos[index % 2]];
		assert(video !== undefined && bytes !== undefined, "there are two videos");
		const offset = index * 20_011;
		let at = offset;
		for await (const chunk of store.open(video.location, { offset })) {
			assertBytes(chunk, bytes.subarray(at, at + chunk.length), `bytes from ${at} on, beside other readings`);
			at += chunk.length;
			await pause();
		}
		assertSame(at, bytes.length, "where a reading beside others ends");
	});
	await Promise.all(readings);
}

export async function keepsVideosImmutable(store: VideoStore): Promise<void> {
	const bytes = sampleBytes(400_000);
	const video = await keep(store, "video-a", bytes);
	const chunks: Uint8Array[] = [];
	for await (const chunk of store.open(video.location)) chunks.push(chunk);
	let at = 0;
	for (const [index, chunk] of chunks.entries()) {
		const what = `chunk ${index + 1} of ${chunks.length}, looked at when all were read`;
		assertBytes(chunk, bytes.subarray(at, at + chunk.length), what);
		at += chunk.length;
	}
	for (const chunk of chunks) chunk.fill(0);
	const again = await readFrom(store, video.location);
	assertBytes(again, bytes, "what is read after an earlier reader wrote zeros into its chunks");
	await assertKept(store, "video-a", video, bytes);
}

export async function survivesAbandonedReadings(store: VideoStore): Promise<void> {
	const bytes = sampleBytes(100_000);
	const video = await keep(store, "video-a", bytes);
	for (let turn = 0; turn < 100; turn += 1) {
		for await (const chunk of store.open(video.location, { offset: turn })) {
			assert(chunk.length > 0, "a reading begins with bytes");
			break;
		}
	}
	await assertKept(store, "video-a", video, bytes);
	await store.remove(video.location);
	await assertInvisible(store, "video-a", video.location);
}
