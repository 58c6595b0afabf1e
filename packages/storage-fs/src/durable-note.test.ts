import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDurableNote, readDurableNote } from "./durable-note.js";
import { createNodeFileSystem } from "./node-file-system.js";
import { gate, scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";

async function emptyLog(): Promise<string> {
	const directory = await temporaryDirectory();
	await mkdir(join(directory, "events"));
	return directory;
}

test("a note is read as it was written, and one that is torn, changed or missing tells nothing", async () => {
	const fileSystem = createNodeFileSystem();
	const directory = await emptyLog();
	expect(await readDurableNote(fileSystem, directory)).toBe(0);
	const note = await openDurableNote(fileSystem, directory, 7);
	await note.close(4_294_967_294);
	expect(await readDurableNote(fileSystem, directory)).toBe(4_294_967_294);
	const path = join(directory, "events/durable");
	const whole = await readFile(path);
	for (let at = 0; at < whole.length; at += 1) {
		const damaged = Buffer.from(whole);
		damaged[at] = (damaged[at] as number) ^ 1;
		for (const content of [damaged, whole.subarray(0, at)]) {
			await writeFile(path, content);
			expect(await readDurableNote(fileSystem, directory)).toBe(0);
		}
	}
});

test("while one is written, only the newest of those that follow is kept, and a failure harms nothing", async () => {
	const directory = await emptyLog();
	const disk = scriptedDisk();
	const stalled = gate();
	disk.before = ({ operation }) => (operation === "write" ? stalled.passed : undefined);
	const note = await openDurableNote(disk.fileSystem, directory, 1);
	for (const position of [2, 3, 4]) note.write(position);
	stalled.open();
	await expect.poll(() => readDurableNote(createNodeFileSystem(), directory)).toBe(4);
	expect(
		disk.trace.filter(({ operation, phase }) => operation === "write" && phase === "finished").length,
	).toBe(2);
	disk.before = () => {
		throw systemError("EIO");
	};
	note.write(5);
	await note.close(undefined);
	expect(await readDurableNote(createNodeFileSystem(), directory)).toBe(4);
});
