import { readFile } from "node:fs/promises";
import { isStoreFault, type NewEvent } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { type DiskEntry, gate, scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { clock, collect, idsOf, LOG_FILE, logFile, newEvent, openStore, rejection } from "./test-store.js";

const isLog = ({ path }: { readonly path: string }): boolean => path.endsWith(LOG_FILE);

describe("a sync that fails", () => {
	test("acknowledges nobody, rejects the duplicates that wait for it, and gives its handle up", async () => {
		const disk = scriptedDisk();
		const store = await openStore(await temporaryDirectory(), { fileSystem: disk.fileSystem });
		await store.append("kept", [newEvent("kept")], "no-stream");
		disk.before = (call) => {
			if (isLog(call) && call.operation === "datasync") throw systemError("EIO");
		};
		let hints = 0;
		store.onAppended(() => {
			hints += 1;
		});
		const attempts = Array.from({ length: 20 }, () => store.append("lost", [newEvent()], "no-stream"));
		const faults = await Promise.all(attempts.map((attempt) => rejection(attempt)));
		expect(faults.every((fault) => isStoreFault(fault) && fault.reason === "failed")).toBe(true);
		disk.before = () => {};
		const later = await rejection(store.append("kept", [newEvent()], "any"));
		expect(later).toMatchObject({ reason: "failed", retryable: true });
		expect(store.failure()).toBe(later);
		expect(hints).toBe(0);
		expect((await collect(store.readAll())).map(({ stream }) => stream)).toEqual(["kept"]);
		expect(await collect(store.read("lost"))).toEqual([]);
		expect(disk.trace.filter((entry) => isLog(entry) && entry.operation === "write").length).toBe(4);
	});

	test("rejects the appends that were queued behind it, though nothing of them was written", async () => {
		const disk = scriptedDisk();
		const store = await openStore(await temporaryDirectory(), { fileSystem: disk.fileSystem });
		const stalled = gate();
		disk.before = async (call) => {
			if (!isLog(call) || call.operation !== "datasync") return;
			await stalled.passed;
			throw systemError("EIO");
		};
		const first = rejection(store.append("a", [newEvent()], "any"));
		await new Promise((resolve) => setImmediate(resolve));
		const second = rejection(store.append("b", [newEvent()], "any"));
		stalled.open();
		expect(await first).toMatchObject({ reason: "failed" });
		expect(await second).toMatchObject({ reason: "failed" });
	});
});

describe("a write that finds no room", () => {
	test("rejects what was under way, is undone, and the log goes on once there is room", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk();
		const store = await openStore(directory, { fileSystem: disk.fileSystem });
		await store.append("kept", [newEvent("kept")], "no-stream");
		const whole = await readFile(logFile(directory));
		// Half of the bytes arrive before the disk is full.
		disk.after = async (call) => {
			if (isLog(call) && call.operation === "write") throw systemError("ENOSPC");
		};
		const attempts = Array.from({ length: 5 }, () =>
			rejection(store.append("lost", [newEvent()], "no-stream")),
		);
		for (const fault of await Promise.all(attempts)) {
			expect(fault).toMatchObject({
				reason: "io",
				retryable: true,
				message: expect.stringContaining("disk is full"),
			});
		}
		expect(store.troubles()).toEqual([expect.stringContaining("disk is full")]);
		expect(await readFile(logFile(directory))).toEqual(whole);
		disk.after = () => {};
		expect(await store.append("lost", [newEvent("again")], "no-stream")).toMatchObject({
			_tag: "Appended",
			version: 1,
		});
		expect(await store.append("kept", [newEvent()], 1)).toMatchObject({ _tag: "Appended", version: 2 });
		expect([store.troubles(), store.failure()]).toEqual([[], undefined]);
		await store.close();
		const reopened = await openStore(directory);
		expect((await collect(reopened.readAll())).map(({ stream }) => stream)).toEqual(["kept", "lost", "kept"]);
	});

	test("is undone also when the logger finds no room either", async () => {
		const disk = scriptedDisk();
		const full = (): never => {
			throw systemError("ENOSPC");
		};
		const logger = { trace: full, debug: full, info: full, warn: full, error: full };
		const store = await openStore(await temporaryDirectory(), { fileSystem: disk.fileSystem, logger });
		disk.before = (call) => {
			if (isLog(call) && call.operation === "write") throw systemError("ENOSPC");
		};
		expect(await rejection(store.append("a", [newEvent()], "any"))).toMatchObject({ reason: "io" });
		disk.before = () => {};
		expect(await store.append("a", [newEvent()], "any")).toMatchObject({ _tag: "Appended" });
		await store.close();
	});

	test("is final when it cannot be undone", async () => {
		const disk = scriptedDisk();
		const store = await openStore(await temporaryDirectory(), { fileSystem: disk.fileSystem });
		disk.before = (call) => {
			if (!isLog(call)) return;
			if (call.operation === "write") throw systemError("ENOSPC");
			if (call.operation === "truncate") throw systemError("EIO");
		};
		const fault = await rejection(store.append("a", [newEvent()], "any"));
		expect(fault).toMatchObject({ reason: "failed", message: expect.stringContaining("disk is full") });
		disk.before = () => {};
		expect(await rejection(store.append("a", [newEvent()], "any"))).toBe(fault);
	});
});

