import { setImmediate as turn } from "node:timers/promises";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { describe, expect, onTestFinished, test } from "vitest";
import { openFsEventReader } from "./event-reader.js";
import type { FsEventStoreOptions } from "./event-store.js";
import {
	copyOfDirectory,
	type DiskCall,
	gate,
	type ScriptedDisk,
	scriptedDisk,
	systemError,
	temporaryDirectory,
	unsyncedDisk,
} from "./test-disk.js";
import {
	appendNoted,
	collect,
	expectNoted,
	keepingLogger,
	LOG_FILE,
	type Notes,
	newEvent,
	noted,
	openStore,
	rejection,
	sharedOwnership,
	steppedClock,
} from "./test-store.js";

const isLog = ({ path }: DiskCall): boolean => path.endsWith(LOG_FILE);
const isSync = (call: DiskCall): boolean => call.operation === "datasync" && isLog(call);

async function until(isSo: () => boolean): Promise<void> {
	while (!isSo()) await turn();
}

/** A store with two acknowledged events, and how to let its syncs fail. */
async function storeOfTwo(options: Partial<FsEventStoreOptions> = {}) {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk(unsyncedDisk());
	const time = steppedClock();
	const store = await openStore(directory, { clock: time.clock, fileSystem: disk.fileSystem, ...options });
	const notes: Notes = [];
	await appendNoted(store, notes, "a", [newEvent()]);
	await appendNoted(store, notes, "b", [newEvent()]);
	/** Lets one batch fail, whose appends resolve with what they reject with. */
	const failSync = async (streams = ["a", "c"]): Promise<readonly unknown[]> => {
		failOn(disk, isSync);
		const faults = streams.map((stream) => rejection(store.append(stream, [newEvent(), newEvent()], "any")));
		const settled = await Promise.all(faults);
		disk.before = () => {};
		return settled;
	};
	return { directory, disk, store, notes, failSync, ...time };
}

function failOn(disk: ScriptedDisk, which: (call: DiskCall) => boolean): void {
	disk.before = (call) => {
		if (which(call)) throw systemError("EIO");
	};
}

/** How many openings of the log's file have not been closed. */
function openHandles({ trace }: ScriptedDisk): number {
	const finished = trace.filter((entry) => entry.phase === "finished" && entry.path.endsWith(".ndjson"));
	const count = (operation: string) => finished.filter((entry) => entry.operation === operation).length;
	return count("open") - count("close");
}

describe("after a sync that failed", () => {
	test("everything pending is rejected, what waits for a lookup too, and each says that a retry helps", async () => {
		const { disk, store, notes } = await storeOfTwo();
		const [syncing, looking] = [gate(), gate()];
		disk.before = async (call) => {
			if (isLog(call) && call.operation === "read") await looking.passed;
			if (!isSync(call)) return;
			await syncing.passed;
			throw systemError("EIO");
		};
		const first = rejection(store.append("c", [newEvent()], "any"));
		await until(() => disk.trace.at(-1)?.operation === "datasync");
		const others = ["d", "c", "d", "a"].map((stream) => rejection(store.append(stream, [newEvent()], "any")));
		const conflict = rejection(store.append("c", [newEvent()], "no-stream"));
		syncing.open();
		for (const fault of [await first, await conflict, ...(await Promise.all(others.slice(0, 3)))]) {
			expect(fault).toMatchObject({ reason: "failed", retryable: true });
		}
		looking.open();
		expect(await others[3]).toBe(store.failure());
		for (const stream of ["a", "new"]) {
			expect(await rejection(store.append(stream, [newEvent()], "any"))).toBe(store.failure());
		}
		disk.before = () => {};
		await expectNoted(store, notes);
	});

	test("its handle is closed and not used for anything else, and no write or sync is tried before the pause", async () => {
		const { disk, store, notes, failSync, advance } = await storeOfTwo();
		await failSync();
		const failed = disk.trace.findIndex((entry) => isSync(entry) && entry.phase === "failed");
		const handle = disk.trace[failed]?.handle;
		await expectNoted(store, notes);
		const since = () => disk.trace.slice(failed + 1).filter(({ phase }) => phase === "started");
		expect(since().filter(({ operation }) => operation !== "read" && operation !== "status")).toEqual([]);
		advance();
		await until(() => store.failure() === undefined);
		await appendNoted(store, notes, "a", [newEvent()]);
		await store.close();
		const onHandle = since().filter((entry) => entry.handle === handle);
		expect(onHandle.map(({ operation }) => operation)).toEqual(["close"]);
		expect(openHandles(disk)).toBe(0);
	});

	test("the log is opened anew, gives the positions again, and shows nothing of what failed", async () => {
		const { directory, store, notes, failSync, advance, delays } = await storeOfTwo();
		for (let round = 1; round <= 3; round += 1) {
			const faults = await failSync();
			expect(faults.map((fault) => (fault as { reason: string }).reason)).toEqual(["failed", "failed"]);
			await until(() => delays.length === round);
			advance();
			await until(() => store.failure() === undefined);
			await expectNoted(store, notes);
			expect(await collect(store.read("c"))).toEqual([]);
			const position = String(notes.length + 1);
			const before = notes.filter(({ stream }) => stream === "a").length;
			await appendNoted(store, notes, "a", [newEvent()]);
			expect(notes.at(-1)).toMatchObject({ position: Number(position), version: before + 1 });
		}
		expect(delays).toEqual([1000, 1000, 1000]);
		await expectNoted(store, notes);
		const image = await copyOfDirectory(directory);
		await store.close();
		for (const each of [directory, image]) await expectNoted(await openStore(each), notes);
	});

	test("opening it anew is tried until it succeeds, with growing pauses, and every time with another handle", async () => {
		for (const operation of ["open", "unlink", "syncDirectory", "truncate", "datasync"] as const) {
			const { logger, said } = keepingLogger();
			const { disk, store, notes, failSync, advance, delays } = await storeOfTwo({ logger });
			await failSync();
			// Only the log's directory, and of its files what is no index.
			failOn(disk, (call) => call.operation === operation && !call.path.includes(".index"));
			const from = disk.trace.length;
			for (let attempt = 1; attempt <= 7; attempt += 1) {
				await until(() => delays.length === attempt);
				await expectNoted(store, notes);
				expect(await rejection(store.append("a", [newEvent()], "any"))).toBe(store.failure());
				advance();
			}
			await until(() => delays.length === 8);
			expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
			expect(said.filter(({ message }) => message.includes("still cannot be written")).length).toBe(7);
			const handles = disk.trace
				.slice(from)
				.filter((entry) => entry.phase === "failed" && entry.operation === operation)
				.flatMap(({ handle = [] }) => handle);
			expect(new Set(handles).size).toBe(handles.length);
			disk.before = () => {};
			advance();
			await until(() => store.failure() === undefined);
			await appendNoted(store, notes, "a", [newEvent()]);
			await expectNoted(store, notes);
			await store.close();
			expect(openHandles(disk)).toBe(0);
		}
	});

	test("a reading that is under way goes on to the end of what is durable", async () => {
		const { store, notes, failSync, advance } = await storeOfTwo();
		const seen: unknown[] = [];
		for await (const event of store.readAll()) {
			seen.push(noted(event));
			if (seen.length === 1) await failSync();
			if (seen.length === 2) {
				advance();
				await until(() => store.failure() === undefined);
				await appendNoted(store, notes, "c", [newEvent()]);
			}
		}
		expect(seen).toEqual(notes);
		expect(notes.length).toBe(3);
	});
});

