import { appendFile, readdir, readFile, rename, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { backupFsStorage } from "./backup.js";
import { createSocketOwnership } from "./socket-ownership.js";
import {
	backUp,
	backupScene,
	checkpointsOf,
	eventsOf,
	expectOnceSo,
	makeStore,
	openFiller,
	treeOf,
} from "./test-backup.js";
import { gate, scriptedDisk, systemError, temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import {
	collect,
	countSegmentFiles,
	indexFile,
	newEvent,
	openStore,
	segmentFile,
	soleOwnership,
} from "./test-store.js";

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
