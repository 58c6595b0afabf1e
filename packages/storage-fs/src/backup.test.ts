import { appendFile, readdir, readFile, rm, stat, truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeLost } from "./log-format.js";
import {
	backUp,
	backupScene,
	eventsOf,
	growStore,
	hasManifest,
	logBytesOf,
	openFiller,
	treeOf,
	videoAt,
} from "./test-backup.js";
import { scriptedDisk, temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import {
	clock,
	collect,
	countSegmentFiles,
	indexFile,
	keepingLogger,
	newEvent,
	openStore,
	segmentFile,
	soleOwnership,
} from "./test-store.js";

describe("a backup", () => {
	test("has what the store has, byte for byte, and says so", async () => {
		const { directory, to } = await backupScene();
		const report = await backUp(directory, to);
		const [source, copy] = [await treeOf(directory), await treeOf(to)];
		const added = [...copy.keys()].filter((name) => !source.has(name));
		const missing = [...source.keys()].filter((name) => !copy.has(name));
		expect(added).toEqual(["backup.json"]);
		expect(missing).toEqual(["keys.json"]);
		for (const [name, content] of copy) {
			if (name !== "backup.json") expect(content === source.get(name), name).toBe(true);
		}
		const segments = await countSegmentFiles(directory);
		expect(segments).toBeGreaterThan(3);
		const bytes = (await logBytesOf(directory)) + 1_200_005;
		expect(report).toEqual({
			takenAt: clock.now(),
			position: "14",
			segments,
			checkpoints: 2,
			videos: 3,
			bytes,
			copiedBytes: bytes,
			removedVideos: 0,
		});
		expect(JSON.parse(await readFile(join(to, "backup.json"), "utf8"))).toEqual({
			reelkeep: "backup",
			format: 1,
			takenAt: new Date(clock.now()).toISOString(),
			position: "14",
			segments,
			segmentBytes: (await stat(segmentFile(directory, segments))).size,
			checkpoints: 2,
			videos: 3,
			bytes,
			keys: false,
		});
	});

	test("is a data directory: it opens without a word, and goes on", async () => {
		const { directory, to } = await backupScene();
		await backUp(directory, to);
		const { logger, said } = keepingLogger();
		const disk = scriptedDisk(unsyncedDisk());
		const store = await openStore(to, { logger, fileSystem: disk.fileSystem });
		expect(said).toEqual([]);
		expect(
			disk.trace.filter(({ operation, path }) => operation === "write" && path.endsWith(".ndjson")),
		).toEqual([]);
		expect(await eventsOf(directory)).toMatchObject(await collect(store.readAll()));
		expect(await store.append("s-1", [newEvent()], "any")).toMatchObject({ position: "15" });
		await store.close();
	});

	test("knows that all of it was durable: a copy whose end is damaged later does not open", async () => {
		const { directory, to } = await backupScene();
		await backUp(directory, to);
		const last = segmentFile(to, await countSegmentFiles(to));
		await truncate(last, (await stat(last)).size - 1);
		await expect(openStore(to)).rejects.toMatchObject({ reason: "corrupt" });
	});

	test("keeps files and directories to their owner", async () => {
		const { to, directory } = await backupScene();
		await backUp(directory, to);
		const modes = [...(await treeOf(to))].map(([name, content]) => [/\./.test(name), content.slice(0, 3)]);
		expect(new Set(modes.map(String))).toEqual(new Set(["true,600", "false,700"]));
		expect((await stat(to)).mode & 0o777).toBe(0o700);
	});

	test("of a store that has nothing yet is one that has nothing", async () => {
		const root = await temporaryDirectory();
		const directory = join(root, "data");
		await (await openFiller(directory)).close();
		const report = await backUp(directory, join(root, "copy"));
		expect(report).toMatchObject({ position: "0", segments: 1, checkpoints: 0, videos: 0 });
		expect(await eventsOf(join(root, "copy"))).toEqual([]);
	});

	test("has the line that tells of lost events", async () => {
		const { directory, to } = await backupScene();
		const { repairFsStorage } = await import("./repair.js");
		const segment = segmentFile(directory, 2);
		const log = await readFile(segment, "latin1");
		const lost = /"firstPosition":"(\d+)"/.exec(log)?.[1];
		await writeFile(segment, log.replace("xxx", "xyx"), "latin1");
		const { found } = await repairFsStorage({
			directory,
			clock,
			fileSystem: unsyncedDisk(),
			ownership: soleOwnership,
		});
		expect(found.damages.length).toBe(1);
		await backUp(directory, to);
		expect(await eventsOf(to)).toEqual(await eventsOf(directory));
		expect((await eventsOf(to)).map(({ position }) => position)).not.toContain(lost);
		expect(await readFile(segmentFile(to, 2))).toEqual(await readFile(segment));
	});

	test("has lines of a repair that stand for no event, wherever they are", async () => {
		const { directory, to } = await backupScene();
		const segments = await countSegmentFiles(directory);
		const [second, last] = [segmentFile(directory, 2), segmentFile(directory, segments)];
		const [header = "", ...records] = (await readFile(second, "utf8")).split(/(?<=\n)/);
		const first = Number(/"firstPosition":"(\d+)"/.exec(header)?.[1]);
		const nothing = (first: number) => encodeLost({ first, last: first - 1 }, "events/damaged/none");
		await writeFile(
			second,
			Buffer.concat([Buffer.from(header), nothing(first), Buffer.from(records.join(""))]),
		);
		await appendFile(last, nothing(15));
		for (let at = 1; at <= segments; at += 1) await unlink(indexFile(directory, at));
		for (const _ of [1, 2]) {
			await backUp(directory, to);
			for (const at of [2, segments]) {
				expect(await readFile(segmentFile(to, at))).toEqual(await readFile(segmentFile(directory, at)));
			}
			expect(await eventsOf(to)).toHaveLength(14);
		}
	});

	test("tells how far it is, up to all of it", async () => {
		const { directory, to } = await backupScene();
		const told: number[] = [];
		let total = 0;
		const { bytes } = await backUp(directory, to, {
			onProgress({ doneBytes, totalBytes }) {
				told.push(doneBytes);
				total = totalBytes;
			},
		});
		expect(told).toEqual([...told].sort((a, b) => a - b));
		expect([told.at(-1), total]).toEqual([bytes, bytes]);
		expect(told.length).toBeGreaterThan(8);
	});

	test("holds no more than a piece of a file in memory", async () => {
		const { directory, to } = await backupScene();
		const disk = scriptedDisk(unsyncedDisk());
		await backUp(directory, to, { fileSystem: disk.fileSystem });
		const sizes = disk.trace.map(({ from = 0, to: end = 0 }) => end - from);
		expect(Math.max(...sizes)).toBe(1024 * 1024);
	});
});

describe("a second backup to the same place", () => {
	test("ends as a first one would, and copies only what is new", async () => {
		const { root, directory, to } = await backupScene();
		const first = await backUp(directory, to);
		const { size } = await stat(segmentFile(directory, first.segments));
		await growStore(directory);
		expect((await stat(segmentFile(directory, first.segments))).size).toBeGreaterThan(size);
		const [gone] = await readdir(join(directory, "checkpoints"));
		await unlink(join(directory, "checkpoints", gone as string));
		await unlink(join(directory, await videoAt(directory, 14)));
		const disk = scriptedDisk(unsyncedDisk());
		const report = await backUp(directory, to, { fileSystem: disk.fileSystem });
		await backUp(directory, join(root, "fresh"));
		expect(await treeOf(to)).toEqual(await treeOf(join(root, "fresh")));
		expect(report).toMatchObject({ removedVideos: 1, videos: 3, position: "20" });

		// The last segment of the first backup has grown since; those before it have not.
		const written = disk.trace.filter(
			({ operation, phase }) => operation === "write" && phase === "finished",
		);
		const names = written.map(({ path }) => path.slice(to.length + 1));
		const segments = names.flatMap((name) => /(\d{8})\.ndjson/.exec(name)?.[1] ?? []).map(Number);
		expect(Math.min(...segments)).toBe(first.segments);
		expect(names.filter((name) => name.startsWith("videos"))).toHaveLength(1);
		expect(report.copiedBytes).toBeLessThan(110_000);
		expect(report.bytes - report.copiedBytes).toBeGreaterThan(1_200_000);
	});

	test("of a store in which nothing happened writes no segment, index, checkpoint or video", async () => {
		const { directory, to } = await backupScene();
		await backUp(directory, to);
		const before = await treeOf(to);
		const disk = scriptedDisk(unsyncedDisk());
		const report = await backUp(directory, to, { fileSystem: disk.fileSystem });
		const written = disk.trace.filter(({ operation }) => operation === "write").map(({ path }) => path);
		expect(new Set(written)).toEqual(new Set([join(to, "backup.partial.json.new")]));
		// Whoever gave the names may have crashed before they were synced.
		const synced = disk.trace
			.filter(({ operation }) => operation === "syncDirectory")
			.map(({ path }) => path);
		for (const name of before.keys()) {
			if (/[.](json|mp4|ndjson|index)$/.test(name)) expect(synced).toContain(join(to, name, ".."));
		}
		for (const folder of ["videos/partial", "..", "../.."]) expect(synced).toContain(join(to, folder));
		expect(report).toMatchObject({ copiedBytes: 0, videos: 3, position: "14" });
		expect(await treeOf(to)).toEqual(before);
	});

	test("mends what is not as it left it, and removes what a crash left", async () => {
		const { root, directory, to } = await backupScene();
		await backUp(directory, to);
		await writeFile(join(to, await videoAt(directory, 8)), "short");
		await unlink(join(to, "events/00000001.index"));
		await unlink(join(to, "events/00000003.index"));
		const [checkpoint = ""] = await readdir(join(to, "checkpoints"));
		await appendFile(join(to, "checkpoints", checkpoint), " ");
		for (const leftover of [
			"events/00000001.ndjson.part.new",
			"events/00000002.ndjson.new",
			"events/00000001.index.new",
			`checkpoints/${checkpoint}.new`,
			`checkpoints/${"ab".repeat(32)}.json.new`,
			`videos/partial/${"ab".repeat(32)}.0000000000000000.part`,
		]) {
			await writeFile(join(to, leftover), "left", { mode: 0o600 });
		}
		await backUp(directory, to);
		await backUp(directory, join(root, "fresh"));
		expect(await treeOf(to)).toEqual(await treeOf(join(root, "fresh")));
	});

	test("has new index files when those of the store have a new key", async () => {
		const { root, directory, to } = await backupScene();
		await backUp(directory, to);
		for (let at = 1; at <= (await countSegmentFiles(directory)); at += 1) await rm(indexFile(directory, at));
		await (await openFiller(directory)).close();
		await backUp(directory, to);
		await backUp(directory, join(root, "fresh"));
		expect(await treeOf(to)).toEqual(await treeOf(join(root, "fresh")));
	});

	test("has no manifest until it is whole", async () => {
		const { directory, to } = await backupScene();
		await backUp(directory, to);
		await growStore(directory);
		const disk = scriptedDisk(unsyncedDisk());
		const states: boolean[] = [];
		disk.before = async ({ operation, path }) => {
			if (operation === "write" && path.startsWith(to)) states.push(await hasManifest(to));
		};
		await backUp(directory, to, { fileSystem: disk.fileSystem });
		expect(states.length).toBeGreaterThan(5);
		expect(states).not.toContain(true);
		const partial = join(to, "backup.partial.json");
		const done = disk.trace.filter(({ phase, path }) => phase === "finished" && path.startsWith(to));
		const begun = done.findIndex(({ operation, path }) => operation === "rename" && path === partial);
		expect(done[begun + 1]).toMatchObject({ operation: "syncDirectory", path: to });
		expect(await hasManifest(to)).toBe(true);
	});
});

describe("the order of writing", () => {
	test("syncs each file before its name is given, each name before the manifest's", async () => {
		const { directory, to } = await backupScene();
		const disk = scriptedDisk();
		await backUp(directory, to, { fileSystem: disk.fileSystem });
		const done = disk.trace.filter(({ phase, path }) => phase === "finished" && path.startsWith(to));
		const renames = done.flatMap(({ operation, path }, at) => (operation === "rename" ? [{ path, at }] : []));
		const manifest = renames.at(-1);
		expect(manifest?.path).toBe(join(to, "backup.json"));
		expect(renames.length).toBeGreaterThan(10);
		const written = done.filter(({ operation }) => operation === "write").map(({ handle }) => handle);
		for (const handle of new Set(written)) {
			const calls = done.filter((call) => call.handle === handle).map(({ operation }) => operation);
			expect(calls.slice(-2)).toEqual(["datasync", "close"]);
		}
		for (const { path, at } of renames) {
			const synced = done.findIndex(
				(call, later) => later > at && call.operation === "syncDirectory" && call.path === join(path, ".."),
			);
			expect(synced, path).toBeGreaterThan(at);
			// Of two segments, the second must not be there without the first.
			const next = renames.find((rename) => rename.at > at && rename.path.endsWith(".ndjson"));
			if (path.endsWith(".ndjson")) expect(synced).toBeLessThan(next?.at ?? Number.POSITIVE_INFINITY);
			if (path !== manifest?.path) expect(synced, path).toBeLessThan(manifest?.at ?? 0);
		}
		expect(done.at(-1)).toMatchObject({ operation: "syncDirectory", path: to });
	});
});
