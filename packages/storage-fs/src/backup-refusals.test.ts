import {
	cp,
	mkdir,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	symlink,
	truncate,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { backupFsStorage } from "./backup.js";
import { encodeHeader } from "./log-format.js";
import { createSocketOwnership } from "./socket-ownership.js";
import {
	backUp,
	backupScene,
	expectOnceSo,
	growStore,
	hasManifest,
	makeStore,
	openFiller,
	treeOf,
} from "./test-backup.js";
import { unsyncedDisk } from "./test-disk.js";
import { clock, countSegmentFiles, rejection, segmentFile, soleOwnership } from "./test-store.js";

/** That a backup to `to` is refused in such words, and changes nothing there. */
async function expectRefused(directory: string, to: string, words: RegExp): Promise<void> {
	const before = await treeOf(to).catch(() => undefined);
	const fault = await rejection(backUp(directory, to));
	expect(fault).toMatchObject({ _tag: "StoreFault", reason: "io", retryable: false });
	expect((fault as Error).message).toMatch(words);
	expect(await treeOf(to).catch(() => undefined)).toEqual(before);
}

describe("a backup is refused", () => {
	test("into its own store, by whatever name", async () => {
		const { root, directory } = await backupScene();
		await symlink(directory, join(root, "link"));
		await symlink(join(directory, "videos"), join(root, "videos"));
		await mkdir(join(directory, "empty"));
		const isStore = /is the store itself/;
		const liesInside = /lies in the store in .*data; name a directory elsewhere/;
		await expectRefused(directory, directory, isStore);
		await expectRefused(directory, `${directory}/videos/..`, isStore);
		await expectRefused(directory, join(root, "link"), isStore);
		await expectRefused(join(root, "link"), directory, isStore);
		for (const inside of [
			join(directory, "copy"),
			join(directory, "empty"),
			join(directory, "deep", "er"),
			join(directory, "..copy"),
			join(root, "link", "copy"),
			join(root, "videos", "copy"),
			join(root, "videos"),
		]) {
			await expectRefused(directory, inside, liesInside);
			await expectRefused(join(root, "link"), inside, /lies in the store/);
		}
		expect(await readdir(directory)).not.toContain("copy");
	});

	test("but not beside it, where the name begins alike, or when a link leads elsewhere", async () => {
		const { root, directory } = await backupScene();
		await mkdir(join(root, "elsewhere"));
		await symlink(join(root, "elsewhere"), join(root, "link"));
		for (const to of [`${directory}-copy`, join(root, "..copy"), join(root, "link")]) {
			await backUp(directory, to);
			await expectOnceSo(to, directory);
		}
	});

	test("to what is neither empty nor a backup", async () => {
		const { root, directory } = await backupScene();
		await makeStore(join(root, "other"));
		await mkdir(join(root, "notes"));
		await writeFile(join(root, "notes", "a.txt"), "");
		await writeFile(join(root, "file"), "");
		await expectRefused(
			directory,
			join(root, "other"),
			/is neither empty nor a backup; name an empty directory/,
		);
		await expectRefused(directory, join(root, "notes"), /is neither empty nor a backup/);
		const fault = await rejection(backUp(directory, join(root, "file")));
		expect((fault as Error).message).toMatch(/ENOTDIR.*a file is in its place/);
		await rm(join(root, "notes", "a.txt"));
		for (const content of ["", "{}", "null", '{"reelkeep":"event-log","format":1}']) {
			await writeFile(join(root, "notes", "backup.json"), content);
			await expectRefused(directory, join(root, "notes"), /backup.json is not what a backup writes/);
		}
		await writeFile(join(root, "notes", "backup.json"), '{"reelkeep":"backup","format":2}');
		await expectRefused(directory, join(root, "notes"), /has format 2, and this version .* writes format 1/);
	});

	test("but not to a new volume, or where the very first step was cut short", async () => {
		const { root, directory, to } = await backupScene();
		await mkdir(join(to, "lost+found"), { recursive: true });
		await writeFile(join(to, "backup.partial.json.new"), "{");
		await writeFile(join(to, "owner.7.sock"), "");
		await backUp(directory, to);
		await expectOnceSo(to, directory);
		expect(await readdir(to)).not.toContain("backup.partial.json.new");
		expect(await readdir(root)).toContain("deep");
	});

	test("to the backup of another store", async () => {
		const { root, directory, to } = await backupScene();
		await makeStore(join(root, "other"));
		await backUp(join(root, "other"), to);
		await expectRefused(
			directory,
			to,
			/are not what the log in .*data begins with: it is a backup of another store/,
		);
		await rename(join(to, "backup.json"), join(to, "backup.partial.json"));
		await expectRefused(directory, to, /another store/);
		expect(await hasManifest(to)).toBe(false);
	});

	test("to a backup that was ahead of the store, or on which a server ran", async () => {
		const { root, directory, to } = await backupScene();
		await cp(directory, join(root, "restored"), { recursive: true });
		await growStore(directory);
		await backUp(directory, to);
		await expectRefused(join(root, "restored"), to, /gone its own way/);
		await backUp(join(root, "restored"), join(root, "served"));
		const filler = await openFiller(join(root, "served"));
		await filler.append(1);
		await filler.close();
		await rm(join(root, "served", "keys.json"));
		await expectRefused(directory, join(root, "served"), /a server ran on the backup/);
		// Also when it has just as many events, of just as many bytes.
		await growStore(join(root, "restored"));
		await expectRefused(join(root, "restored"), to, /gone its own way/);
	});

	test("to a backup in which a segment is short, missing or too many", async () => {
		const { root, directory, to } = await backupScene();
		await backUp(directory, to);
		const segments = await countSegmentFiles(directory);
		const breaks = {
			short: async (copy: string) => {
				const lines = (await readFile(segmentFile(copy, 1), "utf8")).split(/(?<=\n)/);
				await writeFile(segmentFile(copy, 1), lines.slice(0, -1).join(""));
			},
			missing: (copy: string) => rm(segmentFile(copy, 2)),
			torn: (copy: string) => truncate(segmentFile(copy, segments), 200),
			"too many": (copy: string) =>
				writeFile(
					segmentFile(copy, segments + 1),
					encodeHeader({ segment: segments + 1, firstPosition: 15 }),
				),
		};
		for (const [name, breakIt] of Object.entries(breaks)) {
			const copy = join(root, name);
			await cp(to, copy, { recursive: true });
			await breakIt(copy);
			await expectRefused(directory, copy, /gone its own way/);
		}
	});

	test("but not to one that a server only opened", async () => {
		const { root, directory, to } = await backupScene();
		await backUp(directory, to);
		const filler = await openFiller(to);
		await filler.close();
		await rm(join(to, "keys.json"));
		await growStore(directory);
		await backUp(directory, to);
		await backUp(directory, join(root, "fresh"));
		expect(await treeOf(to)).toEqual(await treeOf(join(root, "fresh")));
	});

	test("of what is no store, and makes no directory", async () => {
		const { root, to } = await backupScene();
		await mkdir(join(root, "empty"));
		await expectRefused(join(root, "empty"), to, /there is no event store in .*empty/);
		await expectRefused(join(root, "missing"), to, /there is no event store in .*missing/);
		await expect(stat(to)).rejects.toMatchObject({ code: "ENOENT" });
	});

	test("to where a server or another backup is at work, in words that name it", async () => {
		const { directory, to } = await backupScene();
		await backUp(directory, to);
		const owned = await createSocketOwnership().acquire(to, clock.now());
		try {
			const fault = await rejection(backupFsStorage({ directory, to }));
			expect(fault).toMatchObject({ reason: "owned" });
			expect((fault as Error).message).toContain(`in use by process ${process.pid}`);
			expect(await hasManifest(to)).toBe(true);
		} finally {
			await owned.release();
		}
		const two = await Promise.all([1, 2].map(() => rejection(backupFsStorage({ directory, to }))));
		expect(two.filter((fault) => fault === undefined).length).toBeGreaterThan(0);
		expect(await readFile(join(to, "backup.json"), "utf8")).toContain('"position":"14"');
	});

	test("when the owner does not answer", async () => {
		const { directory, to } = await backupScene();
		const ownership = {
			...soleOwnership,
			connect: async () => {
				throw Object.assign(new Error("silent"), { _tag: "StoreFault", reason: "io", retryable: true });
			},
		};
		const fault = await rejection(backUp(directory, to, { ownership, fileSystem: unsyncedDisk() }));
		expect(fault).toMatchObject({ message: "silent", retryable: true });
		expect(await readdir(to)).toEqual([]);
	});
});
