import { cp, rm } from "node:fs/promises";
import type { EventStore } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { expect, onTestFinished, test } from "vitest";
import { type FsEventReaderOptions, openFsEventReader } from "./event-reader.js";
import {
	copyOfDirectory,
	type DiskCall,
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
	forgetDurableNote,
	indexFile,
	type Notes,
	newEvent,
	noted,
	openStore,
	rejection,
	sharedOwnership,
} from "./test-store.js";

const isOfSegments = ({ path }: DiskCall): boolean => /\.(ndjson|index)$/.test(path);

const small = { segmentBytes: 1024, fileSystem: unsyncedDisk() };

/** A writer of small segments, and how to open readers beside it. */
async function writerAndReaders() {
	const directory = await temporaryDirectory();
	const ownership = sharedOwnership();
	const disk = scriptedDisk(unsyncedDisk());
	const reopen = () => openStore(directory, { ...small, fileSystem: disk.fileSystem, ownership });
	const openReader = async (options: Partial<FsEventReaderOptions> = {}): Promise<EventStore> => {
		const { fileSystem } = small;
		const logger = transcribingLogger();
		const reader = await openFsEventReader({ directory, fileSystem, ownership, logger, ...options });
		onTestFinished(() => reader.close());
		return reader;
	};
	return { directory, disk, store: await reopen(), openReader, reopen, notes: [] as Notes };
}

test("readers follow a writer through many segments, whether they came early or late", async () => {
	const { directory, store, openReader, notes } = await writerAndReaders();
	const readers = [await openReader()];
	for (let round = 0; round < 6; round += 1) {
		await fillNoted(store, notes, 9);
		for (const reader of readers) await expectNoted(reader, notes);
		readers.push(await openReader());
	}
	for (const reader of readers) await expectNoted(reader, notes);
	expect(await countSegmentFiles(directory)).toBeGreaterThan(20);
});

test("readers go on when the owner ends, another comes, or none is there, over many segments", async () => {
	const { directory, store, openReader, reopen, notes } = await writerAndReaders();
	await fillNoted(store, notes, 9);
	const reader = await openReader();
	await expectNoted(reader, notes);
	await fillNoted(store, notes, 9);
	await store.close();
	await expectNoted(reader, notes);
	for (let round = 0; round < 3; round += 1) {
		const next = await reopen();
		await fillNoted(next, notes, 7);
		if (round !== 1) await expectNoted(reader, notes);
		await fillNoted(next, notes, 7);
		await next.close();
		// Nearly without index files, too: the last one is what proves that the last batch is durable.
		const segments = round === 1 ? await countSegmentFiles(directory) : 0;
		for (let segment = 1; segment < segments; segment += 1) await rm(indexFile(directory, segment));
		await expectNoted(reader, notes);
		await expectNoted(await openReader(), notes);
	}
});

test("a reading that is under way goes on into segments that did not exist when it began", async () => {
	const { store, openReader, notes } = await writerAndReaders();
	await fillNoted(store, notes, 4);
	const reader = await openReader();
	const seen: unknown[] = [];
	for await (const event of reader.readAll()) {
		seen.push(noted(event));
		if (seen.length % 5 === 0 && notes.length < 60) await fillNoted(store, notes, 3);
	}
	expect(seen).toEqual(notes);
	expect(notes.length).toBeGreaterThanOrEqual(60);
});

