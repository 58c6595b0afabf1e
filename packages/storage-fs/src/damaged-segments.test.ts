import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RecordedEvent } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFsEventStore, type FsEventStore } from "./event-store.js";
import { temporaryDirectory } from "./test-disk.js";
import {
	clock,
	closedSegments,
	flip,
	indexFile,
	linesOf,
	type Noted,
	type Notes,
	newEvent,
	noted,
	openStore,
	type PlacedLine,
	rejection,
	segmentFile,
	smallSegments,
	soleOwnership,
} from "./test-store.js";

async function readUpTo(
	events: AsyncIterable<RecordedEvent>,
): Promise<{ readonly read: Notes; readonly fault: unknown }> {
	const read: Notes = [];
	const fault = await rejection(async () => {
		for await (const event of events) read.push(noted(event));
	});
	return { read, fault };
}

describe("damage within a complete segment that has its index file", () => {
	test("is refused once it is read, with byte and event, and then nothing is written any more", async () => {
		const { directory, notes } = await closedSegments();
		const { from, position } = (await linesOf(directory, 2))[1] as PlacedLine;
		await flip(directory, 2, from + 40);
		const store = await openStore(directory, smallSegments);
		expect(store.failure()).toBeUndefined();
		const { read, fault } = await readUpTo(store.readAll());
		expect(read).toEqual(notes.slice(0, position - 1));
		expect(fault).toMatchObject({ reason: "corrupt", retryable: false });
		const place = `segment 00000002.ndjson, byte ${from}: the event at position ${position}`;
		expect((fault as Error).message).toContain(place);
		expect(store.failure()).toBe(fault);
		expect(await rejection(store.append("new", [newEvent()], "any"))).toBe(fault);
		const backward = await readUpTo(store.readAll({ direction: "backward" }));
		expect(backward.read).toEqual(notes.slice(position).reverse());
		expect(backward.fault).toMatchObject({ reason: "corrupt" });
		await store.close();
		await expectDamageFound(directory, notes);
	});

	test("is refused, too, where it is the newline at the end, and a reading seems to have come to its end", async () => {
		const { directory, notes } = await closedSegments();
		const { to, from, position } = (await linesOf(directory, 2)).at(-1) as PlacedLine;
		const store = await openStore(directory, smallSegments);
		await flip(directory, 2, to - 1);
		const { read, fault } = await readUpTo(store.readAll());
		expect(read).toEqual(notes.slice(0, position - 1));
		expect(fault).toMatchObject({ message: expect.stringContaining(`00000002.ndjson, byte ${from}: `) });
		const backward = await readUpTo(store.readAll({ direction: "backward" }));
		expect(backward.read).toEqual(notes.slice(position).reverse());
		expect(backward.fault).toMatchObject({ reason: "corrupt" });
	});

	test("is met by an append to the stream that ends there, too", async () => {
		const { directory, notes, segments } = await closedSegments();
		let found = 0;
		for (let segment = 1; segment < segments; segment += 1) {
			for (const { position, from } of (await linesOf(directory, segment)).slice(0, -1)) {
				const { stream, version } = notes[position - 1] as Noted;
				if (notes.some((note) => note.stream === stream && note.version > version)) continue;
				found += 1;
				await flip(directory, segment, from + 40);
				const store = await openStore(directory, smallSegments);
				const fault = await rejection(store.append(stream, [newEvent()], "any"));
				expect(fault).toMatchObject({
					reason: "corrupt",
					message: expect.stringContaining(`0000000${segment}.ndjson, byte ${from}: the event at position`),
				});
				expect(store.failure()).toBe(fault);
				await store.close();
				await flip(directory, segment, from + 40);
			}
		}
		expect(found).toBeGreaterThan(0);
	});
});

/** No reading of the log gives anything else than what was appended; what it cannot give, it refuses. */
async function expectNothingWrong(store: FsEventStore, notes: Notes): Promise<boolean> {
	let isRefused = false;
	const expectPart = async (events: AsyncIterable<RecordedEvent>, whole: readonly Noted[]) => {
		const { read, fault } = await readUpTo(events);
		if (fault !== undefined) {
			expect(fault).toMatchObject({ reason: "corrupt" });
			isRefused = true;
		}
		expect(read).toEqual(fault === undefined ? whole : whole.slice(0, read.length));
	};
	for (const stream of new Set(notes.map((note) => note.stream))) {
		const own = notes.filter((note) => note.stream === stream);
		await expectPart(store.read(stream), own);
		await expectPart(store.read(stream, { direction: "backward" }), [...own].reverse());
	}
	await expectPart(store.readAll({ direction: "backward" }), [...notes].reverse());
	await expectPart(store.readAll(), notes);
	if (isRefused) {
		expect(await rejection(store.append("s-1-old", [newEvent()], "any"))).toMatchObject({
			reason: "corrupt",
		});
	}
	return isRefused;
}

/** The open refuses the log, or a reading does; and none of them gives anything that is not so. */
async function expectDamageFound(directory: string, notes: Notes): Promise<void> {
	const store = createFsEventStore({ directory, clock, ownership: soleOwnership, ...smallSegments });
	try {
		const fault = (await rejection(store.open())) as Error | undefined;
		if (fault === undefined) {
			expect(await expectNothingWrong(store, notes)).toBe(true);
		} else {
			expect(fault).toMatchObject({ reason: "corrupt" });
			expect(fault.message).toMatch(/segment \d{8}\.ndjson, (byte \d+|its end)|format/);
		}
	} finally {
		await store.close();
	}
}

interface Damage {
	readonly kind: "flip" | "cut" | "overwrite" | "remove" | "insert";
	readonly at: number;
	readonly bytes: number;
}

const damage: fc.Arbitrary<Damage> = fc.record({
	kind: fc.constantFrom("flip", "flip", "cut", "overwrite", "remove", "insert"),
	at: fc.nat(),
	bytes: fc.integer({ min: 20, max: 900 }),
});

function damaged(whole: Buffer, { kind, at: place, bytes }: Damage): Buffer {
	const at = place % whole.length;
	const [before, behind] = [whole.subarray(0, at), whole.subarray(at)];
	switch (kind) {
		case "flip":
			return Buffer.concat([
				before,
				Buffer.from([(whole[at] as number) ^ (1 << (bytes & 7))]),
				whole.subarray(at + 1),
			]);
		case "cut":
			return before;
		case "overwrite":
			return Buffer.from(whole).fill(0, at, Math.min(whole.length, at + bytes));
		case "remove":
			return Buffer.concat([before, behind.subarray(bytes)]);
		case "insert":
			return Buffer.concat([before, Buffer.alloc(bytes), behind]);
	}
}

test("damage anywhere in complete segments is never passed over, whichever index files there are", async () => {
	const log = await closedSegments();
	const home = await temporaryDirectory();
	const place = fc.integer({ min: 1, max: log.segments - 1 });
	const missing = fc.subarray(Array.from({ length: log.segments }, (_, at) => at + 1));
	let run = 0;
	await fc.assert(
		fc.asyncProperty(place, damage, missing, async (segment, what, withoutIndex) => {
			run += 1;
			const directory = join(home, String(run));
			await cp(log.directory, directory, { recursive: true });
			for (const each of withoutIndex) await rm(indexFile(directory, each));
			const path = segmentFile(directory, segment);
			await writeFile(path, damaged(await readFile(path), what));
			await expectDamageFound(directory, log.notes);
			await rm(directory, { recursive: true });
		}),
		{ numRuns: 60 },
	);
}, 30_000);
