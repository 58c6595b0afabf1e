import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Snapshot, toPosition } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { createFsSnapshotStore } from "./snapshot-store.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { rejection } from "./test-store.js";

const snapshot = (count: number): Snapshot => ({
	version: 1,
	position: toPosition(count),
	eventId: `e${count}`,
	...(count > 1 ? { previous: toPosition(count - 1) } : {}),
	state: { count, words: "测试" },
});

async function openSnapshots(
	directory: string,
	options: { readonly maxSnapshotBytes?: number } = {},
	disk = scriptedDisk(),
) {
	const store = createFsSnapshotStore({ directory, ...options, fileSystem: disk.fileSystem });
	await store.open();
	return store;
}

/** The only file of `directory`'s snapshots. */
async function onlyFile(directory: string): Promise<string> {
	const files = await readdir(join(directory, "snapshots"));
	expect(files).toHaveLength(1);
	return join(directory, "snapshots", files[0] as string);
}

test("a store that is not open rejects with closed", async () => {
	const store = createFsSnapshotStore({ directory: await temporaryDirectory() });
	expect(await rejection(store.load("a"))).toMatchObject({ reason: "closed" });
	await store.open();
	await store.close();
	expect(await rejection(store.save("a", snapshot(1)))).toMatchObject({ reason: "closed" });
});

test("a name or a limit that makes no sense is refused, and nothing is written before a save", async () => {
	const directory = await temporaryDirectory();
	const store = await openSnapshots(directory);
	expect(await store.load("a")).toBeUndefined();
	expect(await readdir(directory)).toEqual([]);
	expect(await rejection(store.load(""))).toBeInstanceOf(RangeError);
	expect(await rejection(store.save("x".repeat(257), snapshot(1)))).toBeInstanceOf(RangeError);
	expect(await rejection(store.load(7 as never))).toBeInstanceOf(TypeError);
	expect(() => createFsSnapshotStore({ directory, maxSnapshotBytes: 0 })).toThrow(RangeError);
});

test("a save that fails leaves the old snapshot and no other file, and the store goes on", async () => {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk();
	const store = await openSnapshots(directory, {}, disk);
	await store.save("a", snapshot(1));
	for (const failing of ["open", "write", "datasync", "rename"] as const) {
		disk.before = ({ operation, path }) => {
			if (operation === failing && !path.endsWith(".json.new") === (failing === "rename"))
				throw systemError("ENOSPC");
		};
		expect(await rejection(store.save("a", snapshot(2)))).toMatchObject({ reason: "io", retryable: true });
		disk.before = () => {};
		await onlyFile(directory);
		expect(await (await openSnapshots(directory)).load("a")).toEqual(snapshot(1));
	}
	await store.save("a", snapshot(2));
	expect(await (await openSnapshots(directory)).load("a")).toEqual(snapshot(2));
});

describe("a snapshot of which", () => {
	test("any byte rotted, or is missing, is none", async () => {
		const directory = await temporaryDirectory();
		const store = await openSnapshots(directory);
		await store.save("a", snapshot(12));
		const path = await onlyFile(directory);
		const whole = await readFile(path);
		for (let at = 0; at < whole.length; at += 1) {
			const rotten = Buffer.from(whole);
			rotten[at] = (rotten[at] as number) ^ 1;
			await writeFile(path, rotten);
			expect(await store.load("a")).toBeUndefined();
			await writeFile(path, whole.subarray(0, at));
			expect(await store.load("a")).toBeUndefined();
		}
		await writeFile(path, whole);
		expect(await store.load("a")).toEqual(snapshot(12));
	});

	test("the file was taken from another name is none", async () => {
		const directory = await temporaryDirectory();
		const store = await openSnapshots(directory);
		await store.save("a", snapshot(1));
		const [file] = await readdir(join(directory, "snapshots"));
		await store.save("b", snapshot(2));
		const other = (await readdir(join(directory, "snapshots"))).find((name) => name !== file);
		const bytes = await readFile(join(directory, "snapshots", other as string));
		await writeFile(join(directory, "snapshots", file as string), bytes);
		expect(await store.load("a")).toBeUndefined();
		expect(await store.load("b")).toEqual(snapshot(2));
	});

	test("the state is too large is not saved, and the one before stays", async () => {
		const directory = await temporaryDirectory();
		const store = await openSnapshots(directory, { maxSnapshotBytes: 200 });
		expect(await store.save("a", snapshot(1))).toEqual({ _tag: "Saved" });
		const large = { ...snapshot(2), state: "测".repeat(60) };
		expect(await store.save("a", large)).toEqual({
			_tag: "TooLarge",
			bytes: expect.any(Number),
			maxBytes: 200,
		});
		expect(await store.load("a")).toEqual(snapshot(1));
		await writeFile(await onlyFile(directory), Buffer.alloc(300));
		expect(await store.load("a")).toBeUndefined();
	});
});

test("a snapshot is durable when its save resolves: file, then name, then directory; nobody else may read it", async () => {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk();
	const store = await openSnapshots(directory, {}, disk);
	await store.save("a", snapshot(1));
	disk.trace.length = 0;
	await store.save("a", snapshot(2));
	const calls = disk.trace.filter(({ phase }) => phase === "finished").map(({ operation }) => operation);
	const durable = ["write", "datasync", "rename", "syncDirectory"];
	expect(calls.filter((operation) => durable.includes(operation))).toEqual(durable);
	expect((await stat(await onlyFile(directory))).mode & 0o777).toBe(0o600);
});

test("a snapshot is taken as it is at the call, and the last of many saves at once stays", async () => {
	const store = await openSnapshots(await temporaryDirectory());
	const ids: string[] = [];
	const saves = Array.from({ length: 20 }, (_, index) => {
		ids.push(`e${index}`);
		return store.save("a", { ...snapshot(index + 1), state: ids });
	});
	ids.length = 0;
	await Promise.all(saves);
	expect(await store.load("a")).toMatchObject({
		position: "20",
		state: Array.from({ length: 20 }, (_, at) => `e${at}`),
	});
});
