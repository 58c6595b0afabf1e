import { type RecordedEvent, toPosition } from "@reelkeep/core/ports";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRecentBytes } from "./recent-bytes.js";
import { scriptedDisk, temporaryDirectory } from "./test-disk.js";
import { collect, newEvent, openStore } from "./test-store.js";

const KIB = 1024;

/** Segments of bytes that tell where they stand, and which ranges were read from them. */
function given() {
	const asked: string[] = [];
	const byteAt = (segment: number, at: number): number => (segment * 31 + at * 7) % 251;
	const range = (segment: number, from: number, to: number): Buffer =>
		Buffer.from(Uint8Array.from({ length: to - from }, (_, at) => byteAt(segment, from + at)));
	const recent = createRecentBytes({
		async read(segment, from, to) {
			asked.push(`${segment} ${from}-${to}`);
			return range(segment, from, to);
		},
	});
	return { asked, range, recent };
}

test("what is read is the same from memory and from the file, whatever was added", async () => {
	const lengths = fc.array(
		fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 200 * KIB })),
		{
			minLength: 1,
			maxLength: 12,
		},
	);
	const places = fc.array(
		fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 999 })),
	);
	await fc.assert(
		fc.asyncProperty(lengths, places, fc.integer({ min: 0, max: 12 }), async (batches, ranges, roll) => {
			const { range, recent } = given();
			let [segment, end] = [1, 100];
			for (const [index, length] of batches.entries()) {
				if (index === roll) [segment, end] = [segment + 1, 100];
				recent.add(segment, end, range(segment, end, end + length));
				end += length;
			}
			for (const [share, length] of ranges) {
				const from = Math.floor(share * end);
				const read = await recent.files.read(segment, from, from + length);
				expect(read.equals(range(segment, from, from + length))).toBe(true);
			}
		}),
		{ numRuns: 200 },
	);
});

test("only what is old, or of another segment, is read from the file", async () => {
	const { asked, range, recent } = given();
	const add = (segment: number, from: number, to: number) =>
		recent.add(segment, from, range(segment, from, to));
	add(1, 0, 100);
	add(1, 100, 300);
	await recent.files.read(1, 50, 250);
	expect(asked).toEqual([]);
	add(1, 300, 300 + 256 * KIB);
	await recent.files.read(1, 300, 400);
	expect(asked).toEqual([]);
	await recent.files.read(1, 200, 400);
	add(2, 64, 128);
	await recent.files.read(1, 300, 400);
	await recent.files.read(2, 64, 128);
	expect(asked).toEqual(["1 200-400", "1 300-400"]);
});

test("one batch that is longer than all that is kept is read from the file", async () => {
	const { asked, range, recent } = given();
	recent.add(1, 0, range(1, 0, 300 * KIB));
	await recent.files.read(1, 0, 10);
	expect(asked).toEqual(["1 0-10"]);
});

test("who follows the log reads nothing from the disk", async () => {
	const disk = scriptedDisk();
	const store = await openStore(await temporaryDirectory(), { fileSystem: disk.fileSystem });
	disk.trace.length = 0;
	await store.append("a", [newEvent("a-1")], "no-stream");
	await store.append("a", [newEvent("a-2"), newEvent("a-3")], 1);
	const notes = (events: readonly RecordedEvent[]) => events.map(({ data }) => data.note);
	expect(notes(await collect(store.readAll({ after: toPosition(1) })))).toEqual(["a-2", "a-3"]);
	expect(notes(await collect(store.read("a")))).toEqual(["a-1", "a-2", "a-3"]);
	expect(disk.trace.filter(({ operation }) => operation === "read")).toEqual([]);
	await store.close();
});
