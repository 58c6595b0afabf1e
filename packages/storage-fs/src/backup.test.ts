import {
	appendFile,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	truncate,
	unlink,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { backupFsStorage } from "./backup.js";
import { encodeLost } from "./log-format.js";
import { createSocketOwnership } from "./socket-ownership.js";
import {
	backUp,
	backupScene,
	checkpointsOf,
	eventsOf,
	expectOnceSo,
	growStore,
	hasManifest,
	logBytesOf,
	makeStore,
	openFiller,
	treeOf,
	videoAt,
} from "./test-backup.js";
import { gate, scriptedDisk, systemError, temporaryDirectory, unsyncedDisk } from "./test-disk.js";
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

describe("beside a running owner", () => {
	test("a backup never has what is not synced, and has all that is", async () => {
		const root = await temporaryDirectory();
		const directory = join(root, "data");
		const disk = scriptedDisk();
		const ownership = createSocketOwnership();
		const store = await openStore(directory, { fileSystem: disk.fileSystem, ownership });
		await store.append("a", [newEvent("synced")], "any");
		const stalled = gate();
		disk.before = ({ operation, path }) =>
			operation === "datasync" && path.endsWith(".ndjson") ? stalled.passed : undefined;
		const append = store.append("a", [newEvent("unsynced")], "any");
		const log = segmentFile(directory, 1);
		while (!(await readFile(log, "utf8")).includes("unsynced")) await new Promise(setImmediate);
		const to = join(root, "copy");
		const report = await backupFsStorage({ directory, to });
		expect(report.position).toBe("1");
		expect((await eventsOf(to)).map(({ data }) => data.note)).toEqual(["synced"]);
		expect(await readFile(segmentFile(to, 1), "utf8")).not.toContain("unsynced");
		expect((await readdir(directory)).filter((name) => name.endsWith(".sock"))).toHaveLength(1);
		expect((await readdir(to)).filter((name) => name.endsWith(".sock"))).toEqual([]);
		stalled.open();
		await append;
		expect((await backupFsStorage({ directory, to })).position).toBe("2");
	});

	test("a backup is of one moment, whatever happens while it is made", async () => {
		const root = await temporaryDirectory();
		const directory = join(root, "data");
		const ownership = createSocketOwnership();
		const filler = await openFiller(directory, { ownership });
		await filler.append(3);
		await filler.moveCheckpoint("archiver");
		const disk = scriptedDisk(unsyncedDisk());
		let calls = 0;
		let videos = 0;
		disk.before = async () => {
			calls += 1;
			if (calls % 9 !== 0 || videos > 30) return;
			videos += 1;
			await filler.append(2);
			await filler.keepVideo(`video-${calls}`, 1000);
			await filler.moveCheckpoint("archiver");
		};
		for (const round of [1, 2, 3]) {
			videos = 0;
			const [before] = await collect(filler.store.readAll({ direction: "backward", limit: 1 }));
			const to = join(root, `copy-${Math.min(round, 2)}`);
			const { position } = await backupFsStorage({ directory, to, fileSystem: disk.fileSystem });
			expect(videos).toBeGreaterThan(5);
			const events = await expectOnceSo(to, directory);
			expect(events.at(-1)?.position).toBe(position);
			expect(Number(position)).toBeGreaterThanOrEqual(Number(before?.position));
			expect(await checkpointsOf(to)).toHaveLength(1);
			expect(await readdir(join(to, "videos/partial"))).toEqual([]);
		}
		await filler.close();
	});

	test("a backup goes by the log, when an owner comes or goes while it is read", async () => {
		const root = await temporaryDirectory();
		const directory = join(root, "data");
		const ownership = createSocketOwnership();
		await makeStore(directory);
		let asked = 0;
		let filler: Awaited<ReturnType<typeof openFiller>> | undefined;
		const fickle = {
			...ownership,
			async connect(path: string) {
				asked += 1;
				const connection = await ownership.connect(path);
				if (asked === 1) {
					expect(connection).toBeUndefined();
					filler = await openFiller(directory, { ownership });
					await filler.append(3);
				}
				// Gone between the hello and the question.
				if (asked === 2)
					return { ...connection, close: () => connection?.close(), durable: async () => undefined } as never;
				return connection;
			},
		};
		const { position } = await backUp(directory, join(root, "copy"), { ownership: fickle });
		expect(position).toBe("17");
		expect(asked).toBeGreaterThan(3);
		await expectOnceSo(join(root, "copy"), directory);
		await filler?.close();
	});
});

describe("without an owner", () => {
	test("a torn tail is left where it is", async () => {
		const { directory, to } = await backupScene();
		const last = segmentFile(directory, await countSegmentFiles(directory));
		await appendFile(last, '{"position":"15","rem');
		const torn = await treeOf(directory);
		expect((await backUp(directory, to)).position).toBe("14");
		expect(await readFile(join(to, last.slice(directory.length)), "utf8")).not.toContain('"15"');
		expect(await treeOf(directory)).toEqual(torn);
		await expectOnceSo(to, directory);
	});

	test("what one has undone that came and went meanwhile is not taken", async () => {
		const { root, directory } = await backupScene();
		const segments = await countSegmentFiles(directory);
		const last = segmentFile(directory, segments);
		const lines = (await readFile(last, "utf8")).split(/(?<=\n)/);
		await rm(indexFile(directory, segments));
		await rm(join(directory, "checkpoints"), { recursive: true });
		const undo = [
			() => truncate(last, lines.slice(0, -1).join("").length),
			async () => {
				await writeFile(`${last}.new`, lines.slice(0, -2).join(""));
				await rename(`${last}.new`, last);
			},
			() => unlink(last),
		];
		const positions = ["13", "12", String(15 - lines.length)];
		for (const [round, step] of undo.entries()) {
			let asked = 0;
			const ownership = {
				...soleOwnership,
				async connect() {
					asked += 1;
					if (asked === 2) await step();
					return undefined;
				},
			};
			const to = join(root, `copy-${round}`);
			const { position } = await backUp(directory, to, { ownership });
			expect(position).toBe(positions[round]);
			expect(asked).toBe(4);
			await expectOnceSo(to, directory);
		}
	});

	test("what was written last by a process that was killed is taken too: it may have been acknowledged", async () => {
		const root = await temporaryDirectory();
		const directory = join(root, "data");
		const filler = await openFiller(directory);
		await filler.append(3);
		// Nothing but the owner could say that the last one is durable.
		const { position } = await backUp(directory, join(root, "copy"));
		expect(position).toBe("3");
		const copy = await openStore(join(root, "copy"));
		expect(await collect(copy.readAll())).toHaveLength(3);
		await filler.close();
	});

	test("the log is synced before it is copied, and a sync that fails is no obstacle", async () => {
		const { root, directory, to } = await backupScene();
		const disk = scriptedDisk();
		await backUp(directory, to, { fileSystem: disk.fileSystem });
		const last = segmentFile(directory, await countSegmentFiles(directory));
		const synced = disk.trace.findIndex(
			({ operation, path, phase }) => operation === "datasync" && path === last && phase === "finished",
		);
		const written = disk.trace.findIndex(
			({ operation, path }) => operation === "write" && path.startsWith(to),
		);
		expect(synced).toBeGreaterThan(0);
		expect(written).toBeGreaterThan(synced);
		disk.before = ({ operation, path }) => {
			if (operation === "datasync" && path === last) throw systemError("EIO");
		};
		await backUp(directory, join(root, "other"), { fileSystem: disk.fileSystem });
		await expectOnceSo(join(root, "other"), directory);
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
