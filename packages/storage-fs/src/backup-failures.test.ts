import { cp, mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
	backUp,
	backupScene,
	damage,
	eventsOf,
	expectOnceSo,
	growStore,
	hasManifest,
	logBytesOf,
	openFiller,
	treeOf,
	videoAt,
} from "./test-backup.js";
import {
	type DiskCall,
	type ScriptedDisk,
	scriptedDisk,
	systemError,
	temporaryDirectory,
	unsyncedDisk,
} from "./test-disk.js";
import { countSegmentFiles, indexFile, newEvent, rejection, segmentFile } from "./test-store.js";

/** Of all the calls to the disk every so manieth is made to fail, and each of the last; 1: each of them. */
const STEP = Number(process.env.REELKEEP_BACKUP_FAILURES_STEP ?? 17);
const LAST_CALLS = 8;

const newDisk = (): ScriptedDisk => scriptedDisk(unsyncedDisk());

/** Runs a backup of which call number `at` fails; `isCrash`: and every call behind it, so that nothing is tidied up. */
async function failAt(at: number, isCrash: boolean, directory: string, to: string) {
	const disk = newDisk();
	let calls = 0;
	let failed: DiskCall | undefined;
	disk.before = (call) => {
		calls += 1;
		if (calls < at || (calls > at && !isCrash)) return;
		failed ??= call;
		throw systemError("EIO");
	};
	const fault = await rejection(backUp(directory, to, { fileSystem: disk.fileSystem }));
	return { fault, failed };
}

describe.each([
	{ which: "a first backup", isSecond: false },
	{ which: "one that brings another up to date", isSecond: true },
])("$which", ({ isSecond }) => {
	test.each([
		{ ends: "fails", isCrash: false },
		{ ends: "dies", isCrash: true },
	])(
		"wherever it $ends, leaves what the store once was, and goes on",
		async ({ isCrash }) => {
			const { root, directory, to } = await backupScene();
			const goneLater = join(directory, "videos/ff");
			await mkdir(goneLater);
			await writeFile(join(goneLater, `${"ff".repeat(32)}.mp4`), "no event tells of it");
			await backUp(directory, to);
			const earlier = await treeOf(to);
			await growStore(directory);
			await rm(join(goneLater, `${"ff".repeat(32)}.mp4`));
			await backUp(directory, join(root, "fresh"));
			const whole = await treeOf(join(root, "fresh"));
			const store = await treeOf(directory);
			const newTarget = async (name: string) => {
				if (isSecond) await cp(to, join(root, name), { recursive: true });
				return join(root, name);
			};
			const disk = newDisk();
			await backUp(directory, await newTarget("counted"), { fileSystem: disk.fileSystem });
			const calls = disk.trace.filter(({ phase }) => phase === "started").length;
			expect(calls).toBeGreaterThan(150);

			let unfinished = 0;
			for (let at = 1; at <= calls; at += calls - at > LAST_CALLS + STEP ? STEP : 1) {
				const copy = await newTarget(`copy-${at}`);
				const { fault, failed } = await failAt(at, isCrash, directory, copy);
				const where = `call ${at} of ${calls}: ${failed?.operation} ${failed?.path}`;
				if (fault !== undefined) expect(fault, where).toMatchObject({ _tag: "StoreFault", reason: "io" });
				if (await hasManifest(copy)) {
					const tree = await treeOf(copy);
					expect(tree, where).toEqual(
						isSecond && fault !== undefined && tree.size < whole.size ? earlier : whole,
					);
				} else {
					unfinished += 1;
					expect(fault, where).toBeDefined();
					if (await hasLog(copy)) await expectOnceSo(copy, directory);
				}
				await backUp(directory, copy);
				expect(await treeOf(copy), where).toEqual(whole);
			}
			expect(unfinished).toBeGreaterThan(calls / STEP / 3);
			expect(await treeOf(directory)).toEqual(store);
		},
		600_000,
	);
});

