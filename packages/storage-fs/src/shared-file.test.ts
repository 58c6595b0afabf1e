import { join } from "node:path";
import { expect, test } from "vitest";
import { createSharedFile } from "./shared-file.js";
import { gate, scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { rejection } from "./test-store.js";

async function sharedFile() {
	const disk = scriptedDisk();
	const path = join(await temporaryDirectory(), "file");
	return { disk, file: createSharedFile(await disk.fileSystem.open(path, "create")) };
}

test("a read that fails is a fault", async () => {
	const { disk, file } = await sharedFile();
	disk.before = () => {
		throw systemError("EIO");
	};
	expect(await rejection(file.read(Buffer.alloc(1), 0))).toMatchObject({ reason: "io" });
	disk.before = () => {};
	await file.close();
});

test("closing waits for the reads under way and refuses new ones", async () => {
	const { disk, file } = await sharedFile();
	const slow = gate();
	disk.before = ({ operation }) => (operation === "read" ? slow.passed : undefined);
	const reading = file.read(Buffer.alloc(1), 0);
	const closing = Promise.all([file.close(), file.close()]);
	expect(await rejection(file.read(Buffer.alloc(1), 0))).toMatchObject({ reason: "closed" });
	await new Promise(setImmediate);
	expect(disk.trace.some(({ operation }) => operation === "close")).toBe(false);
	slow.open();
	expect(await reading).toBe(0);
	await closing;
	expect(
		disk.trace.filter(({ operation, phase }) => operation === "close" && phase === "finished").length,
	).toBe(1);
});
