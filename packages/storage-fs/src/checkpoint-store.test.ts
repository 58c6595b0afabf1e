import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toPosition } from "@reelkeep/core/ports";
import { expect, test } from "vitest";
import { createFsCheckpointStore } from "./checkpoint-store.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { rejection } from "./test-store.js";

const at = toPosition;

async function openCheckpoints(directory: string, disk = scriptedDisk()) {
	const store = createFsCheckpointStore({ directory, fileSystem: disk.fileSystem });
	await store.open();
	return store;
}

test("a store that is not open rejects with closed", async () => {
	const store = createFsCheckpointStore({ directory: await temporaryDirectory() });
	expect(await rejection(store.load("a"))).toMatchObject({ reason: "closed" });
	await store.open();
	await store.close();
	expect(await rejection(store.save("a", at(1), undefined))).toMatchObject({ reason: "closed" });
});

test("a name or a position that makes no sense is refused", async () => {
	const store = await openCheckpoints(await temporaryDirectory());
	expect(await rejection(store.load(""))).toBeInstanceOf(RangeError);
	expect(await rejection(store.load("x".repeat(257)))).toBeInstanceOf(RangeError);
	expect(await rejection(store.save("a", "x" as never, undefined))).toBeInstanceOf(TypeError);
	expect(await rejection(store.save("a", at(1), at(2)))).toBeInstanceOf(RangeError);
});

test("a save that fails leaves the old checkpoint, and the store goes on", async () => {
	const directory = await temporaryDirectory();
	const disk = scriptedDisk();
	const store = await openCheckpoints(directory, disk);
	await store.save("a", at(1), undefined);
	for (const failing of ["open", "write", "datasync", "rename"] as const) {
		disk.before = ({ operation, path }) => {
			if (operation === failing && !path.endsWith(".json.new") === (failing === "rename"))
				throw systemError("EIO");
		};
		expect(await rejection(store.save("a", at(2), at(1)))).toMatchObject({ reason: "io", retryable: true });
		disk.before = () => {};
		expect(await (await openCheckpoints(directory)).load("a")).toBe("1");
	}
	expect(await store.save("a", at(2), at(1))).toEqual({ _tag: "Saved" });
});

test("a checkpoint that another moved is not overwritten", async () => {
	const store = await openCheckpoints(await temporaryDirectory());
	await store.save("a", at(5), undefined);
	expect(await store.save("a", at(6), undefined)).toEqual({ _tag: "WrongCheckpoint", actual: "5" });
	expect(await store.save("a", at(6), at(4))).toEqual({ _tag: "WrongCheckpoint", actual: "5" });
	expect(await store.save("b", at(6), at(4))).toEqual({ _tag: "WrongCheckpoint", actual: undefined });
	expect(await store.load("a")).toBe("5");
});

test("one of 50 concurrent saves of a name wins", async () => {
	const store = await openCheckpoints(await temporaryDirectory());
	const results = await Promise.all(
		Array.from({ length: 50 }, (_, index) => store.save("a", at(index + 1), undefined)),
	);
	expect(results.filter(({ _tag }) => _tag === "Saved").length).toBe(1);
	expect(await store.load("a")).toBe("1");
});

test("a damaged checkpoint is refused, and its file named", async () => {
	const directory = await temporaryDirectory();
	const store = await openCheckpoints(directory);
	await store.save("a", at(1), undefined);
	const [file] = await readdir(join(directory, "checkpoints"));
	for (const text of ["", "null", '{"name":"b","position":"1"}', '{"name":"a","position":1}']) {
		await writeFile(join(directory, "checkpoints", file as string), text);
		const fault = await rejection(store.load("a"));
		expect(fault).toMatchObject({ reason: "corrupt", message: expect.stringContaining(file as string) });
	}
});

test("a checkpoint is durable when its save resolves: file, then name, then directory", async () => {
	const disk = scriptedDisk();
	const store = await openCheckpoints(await temporaryDirectory(), disk);
	disk.trace.length = 0;
	await store.save("a", at(1), undefined);
	const calls = disk.trace.filter(({ phase }) => phase === "finished").map(({ operation }) => operation);
	const order = calls.filter((operation) =>
		["write", "datasync", "rename", "syncDirectory"].includes(operation),
	);
	expect(order).toEqual(["write", "datasync", "rename", "syncDirectory"]);
});

test("names of any kind are told apart and stay inside the directory", async () => {
	const directory = await temporaryDirectory();
	const store = await openCheckpoints(directory);
	const names = [
		"../../etc/passwd",
		"/etc/passwd",
		"a\0b",
		".",
		"..",
		"é",
		"e\u0301",
		"\ud800",
		"\ufffd",
		"x".repeat(256),
	];
	for (const [index, name] of names.entries()) await store.save(name, at(index), undefined);
	const reopened = await openCheckpoints(directory);
	for (const [index, name] of names.entries()) expect(await reopened.load(name)).toBe(String(index));
	const files = await readdir(join(directory, "checkpoints"));
	expect(files.length).toBe(names.length);
	expect(files.every((file) => /^[0-9a-f]{64}\.json$/.test(file))).toBe(true);
	expect(await readdir(directory)).toEqual(["checkpoints"]);
	const path = join(directory, "checkpoints", files[0] as string);
	expect((await stat(path)).mode & 0o777).toBe(0o600);
	expect(names).toContain(JSON.parse(await readFile(path, "utf8")).name);
});