describe("closing after a sync that failed", () => {
	/** What was acknowledged is there; of what failed whole appends may be. */
	async function expectReopened(directory: string, notes: Notes): Promise<void> {
		const store = await openStore(directory);
		const found = (await collect(store.readAll())).map(noted);
		expect(found.slice(0, notes.length)).toEqual(notes);
		expect([0, 2, 4]).toContain(found.length - notes.length);
		await appendNoted(store, found, "a", [newEvent()]);
		await expectNoted(store, found);
	}

	test("ends the pause, gives everything up, and leaves what was acknowledged", async () => {
		const { directory, disk, store, notes, failSync, delays } = await storeOfTwo();
		await failSync();
		await until(() => delays.length === 1);
		await store.close();
		expect(await rejection(store.append("a", [newEvent()], "any"))).toMatchObject({ reason: "closed" });
		expect(openHandles(disk)).toBe(0);
		await expectReopened(directory, notes);
	});

	test("waits for the opening anew that is under way, whether that fails or not", async () => {
		for (const [operation, isFailing] of [
			["open", false],
			["truncate", false],
			["truncate", true],
			["datasync", true],
		] as const) {
			const { directory, disk, store, notes, failSync, advance } = await storeOfTwo();
			await failSync();
			const reached = gate();
			const stalled = gate();
			disk.before = async (call) => {
				if (call.operation !== operation || !isLog(call)) return;
				reached.open();
				await stalled.passed;
				if (isFailing) throw systemError("EIO");
			};
			advance();
			await reached.passed;
			let isClosed = false;
			const closing = store.close().then(() => {
				isClosed = true;
			});
			await new Promise((resolve) => setTimeout(resolve, 10));
			expect(isClosed).toBe(false);
			stalled.open();
			await closing;
			expect(openHandles(disk)).toBe(0);
			await expectReopened(directory, notes);
		}
	});

	test("while that sync is still under way tells its callers, and does not wait for a pause", async () => {
		const { directory, disk, store, notes } = await storeOfTwo();
		const stalled = gate();
		disk.before = async (call) => {
			if (!isSync(call)) return;
			await stalled.passed;
			throw systemError("EIO");
		};
		const appending = rejection(store.append("c", [newEvent(), newEvent()], "any"));
		const closing = store.close();
		stalled.open();
		expect(await appending).toMatchObject({ reason: "failed" });
		await closing;
		expect(openHandles(disk)).toBe(0);
		await expectReopened(directory, notes);
	});
});

test("readers beside a writer whose sync failed see what is durable, before, meanwhile and afterwards", async () => {
	const ownership = sharedOwnership();
	const { directory, disk, store, notes, failSync, advance, delays } = await storeOfTwo({ ownership });
	const openReader = async () => {
		const reader = await openFsEventReader({ directory, ownership, logger: transcribingLogger() });
		onTestFinished(() => reader.close());
		return reader;
	};
	const early = await openReader();
	await expectNoted(early, notes);
	let hints = 0;
	early.onAppended(() => {
		hints += 1;
	});
	await failSync();
	failOn(disk, ({ operation }) => operation === "truncate");
	const late = await openReader();
	for (let attempt = 1; attempt <= 3; attempt += 1) {
		await until(() => delays.length === attempt);
		for (const reader of [early, late]) {
			await expectNoted(reader, notes);
			expect(await collect(reader.read("c"))).toEqual([]);
		}
		advance();
	}
	await until(() => delays.length === 4);
	expect(hints).toBe(0);
	disk.before = () => {};
	advance();
	await until(() => store.failure() === undefined);
	await appendNoted(store, notes, "c", [newEvent()]);
	await appendNoted(store, notes, "a", [newEvent()]);
	expect(hints).toBe(2);
	for (const reader of [early, late, await openReader()]) await expectNoted(reader, notes);
	await store.close();
	for (const reader of [early, late, await openReader()]) await expectNoted(reader, notes);
});
