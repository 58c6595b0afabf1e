// The clauses of `VideoStore` about going on with a partial upload, for stores that support it.

import type { PartialVideo, VideoKey, VideoStore, VideoUpload } from "../ports/video-store.js";
import { assert, assertSame } from "./case.js";
import type { VideoStoreHarness } from "./video-store.js";
import {
	assertDigest,
	assertInvisible,
	assertKept,
	beginWith,
	digestOf,
	findKept,
	finishWith,
	keep,
	resumeAndHash,
	resumeOf,
	sampleBytes,
	suspendWith,
	textBytes,
	writeAll,
} from "./video-store-samples.js";

/** A video of which the first part can be resumed, wherever the store cuts it. */
export function resumableVideo({ minResumableBytes = 1 }: VideoStoreHarness, seed = 1) {
	const half = Math.max(70_000, minResumableBytes);
	const whole = sampleBytes(3 * half, seed);
	return { whole, part: whole.subarray(0, half), half };
}

const NOTES = [
	'{"etag":"\\"D41D8C\\"","link":1}',
	" spaces and\nlines\r\n\t ",
	"游戏é e\u0301 🎮 \u2028\u0000\u001f\ufeff",
	"x",
	"é".repeat(2_048),
];

export async function findsSuspended(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { part } = resumableVideo(harness);
	for (const [index, note] of NOTES.entries()) {
		const partial = await suspendWith(store, `video-${index}`, part, note);
		assertPartial(partial, part.length);
		assertSame(partial.note, note, "the note of a partial upload");
		assertSame(await store.findPartial(`video-${index}`), partial, "a partial upload that is found again");
	}
}

function assertPartial({ resumeToken, bytes }: PartialVideo, written: number): void {
	assert(typeof resumeToken === "string" && resumeToken !== "", "a partial upload has a token");
	assert(Number.isInteger(bytes) && bytes > 0, "a partial upload holds bytes");
	assert(bytes <= written, `a partial upload holds ${bytes} bytes, no more than the ${written} written`);
}

export async function resumes(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	const partial = await suspendWith(store, "video-a", part, "of video-a");
	const upload = await resumeAndHash(store, "video-a", partial, whole);
	const held = whole.subarray(0, partial.bytes);
	assertDigest(await upload.digest(), digestOf(held), "the digest of what a resumed upload holds");
	await writeAll(upload, whole.subarray(upload.offset));
	assertDigest(await upload.digest(), digestOf(whole), "the digest of a resumed upload");
	const { _tag, video } = await upload.commit();
	assertSame(_tag, "Committed", "the commit of a resumed upload");
	await assertKept(store, "video-a", video, whole);
	assertSame(await store.findPartial("video-a"), undefined, "what is left of a resumed and committed upload");
}

export async function resumesAgain(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part, half } = resumableVideo(harness);
	const note = "of video-a";
	let partial = await suspendWith(store, "video-a", part, note);
	// Suspended at once, and after some bytes.
	for (const more of [0, half / 2, 1]) {
		const upload = await resumeOf(store, "video-a", partial);
		const end = Math.floor(upload.offset + more);
		await writeAll(upload, whole.subarray(upload.offset, end));
		await upload.suspend();
		partial = await findKept(store, "video-a");
		assertPartial(partial, end);
		assertSame(partial.note, note, "the note of an upload that was suspended again");
	}
	await finishWith(store, "video-a", await resumeOf(store, "video-a", partial), whole);
}

export async function keepsNotes(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	const { note } = await suspendWith(store, "video-a", part, "of video-a");
	for (const options of [{ note: "of another" }, { note }, {}]) {
		const partial = await findKept(store, "video-a");
		assertSame(partial.note, note, "the note of an upload that goes on");
		const resume = { resumeToken: partial.resumeToken };
		const upload = await store.begin("video-a", { ...options, resume });
		assertSame(upload.offset, partial.bytes, "the offset of an upload that goes on, with a note or without");
		await upload.suspend();
	}
	const partial = await findKept(store, "video-a");
	assertSame(partial.note, note, "the note of an upload that went on without one");
	await finishWith(store, "video-a", await resumeOf(store, "video-a", partial), whole);
}

export async function hidesPartials(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	const { location } = await keep(store, "video-a", sampleBytes(100));
	await store.remove(location);
	const partial = await suspendWith(store, "video-a", part, "of video-a");
	await assertInvisible(store, "video-a", location);
	const upload = await resumeOf(store, "video-a", partial);
	await assertInvisible(store, "video-a", location);
	await writeAll(upload, whole.subarray(upload.offset));
	await assertInvisible(store, "video-a", location);
	await upload.suspend();
	await assertInvisible(store, "video-a", location);
}

