import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ReadAllOptions, type RecordedEvent, toPosition } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import {
	copyOfDirectory,
	type DiskEntry,
	gate,
	scriptedDisk,
	systemError,
	temporaryDirectory,
	unsyncedDisk,
} from "./test-disk.js";
import {
	appendNoted,
	collect,
	countSegmentFiles,
	expectNoted,
	fillNoted,
	keepingLogger,
	type Noted,
	type Notes,
	newEvent,
	noted,
	openStore,
	segmentFile,
} from "./test-store.js";

const small = { segmentBytes: 1024, fileSystem: unsyncedDisk() };

/** A store of so many appends in segments of 1 KiB. */
async function filledStore(appends: number) {
	const directory = await temporaryDirectory();
	const notes: Notes = [];
	const store = await openStore(directory, small);
	await fillNoted(store, notes, appends);
	return { directory, store, notes };
}

/** Until the index file of each complete segment is there. */
async function indexesSaved(directory: string): Promise<void> {
	const sealed = (await countSegmentFiles(directory)) - 1;
	const events = join(directory, "events");
	while ((await readdir(events)).filter((name) => name.endsWith(".index")).length < sealed) {
		await new Promise(setImmediate);
	}
}

describe("a log of many segments", () => {
	test("is read from any position, both ways, with any limit, as it was appended", async () => {
		const { directory, store, notes } = await filledStore(120);
		expect(notes.length).toBeGreaterThan(250);
		expect(await countSegmentFiles(directory)).toBeGreaterThan(40);
		await expectNoted(store, notes);
		const { length } = notes;
		const read = async (options: ReadAllOptions) => (await collect(store.readAll(options))).map(noted);
		for (const after of [0, 1, 2, 7, 30, 31, 32, 33, length - 1, length, length + 1, 2 ** 40]) {
			for (const limit of [1, 3, 50, Number.POSITIVE_INFINITY]) {
				const from = { after: toPosition(after), limit };
				expect(await read(from)).toEqual(notes.slice(after).slice(0, limit));
				const backward = notes.filter(({ position }) => position < after).reverse();
				expect(await read({ ...from, direction: "backward" })).toEqual(backward.slice(0, limit));
			}
		}
	});

	test("gives of a stream that is scattered over it any part, both ways", async () => {
		const { store, notes } = await filledStore(60);
		const own = notes.filter(({ stream }) => stream === "s-1-old");
		expect(own.length).toBeGreaterThan(20);
		const read = async (events: AsyncIterable<RecordedEvent>) => (await collect(events)).map(noted);
		for (const after of [0, 1, 5, own.length - 1, own.length, own.length + 5]) {
			for (const limit of [1, 4, Number.POSITIVE_INFINITY]) {
				const forward = store.read("s-1-old", { after, limit });
				expect(await read(forward)).toEqual(own.slice(after).slice(0, limit));
				const backward = store.read("s-1-old", { after, limit, direction: "backward" });
				const before = own.filter(({ version }) => version < after).reverse();
				expect(await read(backward)).toEqual(before.slice(0, limit));
			}
		}
	});

	test("has each append whole in one segment, and no segment that is full and goes on", async () => {
		const { directory, store, notes } = await filledStore(60);
		await store.close();
		let position = 1;
		const segments = await countSegmentFiles(directory);
		for (let segment = 1; segment <= segments; segment += 1) {
			const lines = (await readFile(segmentFile(directory, segment), "utf8")).split("\n").slice(0, -1);
			const [header, ...records] = lines.map((line) => JSON.parse(line));
			expect(header).toMatchObject({ segment, firstPosition: String(position) });
			expect(records.map((record) => Number(record.position))).toEqual(records.map((_, at) => position + at));
			expect(records.at(-1)?.remaining).toBe(0);
			// What is written together stands together, however long it is: the last batch began below the limit.
			const batch = records.filter(({ synced }) => synced === records.at(-1)?.synced).length;
			const before = lines.slice(0, lines.length - batch).reduce((sum, line) => sum + line.length + 1, 0);
			expect(before).toBeLessThan(small.segmentBytes);
			if (segment < segments) {
				expect((await stat(segmentFile(directory, segment))).size).toBeGreaterThanOrEqual(small.segmentBytes);
			}
			position += records.length;
		}
		expect(position).toBe(notes.length + 1);
	});

	test("is read on while it grows by segments, without a gap", async () => {
		const { store, notes } = await filledStore(10);
		const seen: Noted[] = [];
		for await (const event of store.readAll()) {
			seen.push(noted(event));
			if (seen.length < 100) await appendNoted(store, notes, "s-on", [newEvent("x".repeat(400))]);
		}
		expect(seen).toEqual(notes);
	});
});

