import { readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFsEventStore } from "./event-store.js";
import { temporaryDirectory } from "./test-disk.js";
import {
	clock,
	closedSegments,
	flip,
	indexFile,
	linesOf,
	newEvent,
	openStore,
	type PlacedLine,
	rejection,
	segmentFile,
	smallSegments,
	soleOwnership,
} from "./test-store.js";

const nameOf = (segment: number): string => basename(segmentFile("", segment));

/** What opening the log rejects with; it changes nothing. */
async function openRefused(directory: string): Promise<Error> {
	const store = createFsEventStore({ directory, clock, ownership: soleOwnership, ...smallSegments });
	const before = await contentOf(directory);
	const fault = await rejection(store.open());
	await store.close();
	expect((await contentOf(directory)) === before).toBe(true);
	expect(fault).toMatchObject({ reason: "corrupt", retryable: false });
	return fault as Error;
}

/** Names and content of the log's files. */
async function contentOf(directory: string): Promise<string> {
	const events = join(directory, "events");
	const names = (await readdir(events)).sort();
	const contents = await Promise.all(names.map((name) => readFile(join(events, name), "latin1")));
	return JSON.stringify([names, contents]);
}

async function expectRefused(directory: string, ...words: readonly string[]): Promise<void> {
	const { message } = await openRefused(directory);
	for (const word of words) expect(message).toContain(word);
}

describe("damage in a complete segment without its index file is refused", () => {
	test("with segment, byte and events, whichever byte of a line has changed", async () => {
		const { directory } = await closedSegments("without");
		const lines = await linesOf(directory, 2);
		for (const { position, from, to } of [lines[0], lines[2]] as PlacedLine[]) {
			for (const at of [from, from + 30, to - 12, to - 1]) {
				await flip(directory, 2, at);
				const { message } = await openRefused(directory);
				const [, byte, first, last = first] =
					/segment 00000002\.ndjson, byte (\d+): the events? at positions? (\d+)(?: to (\d+))? cannot be read/.exec(
						message,
					) ?? [];
				// An append that has lost an event has lost the others too.
				expect(Number(byte)).toBeLessThanOrEqual(from);
				expect(Number(first)).toBeLessThanOrEqual(position);
				expect(Number(last)).toBeGreaterThanOrEqual(position);
				await flip(directory, 2, at);
			}
		}
	});

	test("with segment and byte, or the events that should follow, where its end was cut off", async () => {
		const { directory } = await closedSegments("without");
		const lines = await linesOf(directory, 2);
		const [first, last] = [lines[0], lines.at(-1)] as [PlacedLine, PlacedLine];
		await truncate(segmentFile(directory, 2), last.to - 5);
		await expectRefused(directory, "segment 00000002.ndjson, byte ");
		// Of whole appends that are gone only the header of the next segment tells.
		await truncate(segmentFile(directory, 2), first.from);
		await expectRefused(
			directory,
			"segment 00000002.ndjson, its end",
			`the events at positions ${first.position} to ${last.position} should follow`,
		);
	});

	for (const indexes of ["with", "without"] as const) {
		test(`with its events also where no line of it follows, ${indexes} index files`, async () => {
			const { directory } = await closedSegments(indexes);
			const { to, position } = (await linesOf(directory, 2)).at(-1) as PlacedLine;
			await flip(directory, 2, to - 20);
			await expectRefused(directory, "segment 00000002.ndjson, byte ", `${position} cannot be read`);
		});
	}

	for (const which of ["complete", "last"]) {
		test(`with just the event that has changed, in a ${which} segment`, async () => {
			const directory = await temporaryDirectory();
			const store = await openStore(directory, smallSegments);
			for (let at = 1; at <= (which === "last" ? 5 : 20); at += 1) {
				await store.append(`s-${at}`, [newEvent()], "no-stream");
			}
			await store.close();
			await rm(indexFile(directory, 1));
			const { from } = (await linesOf(directory, 1))[1] as PlacedLine;
			await flip(directory, 1, from + 40);
			await expectRefused(
				directory,
				`segment 00000001.ndjson, byte ${from}: the event at position 2 cannot be read`,
			);
		});
	}

	test("where bytes were added, or stand twice", async () => {
		const { directory } = await closedSegments("without");
		const path = segmentFile(directory, 2);
		const whole = await readFile(path);
		const { from, to } = (await linesOf(directory, 2)).at(-1) as PlacedLine;
		for (const added of ["{}\n", "x", "\n", "\0".repeat(5000), whole.subarray(from, to)]) {
			await writeFile(path, Buffer.concat([whole, Buffer.from(added)]));
			await expectRefused(directory, `segment 00000002.ndjson, byte ${whole.length}`);
		}
	});
});

