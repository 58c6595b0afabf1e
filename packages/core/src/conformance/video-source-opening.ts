// The clauses of `VideoSource` about videos that open well: all their bytes, and what the origin says of them.

import { md5 } from "@noble/hashes/legacy.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { assert, assertSame } from "./case.js";
import { pause } from "./pause.js";
import type { VideoSourceHarness } from "./video-source.js";
import { assertRest, openVideo } from "./video-source-samples.js";
import { assertBytes, sampleBytes } from "./video-store-samples.js";

export async function givesWholeBodies(harness: VideoSourceHarness): Promise<void> {
	for (const length of [1, 65_536, 700_001]) {
		const bytes = sampleBytes(length, length);
		const opened = await openVideo(harness, harness.serve("video.mp4", { bytes }));
		assertSame(opened.totalBytes, length, "the length that the origin stated");
		await assertRest(opened, 0, bytes);
	}
}

export async function givesUnstatedLengths(harness: VideoSourceHarness): Promise<void> {
	const bytes = sampleBytes(300_000);
	const link = harness.serve("video.mp4", { bytes, statesNoLength: true });
	const opened = await openVideo(harness, link);
	assertSame(opened.totalBytes, undefined, "a length that nobody stated");
	await assertRest(opened, 0, bytes);
}

export async function keepsBodiesApart(harness: VideoSourceHarness): Promise<void> {
	const objects = [sampleBytes(400_000, 1), sampleBytes(300_000, 2), sampleBytes(200_000, 3)];
	const links = objects.map((bytes, index) => harness.serve(`video-${index}.mp4`, { bytes }));
	const reading = [...links, ...links].map(async (link, index) => {
		const whole = objects[index % objects.length] ?? new Uint8Array();
		const opened = await openVideo(harness, link);
		let at = 0;
		for await (const chunk of opened.body) {
			// Others read meanwhile.
			await pause();
			assertBytes(chunk, whole.subarray(at, at + chunk.length), `bytes from ${at} on, beside other bodies`);
			at += chunk.length;
		}
		assertSame(at, whole.length, "bytes of a body beside others");
	});
	await Promise.all(reading);
}

export async function tellsChecksums(harness: VideoSourceHarness): Promise<void> {
	for (const seed of [1, 2]) {
		const bytes = sampleBytes(50_000, seed);
		const opened = await openVideo(harness, harness.serve("video.mp4", { bytes }));
		assertSame(opened.checksums.md5, bytesToHex(md5(bytes)), "the MD5 that the origin stated");
		const { crc64 = "0" } = opened.checksums;
		assert(/^(?:0|[1-9]\d{0,19})$/.test(crc64), "a CRC-64 is a decimal string");
		await assertRest(opened, 0, bytes);
	}
}