test("one that brings another up to date is what the store once was at every step, also while it runs", async () => {
	const { directory, to } = await backupScene();
	await backUp(directory, to);
	await growStore(directory);
	const disk = newDisk();
	const positions: number[] = [];
	disk.after = async ({ operation, path }) => {
		if (!path.startsWith(to) || !["rename", "unlink"].includes(operation)) return;
		positions.push((await expectOnceSo(to, directory)).length);
	};
	await backUp(directory, to, { fileSystem: disk.fileSystem });
	expect(positions.at(0)).toBe(14);
	expect(positions.at(-1)).toBe(20);
	expect(new Set(positions).size).toBeGreaterThan(2);
	expect(positions).toEqual([...positions].sort((a, b) => a - b));
});

async function hasLog(directory: string): Promise<boolean> {
	return readFile(segmentFile(directory, 1)).then(
		() => true,
		() => false,
	);
}

test("a backup that was ended goes on where it stopped, in the segments and in the videos", async () => {
	const { root, directory, to } = await backupScene();
	const stopping = new AbortController();
	const reason = new Error("enough");
	const logBytes = await logBytesOf(directory);
	let last = 0;
	const ended = backUp(directory, to, {
		signal: stopping.signal,
		onProgress({ doneBytes }) {
			last = doneBytes;
			// In the middle of the large video.
			if (doneBytes > logBytes + 1_000_000) stopping.abort(reason);
		},
	});
	expect(await rejection(ended)).toBe(reason);
	expect(last).toBeLessThan(logBytes + 1_200_000);
	expect(await hasManifest(to)).toBe(false);
	const disk = newDisk();
	const { copiedBytes, bytes } = await backUp(directory, to, { fileSystem: disk.fileSystem });
	const written = disk.trace.filter(({ operation }) => operation === "write").map(({ path }) => path);
	expect(written.filter((path) => path.includes(".ndjson"))).toEqual([]);
	expect(bytes - copiedBytes).toBeGreaterThanOrEqual(logBytes);
	await backUp(directory, join(root, "fresh"));
	expect(await treeOf(to)).toEqual(await treeOf(join(root, "fresh")));
	const aborted = backUp(directory, join(root, "never"), { signal: AbortSignal.abort(reason) });
	expect(await rejection(aborted)).toBe(reason);
});

test.each(["ENOSPC", "EDQUOT"])("a target that is full (%s) is said, and harms nothing", async (code) => {
	const { root, directory, to } = await backupScene();
	const store = await treeOf(directory);
	for (const full of ["00000002.ndjson.part.new", ".part", ".index.new", ".json.new"]) {
		const disk = newDisk();
		disk.before = ({ operation, path }) => {
			if (operation === "write" && path.startsWith(to) && path.endsWith(full)) throw systemError(code);
		};
		const fault = await rejection(backUp(directory, to, { fileSystem: disk.fileSystem }));
		expect(fault).toMatchObject({
			reason: "io",
			retryable: true,
			message: expect.stringMatching(/^there is no room for the backup in .*: make room and run it again/),
		});
		expect(await hasManifest(to)).toBe(false);
	}
	expect(await treeOf(directory)).toEqual(store);
	await backUp(directory, to);
	await backUp(directory, join(root, "fresh"));
	expect(await treeOf(to)).toEqual(await treeOf(join(root, "fresh")));
});

