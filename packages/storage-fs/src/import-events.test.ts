// Imports on a disk that fails, beside appends, and at the limits of the log. What they promise at all is in the suite.

import { type RecordedEvent, toPosition } from "@reelkeep/core/ports";
import { expect, test } from "vitest";
import {
	type DiskCall,
	gate,
	scriptedDisk,
	systemError,
	temporaryDirectory,
	unsyncedDisk,
} from "./test-disk.js";
import { collect, idsOf, LOG_FILE, newEvent, openStore, rejection } from "./test-store.js";

const MIB = 1024 * 1024;
const isWrite = ({ operation, path }: DiskCall): boolean => operation === "write" && path.endsWith(LOG_FILE);

function recorded(count: number, bytes = 10): readonly RecordedEvent[] {
	return Array.from({ length: count }, (_, at) => ({
		...newEvent("x".repeat(bytes)),
		stream: `s-${at % 3}`,
		version: Math.floor(at / 3) + 1,
		position: toPosition(500 + at),
		recordedAt: 1_000 - at,
	}));
}

async function given(options: { readonly maxEvents?: number } = {}) {
	const disk = scriptedDisk(unsyncedDisk());
	const directory = await temporaryDirectory();
	const store = await openStore(directory, { fileSystem: disk.fileSystem, ...options });
	return { disk, store, directory };
}

test("a full disk takes nothing of an import, and the same import once there is room", async () => {
	const { disk, store } = await given();
	const events = recorded(9);
	disk.before = (call) => {
		if (isWrite(call)) throw systemError("ENOSPC");
	};
	expect(await rejection(store.importEvents(events, undefined))).toMatchObject({
		_tag: "StoreFault",
		message: expect.stringContaining("make room"),
	});
	expect(await idsOf(store)).toEqual([]);
	disk.before = () => {};
	expect((await store.importEvents(events, undefined))._tag).toBe("Imported");
	expect(await idsOf(store)).toEqual(events.map(({ id }) => id));
});

test("a disk that fails in the middle of a large import leaves its first events, and the rest goes on behind them", async () => {
	const { disk, store } = await given();
	// Three batches of 8 MiB.
	const events = recorded(18, MIB);
	let writes = 0;
	disk.before = (call) => {
		if (!isWrite(call)) return;
		writes += 1;
		if (writes > 1) throw systemError("EIO");
	};
	expect(await rejection(store.importEvents(events, undefined))).toMatchObject({ _tag: "StoreFault" });
	disk.before = () => {};
	const log = await collect(store.readAll());
	expect(log.length).toBeGreaterThan(0);
	expect(log.length).toBeLessThan(events.length);
	expect(log.map(({ id }) => id)).toEqual(events.slice(0, log.length).map(({ id }) => id));
	const rest = await store.importEvents(events.slice(log.length), log.at(-1)?.position);
	expect(rest._tag).toBe("Imported");
	expect(await idsOf(store)).toEqual(events.map(({ id }) => id));
});

test("an import behind an append that is under way is refused", async () => {
	const { disk, store } = await given();
	const writing = gate();
	disk.before = async (call) => {
		if (isWrite(call)) await writing.passed;
	};
	const append = store.append("mine", [newEvent()], "any");
	expect(await store.importEvents(recorded(3), undefined)).toEqual({ _tag: "WrongEnd" });
	writing.open();
	expect((await append)._tag).toBe("Appended");
	expect(await idsOf(store)).toHaveLength(1);
});

test("an append beside an import comes before it or behind it, and nothing is lost", async () => {
	const { store } = await given();
	const events = recorded(6);
	const [imported, append] = await Promise.all([
		store.importEvents(events, undefined),
		Promise.resolve().then(() => store.append("s-0", [newEvent()], "any")),
	]);
	// Whichever came first: nothing is lost, and versions go up.
	const versions = (await collect(store.read("s-0"))).map(({ version }) => version);
	expect(append._tag).toBe("Appended");
	expect(versions).toEqual(imported._tag === "Imported" ? [1, 2, 3] : [1]);
});

test("what the log has no room for, and what a line cannot hold, is refused before anything is written", async () => {
	const { store } = await given({ maxEvents: 5 });
	expect(await rejection(store.importEvents(recorded(6), undefined))).toMatchObject({
		_tag: "StoreFault",
		retryable: false,
		message: expect.stringContaining("raise maxEvents"),
	});
	const huge = [...recorded(2), ...recorded(1, 5 * MIB).map((event) => ({ ...event, stream: "huge" }))];
	expect(await rejection(store.importEvents(huge, undefined))).toBeInstanceOf(RangeError);
	expect(await idsOf(store)).toEqual([]);
	expect((await store.importEvents(recorded(5), undefined))._tag).toBe("Imported");
});

test("a store that is closed, or was never opened, takes nothing", async () => {
	const { store } = await given();
	await store.close();
	expect(await rejection(store.importEvents(recorded(1), undefined))).toMatchObject({ reason: "closed" });
});
