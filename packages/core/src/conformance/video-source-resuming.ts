// The clauses of `VideoSource` about going on: the rest of the very same object, or all of it; never a mixture.

import { concatBytes } from "@noble/hashes/utils.js";
import type { OpenedVideo } from "../ports/video-source.js";
import { assert, assertSame } from "./case.js";
import type { VideoSourceHarness } from "./video-source.js";
import { assertFault, assertRest, open, openVideo, readToEnd } from "./video-source-samples.js";
import { sampleBytes } from "./video-store-samples.js";

const OFFSET = 150_000;
const OLD = sampleBytes(400_000, 1);
const NEW = sampleBytes(400_000, 2);
const SHORT = sampleBytes(100_000, 3);

export async function startsAnewWithoutValidator(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: OLD });
	for (const offset of [1, OFFSET, OLD.length, 2 * OLD.length])
		await assertRest(await openVideo(harness, link, { offset }), 0, OLD);
}

export async function startsAnewForUnknown(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: OLD });
	for (const validator of [
		"",
		"x",
		'"',
		"{}",
		"\0",
		"a\r\nRange: bytes=5-",
		'"0123456789abcdef"',
		"*",
		"W/*",
	])
		await assertRest(await openVideo(harness, link, { offset: OFFSET, validator }), 0, OLD);
}

/** Opens the object from its start, and says what to go on with. */
async function openFirst(harness: VideoSourceHarness, link: string): Promise<string> {
	const { offset, validator, body } = await openVideo(harness, link);
	assertSame(offset, 0, "where a body starts of which there is nothing yet");
	assert(validator !== undefined, "what can be gone on with has a validator");
	for await (const _ of body) break;
	return validator;
}

export async function resumes(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: OLD });
	const validator = await openFirst(harness, link);
	for (const offset of [0, 1, OFFSET, OLD.length - 1]) {
		const opened = await openVideo(harness, link, { offset, validator });
		assertSame(opened.validator, validator, "the validator of the same object");
		assertSame(opened.totalBytes, OLD.length, "the length of the whole object");
		await assertRest(opened, offset, OLD);
	}
}

export async function noticesChanges(harness: VideoSourceHarness): Promise<void> {
	for (const bytes of [NEW, SHORT, sampleBytes(500_000, 4)]) {
		const validator = await openFirst(harness, harness.serve("video.mp4", { bytes: OLD }));
		const link = harness.serve("video.mp4", { bytes });
		const opened = await openVideo(harness, link, { offset: OFFSET, validator });
		assert(opened.validator !== validator, "another object has another validator");
		await assertRest(opened, 0, bytes);
	}
	// What was in its place before is another object to whoever holds bytes of the one in between.
	const between = await openFirst(harness, harness.serve("video.mp4", { bytes: NEW }));
	const link = harness.serve("video.mp4", { bytes: OLD });
	await assertRest(await openVideo(harness, link, { offset: OFFSET, validator: between }), 0, OLD);
	// And so is the one behind another link.
	const other = harness.serve("other.mp4", { bytes: SHORT });
	await assertRest(await openVideo(harness, other, { offset: 50_000, validator: between }), 0, SHORT);
}

export async function noticesIgnoredRanges(harness: VideoSourceHarness): Promise<void> {
	const validator = await openFirst(harness, harness.serve("video.mp4", { bytes: OLD }));
	for (const bytes of [OLD, NEW]) {
		const link = harness.serve("video.mp4", { bytes, ignoresRange: true });
		await assertRest(await openVideo(harness, link, { offset: OFFSET, validator }), 0, bytes);
	}
}

export async function noticesIgnoredConditions(harness: VideoSourceHarness): Promise<void> {
	for (const bytes of [NEW, SHORT]) {
		const validator = await openFirst(harness, harness.serve("video.mp4", { bytes: OLD }));
		const link = harness.serve("video.mp4", { bytes, ignoresCondition: true });
		await expectNoMixture(harness, link, { offset: 50_000, validator }, [0], bytes);
	}
}