describe("a queue", () => {
	test("refuses what is too much while the disk stalls, and takes work again afterwards", async () => {
		const disk = scriptedDisk();
		const store = await openStore(await temporaryDirectory(), {
			fileSystem: disk.fileSystem,
			maxPendingAppends: 3,
			maxPendingBytes: 5000,
		});
		const stalled = gate();
		disk.before = (call) => (isLog(call) && call.operation === "datasync" ? stalled.passed : undefined);
		const tooLarge = store.append("big", [newEvent("x".repeat(5000))], "any");
		expect(await rejection(tooLarge)).toMatchObject({ reason: "overloaded", retryable: true });
		const accepted = ["a", "b", "c"].map((stream) => store.append(stream, [newEvent()], "any"));
		expect(await rejection(store.append("d", [newEvent()], "any"))).toMatchObject({ reason: "overloaded" });
		stalled.open();
		await Promise.all(accepted);
		expect(await store.append("d", [newEvent()], "no-stream")).toMatchObject({
			_tag: "Appended",
			version: 1,
		});
	});

	test("goes on after a clock or an event that threw", async () => {
		let isBroken = false;
		const now = (): number => {
			if (isBroken) throw new Error("no time");
			return 1;
		};
		const store = await openStore(await temporaryDirectory(), { clock: { ...clock, now } });
		isBroken = true;
		expect(await rejection(store.append("a", [newEvent()], "any"))).toMatchObject({ message: "no time" });
		isBroken = false;
		const circular: Record<string, unknown> = {};
		circular.self = circular;
		expect(await rejection(store.append("a", [newEvent(circular)], "any"))).toBeInstanceOf(TypeError);
		expect(await rejection(store.append("a", [newEvent(1n)], "any"))).toBeInstanceOf(TypeError);
		expect(await store.append("a", [newEvent()], "no-stream")).toMatchObject({
			_tag: "Appended",
			version: 1,
		});
	});

	test("refuses an event, and an append, that is too large for the log", async () => {
		const store = await openStore(await temporaryDirectory());
		const large = (bytes: number): NewEvent => newEvent("x".repeat(bytes));
		expect(await rejection(store.append("a", [large(5 * 2 ** 20)], "any"))).toBeInstanceOf(RangeError);
		const many = Array.from({ length: 6 }, () => large(3 * 2 ** 20));
		expect(await rejection(store.append("a", many, "any"))).toBeInstanceOf(RangeError);
		expect(await idsOf(store)).toEqual([]);
	});
});