/** What was read of each segment's file, that of the last one left out. */
async function sealedReads(directory: string, trace: readonly DiskEntry[]) {
	const sealed = (await countSegmentFiles(directory)) - 1;
	const reads = Array.from({ length: sealed }, async (_, at) => {
		const path = segmentFile(directory, at + 1);
		const bytes = await readFile(path);
		const lastLineAt = bytes.lastIndexOf("\n", bytes.length - 2) + 1;
		return trace.flatMap(({ operation, phase, from = 0, to = 0, ...entry }) =>
			operation === "read" && phase === "finished" && entry.path === path
				? [{ from, to, isCheck: (from === 0 && to <= 256) || from === lastLineAt, bytes }]
				: [],
		);
	});
	return (await Promise.all(reads)).flat();
}

/** Whether these are the bytes of one line, newline left out or not. */
function isOneLine({
	bytes,
	from,
	to,
}: {
	readonly bytes: Buffer;
	readonly from: number;
	readonly to: number;
}) {
	const text = bytes.subarray(from, to).toString();
	return bytes[from - 1] === 0x0a && text.trimEnd().indexOf("\n") === -1 && /\}\n?$/.test(text);
}

describe("opening a log of many segments", () => {
	test("that was closed reads of complete segments no more than header and last line", async () => {
		const { directory, store, notes } = await filledStore(60);
		await store.close();
		const disk = scriptedDisk(unsyncedDisk());
		const reopened = await openStore(directory, { ...small, fileSystem: disk.fileSystem });
		const reads = await sealedReads(directory, disk.trace);
		expect(reads.length).toBeGreaterThan(40);
		expect(reads.filter(({ isCheck }) => !isCheck)).toEqual([]);
		await expectNoted(reopened, notes);
	});

	test("that was closed writes nothing but its note of what is durable", async () => {
		const { directory, store } = await filledStore(60);
		await store.close();
		const disk = scriptedDisk(unsyncedDisk());
		await openStore(directory, { ...small, fileSystem: disk.fileSystem });
		const changes = disk.trace.filter(
			({ operation, path }) =>
				["write", "truncate", "rename", "unlink", "link"].includes(operation) && !path.endsWith("/durable"),
		);
		expect(changes).toEqual([]);
	});

	test("whose process was killed reads its tail, and of complete segments single lines at most", async () => {
		const { directory, notes } = await filledStore(60);
		await indexesSaved(directory);
		const image = await copyOfDirectory(directory);
		const disk = scriptedDisk(unsyncedDisk());
		const reopened = await openStore(image, { ...small, fileSystem: disk.fileSystem });
		const reads = await sealedReads(image, disk.trace);
		expect(reads.filter((read) => !read.isCheck && !isOneLine(read))).toEqual([]);
		await expectNoted(reopened, notes);
		await appendNoted(reopened, notes, "s-1-old", [newEvent()]);
		await appendNoted(reopened, notes, "s-new", [newEvent()]);
		await expectNoted(reopened, notes);
	});

	test("goes on in the segment that was the last, however often it is opened, and whatever its limit was", async () => {
		const directory = await temporaryDirectory();
		const notes: Notes = [];
		for (const segmentBytes of [1024, 4096, 2048, 1024, 1024 * 1024, 1024, 1024]) {
			const store = await openStore(directory, { ...small, segmentBytes });
			await expectNoted(store, notes);
			await fillNoted(store, notes, 7);
			await expectNoted(store, notes);
			await store.close();
		}
		await expectNoted(await openStore(directory), notes);
	});
});

describe("saving the index of a segment", () => {
	test("that lasts longer than the next segments do keeps nobody from writing them", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk(unsyncedDisk());
		const store = await openStore(directory, { ...small, fileSystem: disk.fileSystem });
		const notes: Notes = [];
		const stalled = gate();
		disk.before = ({ operation, path }) =>
			operation === "rename" && path.endsWith("00000001.index") ? stalled.passed : undefined;
		await fillNoted(store, notes, 30);
		stalled.open();
		await fillNoted(store, notes, 30);
		await indexesSaved(directory);
		await fillNoted(store, notes, 30);
		await expectNoted(store, notes);
		expect(await readdir(join(directory, "events"))).not.toContain("00000002.index.new");
	});

	test("that fails is told, and made good by the next open", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk(unsyncedDisk());
		const { logger, said } = keepingLogger();
		const store = await openStore(directory, { ...small, fileSystem: disk.fileSystem, logger });
		disk.before = ({ operation, path }) => {
			if (operation === "write" && path.endsWith(".index.new")) throw systemError("ENOSPC");
		};
		const notes: Notes = [];
		await fillNoted(store, notes, 30);
		expect([store.failure(), store.troubles()]).toEqual([undefined, []]);
		await expectNoted(store, notes);
		await store.close();
		expect(said.every(({ level }) => level === "warn")).toBe(true);
		expect(said.map(({ message }) => message)).toContain(
			"could not save an index of the event log; the next open reads the log instead",
		);
		const reopened = await openStore(directory, small);
		await expectNoted(reopened, notes);
		await reopened.close();
		const names = await readdir(join(directory, "events"));
		expect(names.filter((name) => name.endsWith(".index")).length).toBe(await countSegmentFiles(directory));
	});
});