export async function noticesWrongRanges(harness: VideoSourceHarness): Promise<void> {
	const validator = await openFirst(harness, harness.serve("video.mp4", { bytes: OLD }));
	for (const partsStartAt of [0, OFFSET - 1, OFFSET + 1, OLD.length - 1]) {
		const link = harness.serve("video.mp4", { bytes: OLD, partsStartAt });
		await expectNoMixture(harness, link, { offset: OFFSET, validator }, [0, OFFSET], OLD);
	}
}

/** An origin that answers what nobody asked may be given up; what opens must start at one of `offsets`, and be what it says. */
async function expectNoMixture(
	harness: VideoSourceHarness,
	link: string,
	options: { readonly offset: number; readonly validator: string },
	offsets: readonly number[],
	whole: Uint8Array,
): Promise<void> {
	const result = await open(harness, link, options);
	if (result._tag === "Unavailable") {
		assertSame(result.reason, "failed", "why an answer is not taken that nobody asked for");
		return;
	}
	assert(offsets.includes(result.offset), `the body starts at one of ${offsets}, not at ${result.offset}`);
	await assertRest(result, result.offset, whole);
}

export async function startsAnewBeyondEnd(harness: VideoSourceHarness): Promise<void> {
	// Who does not know the length has to ask.
	for (const statesNoLength of [false, true]) {
		const link = harness.serve("video.mp4", { bytes: OLD, statesNoLength });
		const validator = await openFirst(harness, link);
		for (const offset of [OLD.length + 1, 2 * OLD.length])
			await assertRest(await openVideo(harness, link, { offset, validator }), 0, OLD);
		// Everything is there already: nothing more is as right as all of it.
		const atEnd = await openVideo(harness, link, { offset: OLD.length, validator });
		const { offset } = atEnd;
		assert([0, OLD.length].includes(offset), `at the end a body starts there or at 0, not at ${offset}`);
		await assertRest(atEnd, offset, OLD);
	}
}

export async function vouchesForNothing(harness: VideoSourceHarness): Promise<void> {
	const known = await openFirst(harness, harness.serve("video.mp4", { bytes: OLD }));
	const link = harness.serve("video.mp4", { bytes: OLD, statesNoValidator: true });
	const opened = await openVideo(harness, link);
	assertSame(opened.validator, undefined, "what tells an object from a changed one, where nothing does");
	await assertRest(opened, 0, OLD);
	const later = harness.serve("video.mp4", { bytes: NEW, statesNoValidator: true });
	await assertRest(await openVideo(harness, later, { offset: OFFSET, validator: known }), 0, NEW);
}

export async function resumesAfterBreaks(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: OLD, breaksOffAfter: 120_000 });
	let opened: OpenedVideo = await openVideo(harness, link);
	const parts: Uint8Array[] = [];
	let offset = 0;
	for (let turn = 0; offset < OLD.length; turn += 1) {
		assert(turn < 5, "each answer brings the object on by what comes before it breaks off");
		assertSame(opened.offset, offset, "where the body starts after a break");
		const ended = await readToEnd(opened);
		parts.push(ended.bytes);
		offset += ended.bytes.length;
		if (offset === OLD.length) break;
		assertFault(ended, "broke-off", OLD, opened.offset);
		const { validator } = opened;
		assert(validator !== undefined, "what can be gone on with has a validator, each time");
		opened = await openVideo(harness, link, { offset, validator });
	}
	const whole = concatBytes(...parts);
	assertSame(whole.length, OLD.length, "bytes of an object that broke off several times");
}

export async function refusesPartChecksums(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: OLD });
	const { checksums, validator, body } = await openVideo(harness, link);
	for await (const _ of body) break;
	assert(validator !== undefined, "what can be gone on with has a validator");
	for (const statesPartChecksum of [false, true]) {
		const same = harness.serve("video.mp4", { bytes: OLD, statesPartChecksum });
		const opened = await openVideo(harness, same, { offset: OFFSET, validator });
		const { md5 = checksums.md5, crc64 = checksums.crc64 } = opened.checksums;
		assertSame(
			{ md5, crc64 },
			{ md5: checksums.md5, crc64: checksums.crc64 },
			"checksums of the whole object",
		);
		await assertRest(opened, OFFSET, OLD);
	}
}
