import { describe, expect, test } from "vitest";
import { createFsEventStore, type FsEventStoreOptions } from "./event-store.js";
import { gate, scriptedDisk, temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import { clock, collect, idsOf, newEvent, openStore, rejection } from "./test-store.js";

const events = (count: number) => Array.from({ length: count }, () => newEvent());

function make(directory: string, options: Partial<FsEventStoreOptions>): void {
	createFsEventStore({ directory, clock, ...options });
}

describe("a limit that makes no sense", () => {
	test("is refused when the store is made", async () => {
		const directory = await temporaryDirectory();
		for (const maxEvents of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 4_294_967_295, 2 ** 53, "9"]) {
			expect(() => make(directory, { maxEvents: maxEvents as number })).toThrow(RangeError);
		}
		for (const segmentBytes of [0, 1023, -1024, 1024.5, Number.NaN, 2 ** 30 + 1, "2048"]) {
			expect(() => make(directory, { segmentBytes: segmentBytes as number })).toThrow(RangeError);
		}
		for (const maxEvents of [1, 4_294_967_294]) make(directory, { maxEvents });
		for (const segmentBytes of [1024, 2 ** 30]) make(directory, { segmentBytes });
	});
});

describe("a log that is full", () => {
	test("refuses more events in words that say what to do, and takes what still fits", async () => {
		const store = await openStore(await temporaryDirectory(), { maxEvents: 5 });
		await store.append("a", events(3), "no-stream");
		for (const [stream, count] of [
			["a", 3],
			["b", 3],
			["b", 64],
		] as const) {
			const fault = await rejection(store.append(stream, events(count), "any"));
			expect(fault).toMatchObject({
				reason: "io",
				message: "the event log is full: it holds 5 events, its limit; raise maxEvents",
			});
		}
		expect(await store.append("b", events(2), "no-stream")).toMatchObject({ position: "5" });
		expect(await rejection(store.append("b", events(1), "any"))).toMatchObject({ reason: "io" });
		expect(await rejection(store.append("c", events(1), "any"))).toMatchObject({ reason: "io" });
		expect((await idsOf(store)).length).toBe(5);
		expect(store.failure()).toBeUndefined();
	});

	test("still tells of conflicts", async () => {
		const store = await openStore(await temporaryDirectory(), { maxEvents: 2 });
		await store.append("a", events(2), "no-stream");
		const conflict = { _tag: "WrongExpectedVersion", actualVersion: 2 };
		expect(await store.append("a", events(1), "no-stream")).toEqual(conflict);
		expect(await store.append("a", events(1), 1)).toEqual(conflict);
	});

	test("counts what is on its way, and gives its place back when that fails", async () => {
		const disk = scriptedDisk(unsyncedDisk());
		const store = await openStore(await temporaryDirectory(), { fileSystem: disk.fileSystem, maxEvents: 6 });
		const stalled = gate();
		let isFull = true;
		disk.before = async ({ operation, path }) => {
			if (operation !== "write" || !path.endsWith(".ndjson")) return;
			await stalled.passed;
			if (isFull) throw Object.assign(new Error("full"), { code: "ENOSPC" });
		};
		const pending = [store.append("a", events(3), "any"), store.append("b", events(3), "any")].map(rejection);
		expect(await rejection(store.append("c", events(1), "any"))).toMatchObject({
			message: expect.stringContaining("its limit"),
		});
		stalled.open();
		for (const fault of await Promise.all(pending)) {
			expect(fault).toMatchObject({ message: expect.stringContaining("disk is full") });
		}
		isFull = false;
		const results = await Promise.all([
			rejection(store.append("a", events(3), "any")),
			rejection(store.append("b", events(4), "any")),
			rejection(store.append("c", events(3), "any")),
		]);
		expect(results).toEqual([undefined, expect.objectContaining({ reason: "io" }), undefined]);
		expect((await idsOf(store)).length).toBe(6);
	});

	test("opens, is read, and goes on once its limit is raised", async () => {
		const directory = await temporaryDirectory();
		const first = await openStore(directory);
		await first.append("a", events(10), "no-stream");
		await first.close();
		const full = await openStore(directory, { maxEvents: 4 });
		expect((await collect(full.read("a"))).length).toBe(10);
		expect(await rejection(full.append("b", events(1), "any"))).toMatchObject({ reason: "io" });
		expect(full.troubles()).toEqual([
			"the event log holds 10 events, and 4 are its limit: raise maxEvents, or move on",
		]);
		await full.close();
		const raised = await openStore(directory, { maxEvents: 11 });
		expect(await raised.append("b", events(1), "any")).toMatchObject({ position: "11" });
		expect(await rejection(raised.append("b", events(1), "any"))).toMatchObject({ reason: "io" });
	});
});

test("a log says from four fifths of its limit on that it will be full", async () => {
	const store = await openStore(await temporaryDirectory(), { maxEvents: 10 });
	await store.append("a", events(7), "any");
	expect(store.troubles()).toEqual([]);
	await store.append("a", events(1), "any");
	const words = "the event log holds 8 events, and 10 are its limit: raise maxEvents, or move on";
	expect(store.troubles()).toEqual([words]);
	expect(store.failure()).toBeUndefined();
	await store.append("a", events(2), "any");
	expect(store.troubles()).toEqual([words.replace("8 events", "10 events")]);
});
