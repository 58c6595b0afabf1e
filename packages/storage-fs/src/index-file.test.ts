import { mkdir, readFile, writeFile } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FileSystem, OpenFile } from "./file-system.js";
import { type IndexFile, loadIndexFile, saveIndexFile } from "./index-file.js";
import { createNodeFileSystem } from "./node-file-system.js";
import { type SegmentColumns, SegmentIndex } from "./segment-index.js";
import { type DiskCall, scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { idsOf, logFile, newEvent, openStore, rejection } from "./test-store.js";

const HEADER_BYTES = 256;
const KEY = "0001020304050607";
const LAST_CHECKSUM = "89abcdef";
const node = createNodeFileSystem();

/** An index of segment 2; every fifth event was lost. */
function filledIndex(events: number): SegmentIndex {
	const index = new SegmentIndex(2, 101, 89);
	for (let at = 1; at <= events; at += 1) {
		if (at % 5 === 0) index.addLost(1, 70);
		else index.add(at * 0x12_3456_789, at * 7, 200 + at);
	}
	return index;
}

async function directoryWithEvents(): Promise<string> {
	const directory = await temporaryDirectory();
	await mkdir(join(directory, "events"));
	return directory;
}

const indexPath = (directory: string, segment = 2) => join(directory, `events/0000000${segment}.index`);

async function save(directory: string, index: SegmentIndex, fileSystem: FileSystem = node): Promise<void> {
	const columns = index.columns() as SegmentColumns;
	await saveIndexFile(fileSystem, directory, index, { key: KEY, lastChecksum: LAST_CHECKSUM, columns });
}

function contentOf(index: SegmentIndex): IndexFile {
	const { firstPosition, bytes } = index;
	const columns = index.columns() as SegmentColumns;
	return { key: KEY, firstPosition, bytes, lastChecksum: LAST_CHECKSUM, columns };
}

async function savedBytes(index: SegmentIndex): Promise<Buffer> {
	const directory = await directoryWithEvents();
	await save(directory, index);
	return readFile(indexPath(directory));
}

/** What is made of these bytes. */
function loadBytes(bytes: Buffer, segment = 2): Promise<IndexFile | undefined> {
	const refuse = async (): Promise<never> => {
		throw new Error("an index file is only read");
	};
	const file: OpenFile = {
		write: refuse,
		datasync: refuse,
		truncate: refuse,
		read: async (target: Uint8Array, offset: number) => bytes.copy(target, 0, offset),
		status: async () => ({ bytes: bytes.length, permissions: 0o600 }),
		close: async () => {},
	};
	return loadIndexFile({ ...node, open: async () => file }, "unused", segment);
}

/** All files that differ from `bytes` by one bit, or by all bits of one byte, from byte `from` to `to`. */
function* flipped(bytes: Buffer, from: number, to: number): Generator<Buffer> {
	for (let at = from; at < to; at += 1) {
		for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
			const damaged = Buffer.from(bytes);
			damaged[at] = (damaged[at] as number) ^ mask;
			yield damaged;
		}
	}
}

describe("an index file", () => {
	test("is of no use when any byte of its columns has changed", async () => {
		const bytes = await savedBytes(filledIndex(9));
		for (const damaged of flipped(bytes, HEADER_BYTES, bytes.length)) {
			expect(await loadBytes(damaged)).toBeUndefined();
		}
	});

	test("never tells anything else when any byte of its header has changed", async () => {
		const index = filledIndex(9);
		const bytes = await savedBytes(index);
		const told: unknown[] = [];
		for (const damaged of flipped(bytes, 0, HEADER_BYTES)) told.push(await loadBytes(damaged));
		for (const content of told) expect([undefined, contentOf(index)]).toContainEqual(content);
	});

	test("is of no use at any length but its own", async () => {
		for (const events of [0, 3]) {
			const bytes = await savedBytes(filledIndex(events));
			// Without events, what is cut off may be no more than the blanks that fill the header.
			const shortest = events === 0 ? bytes.toString().trimEnd().length : bytes.length;
			for (let length = 0; length < shortest; length += 1) {
				expect(await loadBytes(bytes.subarray(0, length))).toBeUndefined();
			}
			for (const more of [1, 13, 256]) {
				expect(await loadBytes(Buffer.concat([bytes, Buffer.alloc(more)]))).toBeUndefined();
			}
		}
	});

	test("is of no use to another segment, format or machine, or when it is none", async () => {
		const bytes = await savedBytes(filledIndex(9));
		expect(await loadBytes(bytes, 3)).toBeUndefined();
		const other = endianness() === "LE" ? "BE" : "LE";
		for (const [from, to] of [
			['"format":1', '"format":2'],
			['"segment":2', '"segment":1'],
			[endianness(), other],
			["event-index", "event-indox"],
			['"count":9', '"count":8'],
			[KEY, `${KEY.slice(1)}"`],
		] as const) {
			const text = bytes.toString("latin1");
			expect(text).toContain(from);
			expect(await loadBytes(Buffer.from(text.replace(from, to), "latin1"))).toBeUndefined();
		}
		for (const header of ["null", "[]", "{}", "0", '"reelkeep"']) {
			const content = Buffer.concat([Buffer.from(header.padEnd(HEADER_BYTES)), bytes.subarray(HEADER_BYTES)]);
			expect(await loadBytes(content)).toBeUndefined();
		}
		expect(await loadIndexFile(node, await directoryWithEvents(), 2)).toBeUndefined();
	});

	test("gives back what was saved", async () => {
		const directory = await directoryWithEvents();
		await fc.assert(
			fc.asyncProperty(fc.nat({ max: 100 }), async (events) => {
				const index = filledIndex(events);
				await save(directory, index);
				expect(await loadIndexFile(node, directory, 2)).toEqual(contentOf(index));
			}),
			{ numRuns: 20 },
		);
	});

	test("has room for the largest numbers in its header", async () => {
		const directory = await directoryWithEvents();
		const index = new SegmentIndex(99_999_999, 0xffff_fffe, 2 ** 30);
		await save(directory, index);
		expect(await loadIndexFile(node, directory, 99_999_999)).toEqual(contentOf(index));
	});
});