test("a reader sees nothing of a step to the next segment that is not finished, or fails", async () => {
	const { disk, store, openReader, notes } = await writerAndReaders();
	await fillNoted(store, notes, 12);
	await appendNoted(store, notes, "full", [newEvent("x".repeat(1000))]);
	const reader = await openReader();
	for (const step of ["rename", "syncDirectory", "datasync"] as const) {
		const [reached, stalled] = [gate(), gate()];
		disk.after = async ({ operation, path }) => {
			if (operation !== step || path.includes(".index") || path.endsWith(".new")) return;
			reached.open();
			await stalled.passed;
			throw systemError("EIO");
		};
		const appending = rejection(store.append("c", [newEvent()], "any"));
		await reached.passed;
		for (const each of [reader, await openReader()]) await expectNoted(each, notes);
		disk.after = () => {};
		stalled.open();
		expect(await appending).toMatchObject({ reason: step === "datasync" ? "failed" : "io" });
		for (const each of [reader, await openReader()]) await expectNoted(each, notes);
		while (store.failure() !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
		await appendNoted(store, notes, "d", [newEvent("x".repeat(1000))]);
		for (const each of [reader, await openReader()]) await expectNoted(each, notes);
	}
});

test("a reader whose disk fails while it catches up rejects with io, and misses nothing the next time", async () => {
	const { store, openReader, notes } = await writerAndReaders();
	await fillNoted(store, notes, 9);
	for (const operation of ["open", "read", "status"] as const) {
		const disk = scriptedDisk(unsyncedDisk());
		const reader = await openReader({ fileSystem: disk.fileSystem });
		for (let failing = 1; failing <= 12; failing += 1) {
			await fillNoted(store, notes, 5);
			let calls = 0;
			disk.before = (call) => {
				if (call.operation !== operation || !isOfSegments(call)) return;
				calls += 1;
				if (calls === failing) throw systemError("EIO");
			};
			const fault = await rejection(collect(reader.readAll()));
			if (calls >= failing) expect(fault).toMatchObject({ reason: "io" });
			disk.before = () => {};
			const { length } = notes;
			expect((await collect(reader.readAll({ direction: "backward", limit: 1 }))).map(noted)).toEqual([
				notes[length - 1],
			]);
		}
		await expectNoted(reader, notes);
	}
}, 20_000);

test("a reader without an owner is as good with index files of any age as without", async () => {
	const { directory, store, openReader, reopen, notes } = await writerAndReaders();
	await fillNoted(store, notes, 12);
	await store.close();
	const older = await copyOfDirectory(directory);
	const old = await countSegmentFiles(directory);
	const next = await reopen();
	await fillNoted(next, notes, 12);
	await next.close();
	const segments = await countSegmentFiles(directory);
	expect(segments).toBeGreaterThan(old + 2);
	await cp(indexFile(older, old), indexFile(directory, old));
	await expectNoted(await openReader(), notes);
	for (let segment = segments - 1; segment >= 1; segment -= 2) {
		await rm(indexFile(directory, segment));
		await expectNoted(await openReader(), notes);
	}
});

test("a reader beside a log that a power cut left sees the last batch once an owner has made it durable", async () => {
	const { directory, store, openReader, notes } = await writerAndReaders();
	await fillNoted(store, notes, 12);
	const acknowledged = notes.length;
	await appendNoted(store, notes, "s-1-old", [newEvent(), newEvent()]);
	const image = await copyOfDirectory(directory);
	await forgetDurableNote(image);
	const ownership = sharedOwnership();
	const reader = await openReader({ directory: image, ownership });
	await expectNoted(reader, notes.slice(0, acknowledged));
	const next = await openStore(image, { ...small, ownership });
	await expectNoted(reader, notes);
	await next.close();
	await expectNoted(reader, notes);
});

test("a reader that asks only when that owner has gone sees it, too", async () => {
	const { directory, store, openReader, notes } = await writerAndReaders();
	await fillNoted(store, notes, 12);
	const acknowledged = notes.length;
	await appendNoted(store, notes, "s-1-old", [newEvent(), newEvent()]);
	const image = await copyOfDirectory(directory);
	await forgetDurableNote(image);
	const ownership = sharedOwnership();
	const reader = await openReader({ directory: image, ownership });
	await expectNoted(reader, notes.slice(0, acknowledged));
	await (await openStore(image, { ...small, ownership })).close();
	await expectNoted(reader, notes);
});
