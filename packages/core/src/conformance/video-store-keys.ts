// The clauses of `VideoStore` about keys and locations: which name stands for which video, and for nothing else.

import type { VideoKey, VideoStore } from "../ports/video-store.js";
import { assert, assertSame } from "./case.js";
import { SIMILAR_NAMES } from "./sample-names.js";
import { assertKept, beginWith, keep, nameOf, sampleBytes, textBytes } from "./video-store-samples.js";

/** As many as are likely to be mixed up by who hashes, cuts, escapes or parses them: see there. */
const SIMILAR = SIMILAR_NAMES.slice(0, 40);

/** Alike for a file system, for Unicode, or for whoever makes paths, and names, of them. */
const ALIKE: readonly VideoKey[] = [
	...["é", "e\u0301", "É", "\u212b", "\u00c5", "A\u030a", "ß", "ss", "\u1e9e", "ſ", "s", "S"],
	...["ı", "i", "İ", "I", "\ufb01", "fi", "\u212a", "K", "k", "１", "游戏", "游戲", "🎮"],
	...["video ", " video", "video", "video\u00a0", "video\u200b", "\ufeffvideo", "video\n", "video\0"],
	...[".", "..", "./video", "../video", "video/", "video//", "/video", "a/b", "a//b", "a\\b", "a:b", "a%2Fb"],
	...["video.", "video..", "video.mp4", "video.mp4.mp4", "video.part", "video.kept", "video.json", "partial"],
	...["CON", "con", "NUL.mp4", "~", "-", "*", "a?b", "a#b", "$HOME", "`a`"],
	...[255, 256, 1_024, 4_096].flatMap((length) => [
		"v".repeat(length),
		`${"v".repeat(length)}x`,
		`${"v".repeat(length)}y`,
	]),
];

/** Each a key of its own. */
export const SIMILAR_KEYS: readonly VideoKey[] = [...new Set([...SIMILAR, ...ALIKE])];

export async function tellsKeysApart(store: VideoStore): Promise<void> {
	const there = SIMILAR_KEYS.filter((_, index) => index % 2 === 0);
	const absent = SIMILAR_KEYS.filter((_, index) => index % 2 === 1);
	const locations = new Set<string>();
	for (const keys of [there, absent]) {
		for (const key of keys) assertSame(await store.stat(key), undefined, `what ${nameOf(key)} names by now`);
		for (const { location } of await inGroups(keys, (key) => keep(store, key, contentOf(key))))
			locations.add(location);
	}
	assertSame(locations.size, SIMILAR_KEYS.length, "locations of videos whose keys are alike");
	for (const key of SIMILAR_KEYS) {
		const video = await store.stat(key);
		assert(video !== undefined, `${nameOf(key)} is kept`);
		await assertKept(store, key, video, contentOf(key));
	}
	const [first = ""] = there;
	const taken = await (await beginWith(store, first, sampleBytes(10))).commit();
	assertSame(taken._tag, "AlreadyStored", `a second commit of ${nameOf(first)}`);
}

/** Another content for each key, and most of them of another length. */
export function contentOf(key: VideoKey): Uint8Array {
	return textBytes(`${SIMILAR_KEYS.indexOf(key)} ${key.slice(0, 100)}`);
}

/** At once, but not so many that a store runs out of files. */
async function inGroups<Result>(
	keys: readonly VideoKey[],
	work: (key: VideoKey) => Promise<Result>,
): Promise<readonly Result[]> {
	const results: Result[] = [];
	for (let at = 0; at < keys.length; at += 16)
		results.push(...(await Promise.all(keys.slice(at, at + 16).map(work))));
	return results;
}

export async function locatesPlainly(store: VideoStore): Promise<void> {
	const note = "n0te-that-stays-with-the-bytes";
	const upload = await beginWith(store, "video-a", sampleBytes(1_000), { note });
	const { video } = await upload.commit();
	for (const location of [video.location, (await store.stat("video-a"))?.location ?? ""]) {
		assert(!location.includes(note), "a location does not hold the upload's note");
		// Receipts are told to everyone: a link that opens the video for whoever holds it does not belong there.
		assert(!/[?#]/.test(location), "a location holds no query, so no signature");
		assert(!/:\/\/[^/]*@/.test(location), "a location holds no user and no password");
	}
}
