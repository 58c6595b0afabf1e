import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyOfDirectory, temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import {
	appendNoted,
	countSegmentFiles,
	expectNoted,
	fillNoted,
	indexFile,
	type Notes,
	newEvent,
	openStore,
} from "./test-store.js";

const small = { segmentBytes: 4096, fileSystem: unsyncedDisk() };
const INDEX_HEADER_BYTES = 256;

/** A log that was closed twice, and what it was the first time. */
async function closedTwice() {
	const directory = await temporaryDirectory();
	const notes: Notes = [];
	let older = "";
	for (const appends of [12, 31]) {
		if (notes.length > 0) older = await copyOfDirectory(directory);
		const store = await openStore(directory, small);
		await fillNoted(store, notes, appends);
		await store.close();
	}
	return { directory, older, notes, segments: await countSegmentFiles(directory) };
}

type Mishap =
	| { readonly kind: "missing" | "empty" | "noise" | "older" }
	| { readonly kind: "cut" | "flipped"; readonly at: number }
	| { readonly kind: "swapped"; readonly with: number };

const mishap: fc.Arbitrary<Mishap> = fc.oneof(
	fc.record({ kind: fc.constantFrom("missing", "empty", "noise", "older") }),
	fc.record({ kind: fc.constantFrom("cut", "flipped"), at: fc.nat() }),
	fc.record({ kind: fc.constant("swapped"), with: fc.nat() }),
);

/** Does to the index file of `segment` what `what` says. */
async function befall(
	{ directory, older, segments }: { directory: string; older: string; segments: number },
	segment: number,
	what: Mishap,
): Promise<void> {
	const path = indexFile(directory, segment);
	const bytes = await readFile(path).catch(() => Buffer.alloc(0));
	switch (what.kind) {
		case "missing":
			return rm(path, { force: true });
		case "empty":
			return writeFile(path, "");
		case "noise":
			return writeFile(path, Buffer.from(bytes.map((byte, at) => byte ^ at)));
		case "older":
			return (await countSegmentFiles(older)) < segment
				? rm(path, { force: true })
				: cp(indexFile(older, segment), path);
		case "cut":
			return writeFile(path, bytes.subarray(0, what.at % Math.max(1, bytes.length)));
		case "flipped": {
			const at = INDEX_HEADER_BYTES + (what.at % Math.max(1, bytes.length - INDEX_HEADER_BYTES));
			if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << (what.at % 8));
			return writeFile(path, bytes);
		}
		case "swapped": {
			const other = indexFile(directory, 1 + (what.with % segments));
			const otherBytes = await readFile(other).catch(() => Buffer.alloc(0));
			await writeFile(other, bytes);
			return writeFile(path, otherBytes);
		}
	}
}

describe("index files", () => {
	test("that are missing, damaged, swapped or of earlier make no difference to what the log holds", async () => {
		const log = await closedTwice();
		expect(log.segments).toBeGreaterThan(5);
		const mishaps = fc.array(fc.tuple(fc.integer({ min: 1, max: log.segments }), mishap), { maxLength: 8 });
		const home = await temporaryDirectory();
		let run = 0;
		await fc.assert(
			fc.asyncProperty(mishaps, async (each) => {
				run += 1;
				const directory = join(home, String(run));
				await cp(log.directory, directory, { recursive: true });
				try {
					for (const [segment, what] of each) await befall({ ...log, directory }, segment, what);
					const notes = [...log.notes];
					const store = await openStore(directory, small);
					await expectNoted(store, notes);
					await appendNoted(store, notes, "s-1-old", [newEvent(), newEvent()]);
					await appendNoted(store, notes, "s-new", [newEvent()]);
					await store.close();
					const reopened = await openStore(directory, small);
					await expectNoted(reopened, notes);
					await reopened.close();
				} finally {
					await rm(directory, { recursive: true });
				}
			}),
			{ numRuns: 25 },
		);
	}, 30_000);

	test("of a log that was killed, of which any are missing, make no difference either", async () => {
		const directory = await temporaryDirectory();
		const notes: Notes = [];
		const store = await openStore(directory, small);
		await fillNoted(store, notes, 31);
		const segments = await countSegmentFiles(directory);
		for (const isMissing of [
			() => true,
			(segment: number) => segment % 2 === 0,
			(segment: number) => segment === 1,
			(segment: number) => segment > 3,
			(segment: number) => segment === segments - 1,
		]) {
			const image = await copyOfDirectory(directory);
			for (let segment = 1; segment <= segments; segment += 1) {
				if (isMissing(segment)) await rm(indexFile(image, segment), { force: true });
			}
			await expectNoted(await openStore(image, small), notes);
		}
	});

	test("that another opening made with another key are made anew, and used by the next", async () => {
		const log = await closedTwice();
		const keyOf = async (directory: string, segment: number) =>
			/"key":"(\w+)"/.exec(await readFile(indexFile(directory, segment), "latin1"))?.[1];
		const before = await keyOf(log.directory, 1);
		const rekeyed = await copyOfDirectory(log.directory);
		for (let segment = 1; segment <= log.segments; segment += 1) await rm(indexFile(rekeyed, segment));
		await (await openStore(rekeyed, small)).close();
		expect(await keyOf(rekeyed, 1)).not.toBe(before);
		// Some files have the one key, some the other.
		for (const segment of [2, 4]) await cp(indexFile(log.directory, segment), indexFile(rekeyed, segment));
		const store = await openStore(rekeyed, small);
		await expectNoted(store, log.notes);
		await store.close();
		for (let segment = 1; segment <= log.segments; segment += 1) {
			expect(await keyOf(rekeyed, segment)).toBe(await keyOf(rekeyed, 1));
		}
		await expectNoted(await openStore(rekeyed, small), log.notes);
	});
});
