// Uploads that are suspended, killed and cut off from power again and again: what is behind the last mark is damaged in any
// way, and the file of the note is cut anywhere, with anything behind the cut.

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { VideoUpload } from "@reelkeep/core/ports";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeNote, encodeMark, encodeNote } from "./partial-note.js";
import { temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import { bytesOf, sha256 } from "./test-videos.js";
import { createFsVideoStore, type FsVideoStore } from "./video-store.js";

const RUNS = 150;
const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919 + (at >> 3)) % 256));
const NOTE = 'whose bytes they are: "é"\n';

const garbage = fc.oneof(
	fc.constant(Buffer.alloc(0)),
	fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
	fc.integer({ min: 1, max: 4096 }).map((length) => Buffer.alloc(length)),
	// What the disk gives out again may hold another upload's lines.
	fc.integer({ min: 1, max: 9000 }).map((bytes) => encodeMark(`${"a".repeat(64)}.${"b".repeat(16)}`, bytes)),
	fc.constant(Buffer.concat([encodeNote("another", "a note"), encodeMark("another", 4999)])),
);
const damage = fc.record({
	/** Of the note that stay; above 1: all of it. */
	noteShare: fc.double({ min: 0, max: 1.5, noNaN: true }),
	behindNote: garbage,
	/** Of the bytes behind the last mark that stay, before what stands in their place. */
	partShare: fc.double({ min: 0, max: 1, noNaN: true }),
	behindPart: garbage,
});
const step = fc.oneof(
	{ weight: 6, arbitrary: fc.record({ _tag: fc.constant("Write" as const), bytes: fc.nat({ max: 700 }) }) },
	{ weight: 2, arbitrary: fc.constant({ _tag: "Suspend" as const }) },
	{ weight: 3, arbitrary: fc.record({ _tag: fc.constant("Cut" as const), damage }) },
);

type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

async function open(directory: string): Promise<FsVideoStore> {
	const markInterval = { bytes: 300, ms: 3_600_000 };
	const store = createFsVideoStore({ directory, fileSystem: unsyncedDisk(), markInterval });
	await store.start();
	return store;
}

/** Goes on with what is found, and checks that it is what it says. */
async function begin(store: FsVideoStore): Promise<VideoUpload> {
	const partial = await store.findPartial("k");
	if (partial === undefined) return store.begin("k", { note: NOTE });
	expect(partial.note).toBe(NOTE);
	const again: Uint8Array[] = [];
	const onBytes = (chunk: Uint8Array) => void again.push(chunk);
	const work = await store.begin("k", { resume: { resumeToken: partial.resumeToken, onBytes } });
	const held = CONTENT.subarray(0, partial.bytes);
	expect(work.offset).toBe(partial.bytes);
	expect(Buffer.concat(again).equals(held)).toBe(true);
	expect(await work.digest()).toEqual({ bytes: held.length, sha256: sha256(held) });
	return work;
}

/**
 * What a power cut makes of the files of an upload under way: bytes that were marked stay, and nothing else is sure. The
 * process that wrote it is gone afterwards.
 */
async function cut(directory: string, work: VideoUpload, damage: Damage): Promise<void> {
	const folder = join(directory, "videos/partial");
	await work.digest(); // Everything is written.
	const [file] = (await readdir(folder)).filter((each) => each.endsWith(".part"));
	const name = String(file).slice(0, -".part".length);
	const [part, note] = [join(folder, `${name}.part`), join(folder, `${name}.note`)];
	const bytes = await readFile(part);
	const noted = await readFile(note).catch(() => undefined);
	await work.discard();
	const marked = (noted && decodeNote(name, noted, bytes.length)?.bytes) ?? 0;
	const kept = marked + Math.floor((bytes.length - marked) * damage.partShare);
	await writeFile(part, Buffer.concat([bytes.subarray(0, kept), damage.behindPart]));
	if (noted === undefined) return;
	const noteBytes = noted.subarray(0, Math.floor(noted.length * damage.noteShare));
	await writeFile(note, Buffer.concat([noteBytes, damage.behindNote]));
}

test("whatever an upload goes through, it ends as the whole video, and what is found of it is sound", async () => {
	const directory = await temporaryDirectory();
	let resumed = 0;
	const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
		await rm(directory, { recursive: true, force: true });
		let store = await open(directory);
		let work = await begin(store);
		let at = 0;
		for (const each of steps) {
			if (each._tag === "Write") {
				const chunk = CONTENT.subarray(at, at + each.bytes);
				await work.write(chunk);
				at += chunk.length;
				continue;
			}
			if (each._tag === "Suspend") await work.suspend();
			else await cut(directory, work, each.damage);
			const before = at;
			store = await open(directory);
			work = await begin(store);
			at = work.offset;
			if (each._tag === "Suspend") expect(at).toBe(before);
			if (at > 0) resumed += 1;
		}
		await work.write(CONTENT.subarray(at));
		const { video } = await work.commit();
		expect(video).toMatchObject({ bytes: CONTENT.length, sha256: sha256(CONTENT) });
		expect((await bytesOf(store.open(video.location))).equals(CONTENT)).toBe(true);
		expect(await readdir(join(directory, "videos/partial"))).toEqual([]);
	});
	await fc.assert(property, { numRuns: RUNS });
	// Against a test that never resumes. Some 90 of 150 do, 72 in the least of 60 runs: what is marked in time is by chance.
	expect(resumed).toBeGreaterThan(RUNS / 5);
}, 60_000);