describe("appends that arrive together", () => {
	test("share one datasync", async () => {
		const disk = scriptedDisk();
		const store = await openStore(await temporaryDirectory(), { fileSystem: disk.fileSystem });
		disk.trace.length = 0;
		await Promise.all(
			Array.from({ length: 500 }, (_, at) => store.append(`s-${at}`, [newEvent()], "no-stream")),
		);
		expect(finished(disk.trace, "datasync").length).toBe(1);
	});

	test("let one of 100 creations win, and tell the others only once that one is durable", async () => {
		const disk = scriptedDisk();
		const store = await openStore(await temporaryDirectory(), { fileSystem: disk.fileSystem });
		const stalled = gate();
		disk.before = (call) => (isLog(call) && call.operation === "datasync" ? stalled.passed : undefined);
		let answered = 0;
		const attempts = Array.from({ length: 100 }, async () => {
			const result = await store.append("a", [newEvent()], "no-stream");
			answered += 1;
			return result;
		});
		await new Promise((resolve) => setTimeout(resolve, 10));
		expect(answered).toBe(0);
		expect(await collect(store.read("a"))).toEqual([]);
		stalled.open();
		const results = await Promise.all(attempts);
		expect(results.filter(({ _tag }) => _tag === "Appended").length).toBe(1);
		expect(results.filter(({ _tag }) => _tag === "WrongExpectedVersion").length).toBe(99);
	});

	test("are decided against what is pending, not only against what is durable", async () => {
		const store = await openStore(await temporaryDirectory());
		const results = await Promise.all([
			store.append("a", [newEvent(), newEvent()], "no-stream"),
			store.append("a", [newEvent()], 2),
			store.append("a", [newEvent()], 2),
			store.append("a", [newEvent()], "any"),
		]);
		expect(results).toEqual([
			{ _tag: "Appended", version: 2, position: "2" },
			{ _tag: "Appended", version: 3, position: "3" },
			{ _tag: "WrongExpectedVersion", actualVersion: 3 },
			{ _tag: "Appended", version: 4, position: "4" },
		]);
	});
});

test("no append resolves, and no reader sees, before a datasync that began after the bytes were written", async () => {
	const disk = scriptedDisk();
	const directory = await temporaryDirectory();
	const store = await openStore(directory, { fileSystem: disk.fileSystem });
	disk.before = pause;
	disk.after = pause;
	disk.trace.length = 0;
	const told: { readonly who: string; readonly position: number; readonly at: number }[] = [];
	let isWriting = true;
	const writers = Array.from({ length: 64 }, async (_, writer) => {
		for (let round = 0; round < 50; round += 1) {
			const events = Array.from({ length: 1 + (round % 3) }, () => newEvent());
			const result = await store.append(`s-${writer}`, events, "any");
			if (result._tag !== "Appended") throw new Error("refused");
			told.push({ who: "writer", position: Number(result.position), at: disk.trace.length });
			if (round % 7 === 0) await pause();
		}
	});
	const reader = (async () => {
		while (isWriting) {
			for await (const { position } of store.readAll({ direction: "backward", limit: 1 })) {
				told.push({ who: "reader", position: Number(position), at: disk.trace.length });
			}
			await new Promise((resolve) => setTimeout(resolve, 1));
		}
	})();
	await Promise.all(writers);
	isWriting = false;
	await reader;
	const durable = durableBytes(disk.trace);
	const ends = await recordEnds(directory);
	const early = told.filter(({ position, at }) => (durable[at] as number) < (ends[position] as number));
	expect(early).toEqual([]);
	expect(told.filter(({ who }) => who === "writer").length).toBe(3200);
	expect(told.filter(({ who }) => who === "reader").length).toBeGreaterThan(10);
	expect(finished(disk.trace, "datasync").length).toBeLessThan(3200 / 4);
});

/** In front of and behind the disk's calls, so that completions come late and out of step. */
function pause(): Promise<void> | void {
	const kind = Math.random();
	if (kind < 0.3) return new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
	if (kind < 0.6) return new Promise((resolve) => setImmediate(resolve));
}

/** For each length of the trace, how many bytes of the log were durable by then. */
function durableBytes(trace: readonly DiskEntry[]): readonly number[] {
	const durable = [0];
	let written = 0;
	let beingSynced = 0;
	for (const { operation, phase, path, to = 0 } of trace) {
		let now = durable.at(-1) as number;
		if (path.endsWith(LOG_FILE)) {
			if (operation === "write" && phase === "finished") written = to;
			if (operation === "datasync" && phase === "started") beingSynced = written;
			if (operation === "datasync" && phase === "finished") now = beingSynced;
		}
		durable.push(now);
	}
	return durable;
}

/** Where the record at each position ends in the file. */
async function recordEnds(directory: string): Promise<readonly number[]> {
	let end = 0;
	const lines = (await readFile(logFile(directory), "utf8")).split("\n").slice(0, -1);
	return lines.map((line) => {
		end += Buffer.byteLength(line) + 1;
		return end;
	});
}

function finished(trace: readonly DiskEntry[], operation: string): readonly DiskEntry[] {
	return trace.filter((entry) => isLog(entry) && entry.operation === operation && entry.phase === "finished");
}
