// The clauses of `VideoSource` about ends: of a body that breaks off, of patience, and by whoever wants no more of it.

import { isSourceFault } from "../ports/source-fault.js";
import { assert, assertSame } from "./case.js";
import { pause } from "./pause.js";
import type { VideoSourceHarness } from "./video-source.js";
import {
	assertClosed,
	assertFault,
	open,
	openVideo,
	promptly,
	readToEnd,
	within,
} from "./video-source-samples.js";
import { assertBytes, sampleBytes } from "./video-store-samples.js";

const BYTES = sampleBytes(400_000);
/** Of a body that then falls silent, or breaks off. */
const AFTER = 100_000;

export async function throwsAtBreaks(harness: VideoSourceHarness): Promise<void> {
	// Before the first byte, in the middle, and before the last one.
	for (const breaksOffAfter of [0, AFTER, BYTES.length - 1]) {
		for (const statesNoLength of [false, true]) {
			const link = harness.serve("video.mp4", { bytes: BYTES, breaksOffAfter, statesNoLength });
			const result = await open(harness, link);
			// With nothing of the body, even the answer may not have come.
			if (breaksOffAfter === 0 && result._tag === "Unavailable") {
				assertSame(result.reason, "failed", "why there is no video when the connection breaks at once");
				continue;
			}
			assert(result._tag === "Opened", "a video opens that will break off");
			assertFault(await readToEnd(result), "broke-off", BYTES);
		}
	}
}

export async function endsUnanswered(harness: VideoSourceHarness): Promise<void> {
	const { answerTimeoutMs } = harness;
	assert(answerTimeoutMs !== undefined, "the harness says how long the source waits for an answer");
	const opening = open(harness, harness.serve("video.mp4", { bytes: BYTES, holdsBack: true }));
	await within(5_000, "the origin is asked", untilAsked(harness));
	const limitMs = 3 * answerTimeoutMs + 1_000;
	const result = await within(limitMs, "an origin that does not answer is given up", opening);
	assert(result._tag === "Unavailable", "no video opens when no answer comes");
	assertSame(result.reason, "failed", "why there is no video when no answer comes");
	await assertClosed(harness);
}

export async function throwsAtSilence(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: BYTES, silentAfter: AFTER });
	const opened = await openVideo(harness, link);
	const limitMs = 3 * harness.idleTimeoutMs + 1_000;
	const ended = await within(limitMs, "an origin that falls silent is given up", readToEnd(opened));
	assertFault(ended, "stalled", BYTES);
	await assertClosed(harness);
}

export async function waitsForReaders(harness: VideoSourceHarness): Promise<void> {
	const { body } = await openVideo(harness, harness.serve("video.mp4", { bytes: BYTES }));
	let at = 0;
	for await (const chunk of body) {
		if (at === 0) await pause(1.3 * harness.idleTimeoutMs);
		assertBytes(chunk, BYTES.subarray(at, at + chunk.length), `bytes from ${at} on, for a slow reader`);
		at += chunk.length;
	}
	assertSame(at, BYTES.length, "bytes that a slow reader gets");
}

export async function heedsEarlyAborts(harness: VideoSourceHarness): Promise<void> {
	// The origin would hold back: only the signal can end this at once.
	const link = harness.serve("video.mp4", { bytes: BYTES, holdsBack: true });
	const opening = open(harness, link, { signal: AbortSignal.abort() });
	const { _tag } = await promptly(harness, "what was aborted before ends", opening);
	assertSame(_tag, "Unavailable", "what opens though it was aborted before");
	await assertClosed(harness);
}

export async function heedsAbortsWhileOpening(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: BYTES, holdsBack: true });
	const controller = new AbortController();
	const opening = open(harness, link, { signal: controller.signal });
	await within(5_000, "the origin is asked", untilAsked(harness));
	controller.abort();
	const { _tag } = await promptly(harness, "what is aborted while it opens ends", opening);
	assertSame(_tag, "Unavailable", "what opens though it was aborted");
	await assertClosed(harness);
}

async function untilAsked(harness: VideoSourceHarness): Promise<void> {
	for (let turn = 0; turn < 1_000 && harness.underWay() === 0; turn += 1) await pause(5);
	assert(harness.underWay() > 0, "the origin is asked for a video that opens");
}

export async function heedsAbortsInBodies(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: BYTES, silentAfter: AFTER });
	const controller = new AbortController();
	const opened = await openVideo(harness, link, { signal: controller.signal });
	const reading = readToEnd(opened);
	// The reader waits for the next byte by then.
	await pause(50);
	controller.abort();
	const { bytes, fault } = await promptly(harness, "a body that is aborted ends", reading);
	assert(fault !== undefined, "a body that is aborted does not end as if all had come");
	assert(isSourceFault(fault), "a body that is aborted throws a SourceFault");
	assertBytes(bytes, BYTES.subarray(0, bytes.length), "the bytes before a body was aborted");
	await assertClosed(harness);
}

export async function closesUnreadBodies(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: BYTES, silentAfter: AFTER });
	const controller = new AbortController();
	await openVideo(harness, link, { signal: controller.signal });
	assert(harness.underWay() > 0, "the origin is asked for a video that opens");
	controller.abort();
	await assertClosed(harness);
}

export async function closesLeftBodies(harness: VideoSourceHarness): Promise<void> {
	const link = harness.serve("video.mp4", { bytes: BYTES, silentAfter: AFTER });
	const { body } = await openVideo(harness, link);
	for await (const chunk of body) {
		assert(chunk.length > 0, "a body begins with bytes");
		break;
	}
	await assertClosed(harness);
}
