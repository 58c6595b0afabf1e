import { mkdir, readdir, readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFsCheckpointStore } from "./checkpoint-store.js";
import { backUp, backupScene, logBytesOf, treeOf, videoAt } from "./test-backup.js";
import { scriptedDisk, unsyncedDisk } from "./test-disk.js";

describe("videos", () => {
	test("are left out when that is asked for, and the copy says so", async () => {
		const { directory, to } = await backupScene();
		const report = await backUp(directory, to, { videos: false });
		expect(report).toMatchObject({ videos: undefined, bytes: await logBytesOf(directory) });
		expect(await readdir(to)).not.toContain("videos");
		expect(JSON.parse(await readFile(join(to, "backup.json"), "utf8")).videos).toBeNull();
		expect(await backUp(directory, to)).toMatchObject({ videos: 3 });
		const backup = backUp(directory, to, { videos: false });
		await expect(backup).rejects.toThrow(/has videos: take them along again/);
	});

	test("of an earlier backup are not removed because the store's volume is not mounted", async () => {
		const { directory, to } = await backupScene();
		await backUp(directory, to);
		const before = await treeOf(to);
		await rm(join(directory, "videos"), { recursive: true });
		for (const empty of [false, true]) {
			if (empty) await mkdir(join(directory, "videos"));
			await expect(backUp(directory, to)).rejects.toThrow(/is that volume mounted/);
		}
		expect(await treeOf(to)).toEqual(before);
	});

	test("under way, suspended or not the store's are not taken", async () => {
		const { directory, to } = await backupScene();
		const hex = "ab".repeat(32);
		await writeFile(join(directory, `videos/partial/${hex}.0123456789abcdef.part`), "x");
		await writeFile(join(directory, `videos/partial/${hex}.0123456789abcdef.note`), "x");
		await mkdir(join(directory, "videos/cd"), { recursive: true });
		await writeFile(join(directory, `videos/cd/${hex}.mp4`), "in a folder that is not its own");
		await writeFile(join(directory, "videos/cd/notes.txt"), "x");
		expect((await backUp(directory, to)).videos).toBe(3);
		expect(await readdir(join(to, "videos/partial"))).toEqual([]);
		expect(await readdir(join(to, "videos/cd"))).toEqual([]);
	});

	test("that are removed while they are copied are not missed", async () => {
		const { directory, to } = await backupScene();
		const disk = scriptedDisk(unsyncedDisk());
		const removed = join(directory, await videoAt(directory, 14));
		let opened = 0;
		disk.before = async ({ operation, path }) => {
			if (operation !== "open" || path !== removed) return;
			opened += 1;
			if (opened === 2) await unlink(removed);
		};
		expect((await backUp(directory, to, { fileSystem: disk.fileSystem })).videos).toBe(2);
		expect(opened).toBe(2);
	});
});

describe("keys", () => {
	test("are copied only when they are asked for, to where the copy looks for them", async () => {
		const { root, directory, to } = await backupScene();
		const keyFile = join(root, "elsewhere");
		await writeFile(keyFile, await readFile(join(directory, "keys.json")), { mode: 0o600 });
		await backUp(directory, to, { keyFile });
		expect(await readFile(join(to, "keys.json"))).toEqual(await readFile(keyFile));
		expect((await stat(join(to, "keys.json"))).mode & 0o777).toBe(0o600);
		expect(JSON.parse(await readFile(join(to, "backup.json"), "utf8")).keys).toBe(true);
	});

	test("that are none, or are missing, end the backup before it writes", async () => {
		const { root, directory, to } = await backupScene();
		await writeFile(join(root, "none"), "{}", { mode: 0o600 });
		for (const keyFile of [join(root, "none"), join(root, "missing")]) {
			const backup = backUp(directory, to, { keyFile });
			await expect(backup).rejects.toMatchObject({ _tag: "KeyringFault", reason: "unavailable" });
		}
		expect(await readdir(to)).toEqual([]);
	});

	test("in an earlier backup are neither lost nor left behind unsaid", async () => {
		const { directory, to } = await backupScene();
		await backUp(directory, to, { keyFile: join(directory, "keys.json") });
		const before = await treeOf(to);
		await expect(backUp(directory, to)).rejects.toThrow(
			/has keys: take them along again, remove .*keys.json/,
		);
		expect(await treeOf(to)).toEqual(before);
	});
});

test("a checkpoint that is damaged or another's is no backup", async () => {
	const { directory, to } = await backupScene();
	const checkpoints = createFsCheckpointStore({ directory });
	await checkpoints.open();
	await checkpoints.save("billing", "9" as never, undefined);
	await checkpoints.close();
	const [file] = await readdir(join(directory, "checkpoints"));
	const path = join(directory, "checkpoints", file as string);
	await writeFile(path, "{}");
	await expect(backUp(directory, to)).rejects.toMatchObject({ reason: "corrupt" });
	await writeFile(path, '{"name":"other","position":"1"}');
	await expect(backUp(directory, to)).rejects.toThrow(/another subscription/);
	expect(await readdir(to)).toEqual([]);
});