describe("damage in the store", () => {
	test("of any line ends the backup, with segment and byte, also where its index file hides it", async () => {
		const { directory, to } = await backupScene();
		const segments = await countSegmentFiles(directory);
		for (const segment of [1, 2, segments]) {
			const path = segmentFile(directory, segment);
			const sound = await readFile(path);
			const firstLine = sound.indexOf("\n") + 1;
			for (const at of [5, firstLine + 200, sound.length - 40, sound.length - 1]) {
				await damage(path, at);
				const store = await treeOf(directory);
				const fault = await rejection(backUp(directory, to));
				expect(fault, `${segment}, ${at}`).toMatchObject({
					reason: "corrupt",
					message: expect.stringMatching(
						new RegExp(`segment ${String(segment).padStart(8, "0")}[.]ndjson, (byte|its end)`),
					),
				});
				expect(await hasManifest(to)).toBe(false);
				expect(await treeOf(directory)).toEqual(store);
				await damage(path, at);
			}
		}
		await backUp(directory, to);
		await expectOnceSo(to, directory);
	});

	test("of the end of a line is found wherever the pieces end that are read", async () => {
		const root = await temporaryDirectory();
		const directory = join(root, "data");
		const filler = await openFiller(directory, { segmentBytes: 16 * 1024 * 1024 });
		for (let at = 0; at < 8; at += 1) {
			await filler.store.append("large", [newEvent("x".repeat(300_000))], "any");
		}
		await filler.close();
		const path = segmentFile(directory, 1);
		const sound = await readFile(path);
		for (let at = sound.indexOf("\n"); at !== -1; at = sound.indexOf("\n", at + 1)) {
			await damage(path, at);
			expect(await rejection(backUp(directory, join(root, "copy")))).toMatchObject({ reason: "corrupt" });
			await damage(path, at);
		}
		expect((await backUp(directory, join(root, "copy"))).position).toBe("8");
	});

	test("that comes while it is copied ends the backup too", async () => {
		const { directory, to } = await backupScene();
		const last = segmentFile(directory, await countSegmentFiles(directory));
		const { length } = await readFile(last);
		const disk = newDisk();
		disk.before = async ({ operation, path }) => {
			if (operation === "open" && path.endsWith("00000001.ndjson.part.new")) await truncate(last, length - 1);
		};
		const fault = await rejection(backUp(directory, to, { fileSystem: disk.fileSystem }));
		expect(fault).toMatchObject({
			reason: "corrupt",
			message: expect.stringContaining("position 14 is not what"),
		});
		expect(await hasManifest(to)).toBe(false);
	});

	test("does not reach an earlier backup, whose segments stay as they are", async () => {
		const { directory, to } = await backupScene();
		await backUp(directory, to);
		const events = await eventsOf(to);
		await growStore(directory);
		await damage(segmentFile(directory, await countSegmentFiles(directory)), -40);
		expect(await rejection(backUp(directory, to))).toMatchObject({ reason: "corrupt" });
		expect(await eventsOf(to)).toEqual(events);
		await expectOnceSo(to, to);
	});

	test("of an index file is no damage: it is made anew", async () => {
		const { directory, to } = await backupScene();
		await damage(indexFile(directory, 2), -1);
		await backUp(directory, to);
		await expectOnceSo(to, directory);
		expect((await readFile(indexFile(to, 2))).length).toBe((await readFile(indexFile(directory, 2))).length);
	});

	test("of a video that cannot be read, or changes its size, ends the backup and names it", async () => {
		const { directory, to } = await backupScene();
		const video = join(directory, await videoAt(directory, 8));
		const disk = newDisk();
		disk.before = ({ operation, path, from }) => {
			if (operation === "read" && path === video && from === 1024 * 1024) throw systemError("EIO");
		};
		const fault = await rejection(backUp(directory, to, { fileSystem: disk.fileSystem }));
		expect(fault).toMatchObject({
			reason: "io",
			message: expect.stringContaining(`reading the video ${video} failed`),
		});
		disk.before = async ({ operation, path, from }) => {
			if (operation === "read" && path === video && from === 1024 * 1024) await truncate(video, 7);
		};
		const changed = await rejection(backUp(directory, to, { fileSystem: disk.fileSystem }));
		expect((changed as Error).message).toMatch(/changed while it was copied [(]1200000 bytes, then/);
	});
});