export async function leavesLiveUploads(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	const note = "of a video";
	const begun = await beginWith(store, "video-a", part, { note });
	await leaveAlone(store, "video-a");
	await finishRest(store, "video-a", begun, whole, part.length);
	const partial = await suspendWith(store, "video-b", part, note);
	const resumed = await resumeOf(store, "video-b", partial);
	await leaveAlone(store, "video-b");
	await finishRest(store, "video-b", resumed, whole, resumed.offset);
}

async function leaveAlone(store: VideoStore, key: VideoKey): Promise<void> {
	assertSame(await store.findPartial(key), undefined, "what is found of an upload under way");
	await store.removePartial(key);
	assertSame(await store.findPartial(key), undefined, "what is found of it after it was to be removed");
}

async function finishRest(
	store: VideoStore,
	key: VideoKey,
	upload: VideoUpload,
	whole: Uint8Array,
	held: number,
): Promise<void> {
	await writeAll(upload, whole.subarray(held));
	const { _tag, video } = await upload.commit();
	assertSame(_tag, "Committed", "the commit of an upload that was left alone");
	await assertKept(store, key, video, whole);
}

/** What no store gives out, or none for this key. */
const UNUSABLE_TOKENS = [
	"",
	"x",
	"0",
	"../../../etc/passwd",
	"video-a",
	"video-a.part",
	"\0",
	"é".repeat(300),
];

export async function startsAnew(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { part } = resumableVideo(harness);
	const bytes = textBytes("a video that is written anew");
	for (const resumeToken of UNUSABLE_TOKENS) {
		// With and without something that another token would name.
		for (const isThere of [true, false]) {
			if (isThere) await (await beginWith(store, "video-a", part, { note: "of video-a" })).suspend();
			await beginAnew(store, "video-a", resumeToken, bytes);
		}
	}
	if (!store.supports.resume) return;
	const { resumeToken } = await suspendWith(store, "video-a", part, "of video-a");
	for (const changed of [
		`${resumeToken}x`,
		` ${resumeToken}`,
		resumeToken.slice(0, -1),
		`${resumeToken}\0`,
	]) {
		await (await beginWith(store, "video-a", part, { note: "of video-a" })).suspend();
		await beginAnew(store, "video-a", changed, bytes);
	}
	await beginAnew(store, "video-a", resumeToken, bytes);
}

/** Fails unless `resumeToken` starts an upload that holds nothing, and can be committed. */
async function beginAnew(
	store: VideoStore,
	key: VideoKey,
	resumeToken: string,
	bytes: Uint8Array,
): Promise<void> {
	let handed = 0;
	const onBytes = (): void => {
		handed += 1;
	};
	const upload = await store.begin(key, { note: `of ${key}`, resume: { resumeToken, onBytes } });
	assertSame(upload.offset, 0, "the offset of an upload whose token is unusable");
	assertSame(handed, 0, "calls to take the bytes of an upload whose token is unusable");
	assertSame(await store.findPartial(key), undefined, "what is left once an upload has begun anew");
	const video = await finishWith(store, key, upload, bytes);
	await store.remove(video.location);
}

export async function refusesForeignTokens(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	const keys = ["video-b", "video-a-", "video-A", "video-"];
	const partial = await suspendWith(store, "video-a", part, "of video-a");
	for (const key of keys) await beginAnew(store, key, partial.resumeToken, textBytes(key));
	const upload = await resumeOf(store, "video-a", partial);
	await finishWith(store, "video-a", upload, whole);
}

export async function takesTokensOnce(store: VideoStore, harness: VideoStoreHarness): Promise<void> {
	const { whole, part } = resumableVideo(harness);
	const partial = await suspendWith(store, "video-a", part, "of video-a");
	const { resumeToken, bytes, note } = partial;
	const uploads = await Promise.all(
		[1, 2, 3].map(() => store.begin("video-a", { note, resume: { resumeToken } })),
	);
	const offsets = uploads.map(({ offset }) => offset).sort((a, b) => b - a);
	assertSame(offsets, [bytes, 0, 0], "offsets of three that go on with one token");
	const late = await store.begin("video-a", { note, resume: { resumeToken } });
	assertSame(late.offset, 0, "the offset of one that comes when another goes on");
	const [resumed] = uploads.filter(({ offset }) => offset > 0);
	assert(resumed !== undefined, "one of them goes on");
	for (const upload of [...uploads, late]) if (upload !== resumed) await upload.discard();
	const video = await finishWith(store, "video-a", resumed, whole);
	await store.remove(video.location);
	await beginAnew(store, "video-a", resumeToken, textBytes("a video that is written anew"));
}