describe("saving an index file", () => {
	test("that fails at any step leaves the old one or the new one, whole, and is done again", async () => {
		const [before, after] = [filledIndex(3), filledIndex(9)];
		const steps = await stepsOfSaving(after);
		expect(steps).toEqual(["open", "write", "datasync", "close", "rename", "syncDirectory"]);
		for (const [at, step] of steps.entries()) {
			for (const moment of ["before", "after"] as const) {
				const directory = await directoryWithEvents();
				await save(directory, before);
				const disk = scriptedDisk();
				let calls = 0;
				disk[moment] = () => {
					calls += 1;
					if (calls === at + 1) throw systemError("EIO");
				};
				expect(await rejection(save(directory, after, disk.fileSystem))).toMatchObject({ code: "EIO" });
				const isReplaced = step === "syncDirectory" || (step === "rename" && moment === "after");
				const left = isReplaced ? after : before;
				expect(await loadIndexFile(node, directory, 2)).toEqual(contentOf(left));
				await save(directory, after);
				expect(await loadIndexFile(node, directory, 2)).toEqual(contentOf(after));
			}
		}
	});
});

async function stepsOfSaving(index: SegmentIndex): Promise<readonly DiskCall["operation"][]> {
	const disk = scriptedDisk();
	await save(await directoryWithEvents(), index, disk.fileSystem);
	return disk.trace.filter(({ phase }) => phase === "started").map(({ operation }) => operation);
}

describe("a store whose index file has a changed header", () => {
	async function replaceInIndex(
		directory: string,
		from: RegExp,
		to: (found: string) => string,
	): Promise<void> {
		const text = await readFile(indexPath(directory, 1), "latin1");
		expect(text).toMatch(from);
		await writeFile(indexPath(directory, 1), text.replace(from, to), "latin1");
	}

	/** A log of three streams that was closed. */
	async function closedLog(): Promise<string> {
		const directory = await temporaryDirectory();
		const store = await openStore(directory);
		for (const stream of ["a", "b", "c"]) await store.append(stream, [newEvent()], "no-stream");
		await store.close();
		return directory;
	}

	test("finds its streams also when a digit of the key has changed", async () => {
		const directory = await closedLog();
		await replaceInIndex(directory, /"key":"./, (start) => (start.endsWith("0") ? '"key":"1' : '"key":"0'));
		const store = await openStore(directory);
		expect(await store.append("a", [newEvent()], "no-stream")).toMatchObject({
			_tag: "WrongExpectedVersion",
		});
	});

	test("opens also when the key has become something else", async () => {
		const directory = await closedLog();
		await replaceInIndex(directory, /"key":"./, () => '"key":"x');
		expect((await idsOf(await openStore(directory))).length).toBe(3);
	});

	test("goes on where the segment ends also when it tells of more bytes, and of no event", async () => {
		const directory = await temporaryDirectory();
		await (await openStore(directory)).close();
		const { length } = await readFile(logFile(directory));
		await replaceInIndex(directory, new RegExp(`"bytes":${length}`), () => `"bytes":${length + 4}`);
		const store = await openStore(directory);
		await store.append("a", [newEvent()], "no-stream");
		expect((await readFile(logFile(directory))).indexOf('{"position"')).toBe(length);
	});
});
