import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { segmentPath } from "./log-files.js";
import { createSegmentFiles } from "./segment-files.js";
import { gate, type ScriptedDisk, scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { rejection } from "./test-store.js";

const MAX_OPEN_FILES = 16;

/** So many segments, each of which holds its number, and a disk that can be told to fail or to wait. */
async function segmentsOnDisk(count: number) {
	const directory = await temporaryDirectory();
	await mkdir(join(directory, "events"));
	const numbers = Array.from({ length: count }, (_, at) => at + 1);
	for (const segment of numbers) await writeFile(segmentPath(directory, segment), contentOf(segment));
	const disk = scriptedDisk();
	const files = createSegmentFiles(disk.fileSystem, directory);
	onTestFinished(() => files.close().catch(() => {}));
	const read = async (segment: number) => (await files.read(segment, 0, 8)).toString();
	return { directory, disk, files, numbers, read };
}

const contentOf = (segment: number): string => String(segment).padStart(8, "0");

/** How many files are open, at the end and at most. */
function openFiles({ trace }: ScriptedDisk): { readonly now: number; readonly most: number } {
	let now = 0;
	let most = 0;
	for (const { operation, phase } of trace) {
		if (phase !== "finished") continue;
		if (operation === "open") now += 1;
		if (operation === "close") now -= 1;
		most = Math.max(most, now);
	}
	return { now, most };
}

describe("a file that cannot be opened", () => {
	test("fails those who want it, with io, and is tried anew by the next", async () => {
		const { disk, read } = await segmentsOnDisk(2);
		disk.before = ({ operation }) => {
			if (operation === "open") throw systemError("EMFILE");
		};
		for (const fault of await Promise.all([rejection(read(1)), rejection(read(1)), rejection(read(2))])) {
			expect(fault).toMatchObject({ reason: "io", message: expect.stringContaining("too many open files") });
		}
		disk.before = () => {};
		expect(await read(1)).toBe(contentOf(1));
		expect(await rejection(read(3))).toMatchObject({
			reason: "io",
			message: expect.stringContaining("ENOENT"),
		});
		expect(await rejection(read(3))).toMatchObject({ reason: "io" });
		expect(openFiles(disk)).toEqual({ now: 1, most: 1 });
	});
});

describe("a read that fails", () => {
	test("is an io fault, and leaves the file to others", async () => {
		const { disk, read } = await segmentsOnDisk(1);
		expect(await read(1)).toBe(contentOf(1));
		disk.before = ({ operation }) => {
			if (operation === "read") throw systemError("EIO");
		};
		expect(await rejection(read(1))).toMatchObject({ reason: "io", retryable: true });
		disk.before = () => {};
		expect(await read(1)).toBe(contentOf(1));
		expect(openFiles(disk)).toEqual({ now: 1, most: 1 });
	});

	test("is none because another file could not be closed", async () => {
		const { disk, numbers, read } = await segmentsOnDisk(MAX_OPEN_FILES + 1);
		disk.before = ({ operation }) => {
			if (operation === "close") throw systemError("EIO");
		};
		for (const segment of numbers) expect(await read(segment)).toBe(contentOf(segment));
	});
});

describe("the files that are open", () => {
	test("are 16 between reads, the last used ones, however many segments there are", async () => {
		const { disk, numbers, read } = await segmentsOnDisk(40);
		for (const segment of [...numbers, ...numbers]) {
			expect(await read(segment)).toBe(contentOf(segment));
			expect(openFiles(disk).now).toBeLessThanOrEqual(MAX_OPEN_FILES);
		}
		expect(openFiles(disk).most).toBeLessThanOrEqual(MAX_OPEN_FILES + 1);
		const before = disk.trace.length;
		for (const segment of numbers.slice(-MAX_OPEN_FILES)) await read(segment);
		expect(disk.trace.slice(before).some(({ operation }) => operation === "open")).toBe(false);
		await Promise.all(numbers.map(read));
		expect(openFiles(disk).now).toBe(MAX_OPEN_FILES);
	});

	test("are 16 at most, also when more segments are read at once", async () => {
		const { disk, numbers, read } = await segmentsOnDisk(40);
		expect(await Promise.all(numbers.map(read))).toEqual(numbers.map(contentOf));
		expect(openFiles(disk).most).toBeLessThanOrEqual(MAX_OPEN_FILES);
	});

	test("give way in the order of their last use", async () => {
		const { disk, numbers, read } = await segmentsOnDisk(MAX_OPEN_FILES + 1);
		for (const segment of numbers.slice(0, MAX_OPEN_FILES)) await read(segment);
		await read(1);
		await read(MAX_OPEN_FILES + 1);
		const closed = disk.trace.filter(({ operation, phase }) => operation === "close" && phase === "finished");
		expect(closed.map(({ path }) => path.slice(-15))).toEqual(["00000002.ndjson"]);
	});

	test("are opened once for all who want the same one at once", async () => {
		const { disk, read } = await segmentsOnDisk(1);
		await Promise.all(Array.from({ length: 20 }, () => read(1)));
		expect(openFiles(disk)).toEqual({ now: 1, most: 1 });
	});

	test("are not closed under a read, though it is the one used longest ago", async () => {
		const { disk, numbers, read } = await segmentsOnDisk(40);
		const stalled = gate();
		disk.before = ({ operation, path }) =>
			operation === "read" && path.endsWith("00000001.ndjson") ? stalled.passed : undefined;
		const closings = () =>
			disk.trace.filter(({ operation, path, phase }) => {
				return operation === "close" && phase === "started" && path.endsWith("00000001.ndjson");
			}).length;
		const reading = read(1);
		for (const segment of numbers.slice(1)) await read(segment);
		expect(closings()).toBe(0);
		stalled.open();
		expect(await reading).toBe(contentOf(1));
		for (const segment of numbers.slice(1)) await read(segment);
		expect(closings()).toBe(1);
		expect(openFiles(disk).now).toBe(MAX_OPEN_FILES);
	});
});

describe("closing", () => {
	test("waits for reads under way, closes everything once, and refuses later reads", async () => {
		const { disk, files, read } = await segmentsOnDisk(5);
		await read(2);
		const stalled = gate();
		disk.before = ({ operation }) => (operation === "read" ? stalled.passed : undefined);
		const reading = [1, 1, 3].map(read);
		let isClosed = false;
		const closing = Promise.all([files.close(), files.close()]).then(() => {
			isClosed = true;
		});
		expect(await rejection(read(1))).toMatchObject({ reason: "closed" });
		expect(await rejection(read(4))).toMatchObject({ reason: "closed" });
		await new Promise((resolve) => setTimeout(resolve, 10));
		expect(isClosed).toBe(false);
		stalled.open();
		expect(await Promise.all(reading)).toEqual([1, 1, 3].map(contentOf));
		await closing;
		expect(openFiles(disk)).toEqual({ now: 0, most: 3 });
		await files.close();
		expect(await rejection(read(2))).toMatchObject({ reason: "closed" });
		expect(openFiles(disk)).toEqual({ now: 0, most: 3 });
	});

	test("closes also what those open that were waiting for a place", async () => {
		const { disk, files, numbers, read } = await segmentsOnDisk(MAX_OPEN_FILES + 3);
		const stalled = gate();
		disk.before = ({ operation }) => (operation === "read" ? stalled.passed : undefined);
		const reading = numbers.map(read);
		await new Promise((resolve) => setTimeout(resolve, 10));
		const closing = files.close();
		stalled.open();
		expect(await Promise.all(reading)).toEqual(numbers.map(contentOf));
		await closing;
		expect(openFiles(disk).now).toBe(0);
	});

	test("waits also for a file that is just being opened, or cannot be", async () => {
		const { disk, files, read } = await segmentsOnDisk(2);
		const stalled = gate();
		disk.before = async ({ operation, path }) => {
			if (operation !== "open") return;
			await stalled.passed;
			if (path.endsWith("00000002.ndjson")) throw systemError("EIO");
		};
		const reading = [read(1), rejection(read(2))];
		const closing = files.close();
		stalled.open();
		expect(await Promise.all(reading)).toEqual([contentOf(1), expect.objectContaining({ reason: "io" })]);
		await closing;
		expect(openFiles(disk).now).toBe(0);
	});
});

describe("a reset", () => {
	test("gives later reads the files that are there now, and ends those under way with the old ones", async () => {
		const { directory, disk, files, read } = await segmentsOnDisk(2);
		await read(1);
		const stalled = gate();
		disk.before = ({ operation }) => (operation === "read" ? stalled.passed : undefined);
		const reading = read(1);
		const other = join(directory, "other");
		await writeFile(other, "replaced");
		await rename(other, segmentPath(directory, 1));
		const resetting = files.reset();
		const later = read(1);
		stalled.open();
		expect(await reading).toBe(contentOf(1));
		expect(await later).toBe("replaced");
		await resetting;
		expect(await read(1)).toBe("replaced");
		expect(openFiles(disk)).toEqual({ now: 1, most: 2 });
	});
});