test("damage at the end of a complete segment is refused although it has an index file", async () => {
	const { directory } = await closedSegments();
	const path = segmentFile(directory, 2);
	const whole = await readFile(path);
	const { from, to } = (await linesOf(directory, 2)).at(-1) as PlacedLine;
	for (const at of [from + 3, to - 4, to - 2]) {
		await flip(directory, 2, at);
		await expectRefused(directory, "segment 00000002.ndjson, byte ");
		await flip(directory, 2, at);
	}
	for (const added of ["{}\n", "x", "\0".repeat(5000), whole.subarray(from, to)]) {
		await writeFile(path, Buffer.concat([whole, Buffer.from(added)]));
		await expectRefused(directory, `segment 00000002.ndjson, byte ${whole.length}`);
	}
	await writeFile(path, whole.subarray(0, from));
	await expectRefused(directory, "segment 00000002.ndjson");
});

test("damage to the newline at the end of a log is refused like that to any other byte", async () => {
	const { directory, segments } = await closedSegments();
	const { to } = (await linesOf(directory, segments)).at(-1) as PlacedLine;
	await flip(directory, segments, to - 1);
	await expectRefused(directory, `segment ${nameOf(segments)}, byte `);
});

for (const indexes of ["with", "without"] as const) {
	describe(`${indexes} index files, an open refuses and changes nothing`, () => {
		test("where a complete segment is missing", async () => {
			const { directory, segments } = await closedSegments(indexes);
			for (let segment = 1; segment < segments; segment += 1) {
				await rename(segmentFile(directory, segment), join(directory, "aside"));
				await expectRefused(directory, `segment ${nameOf(segment)}`, "missing");
				await rename(join(directory, "aside"), segmentFile(directory, segment));
			}
			await openStore(directory, smallSegments);
		});

		test("where a header was damaged", async () => {
			const { directory, segments } = await closedSegments(indexes);
			for (const segment of [1, 2, segments]) {
				const header = (await readFile(segmentFile(directory, segment))).indexOf("\n");
				for (const at of [0, 15, 34, 63, header - 5, header]) {
					await flip(directory, segment, at);
					await expectRefused(directory, nameOf(segment));
					await flip(directory, segment, at);
				}
			}
		});

		test("where a file is no segment of this log", async () => {
			const { directory, segments } = await closedSegments(indexes);
			const added = segmentFile(directory, segments + 1);
			const others = [segments, 2].map((segment) => readFile(segmentFile(directory, segment), "latin1"));
			for (const content of ["", "x", "{}\n", ...(await Promise.all(others))]) {
				await writeFile(added, content);
				await expectRefused(directory, nameOf(segments + 1));
			}
			await rm(added);
			await writeFile(join(directory, "events/copy-of-00000002.ndjson"), "x");
			await openStore(directory, smallSegments);
		});

		test("where complete segments were swapped, or come from another log", async () => {
			const { directory } = await closedSegments(indexes);
			const other = await closedSegments(indexes);
			const own = await readFile(segmentFile(directory, 2));
			for (const from of [directory, other.directory]) {
				await writeFile(segmentFile(directory, 2), await readFile(segmentFile(from, 3)));
				await expectRefused(directory, nameOf(2));
			}
			await writeFile(segmentFile(directory, 2), own);
			await openStore(directory, smallSegments);
		});
	});
}

test("a last segment that ends too early for its index file is refused, with the events that should follow", async () => {
	const { directory, segments } = await closedSegments();
	const [first, ...others] = await linesOf(directory, segments);
	const { position } = others.at(-1) as PlacedLine;
	await truncate(segmentFile(directory, segments), (first as PlacedLine).from);
	await expectRefused(
		directory,
		`segment ${nameOf(segments)}, its end`,
		`the events at positions ${first?.position} to ${position} should follow`,
	);
});

test("a last segment that is missing, and has its index file, is named", async () => {
	const { directory, segments } = await closedSegments();
	await rm(segmentFile(directory, segments));
	await expectRefused(directory, `segment ${nameOf(segments)}`, "missing");
});

test("a log of which only index files are left is refused, and nothing is added to it", async () => {
	const { directory, segments } = await closedSegments();
	for (let segment = 1; segment <= segments; segment += 1) await rm(segmentFile(directory, segment));
	await expectRefused(directory, `segment ${nameOf(1)}`, "missing");
});
