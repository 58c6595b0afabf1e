import { randomBytes } from "node:crypto";
import { appendFile, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { VideoStore } from "@reelkeep/core/ports";
import { describe, expect, test, vi } from "vitest";
import { backupFsStorage } from "./backup.js";
import { safeName } from "./safe-name.js";
import { copyOfDirectory, gate, scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { openStore, rejection } from "./test-store.js";
import { bytesOf, filesOf, sha256, startVideos, upload } from "./test-videos.js";

const MANY = { markInterval: { bytes: 1, ms: 0 } };

/** Writes `bytes` and suspends; resolves with what is found of it then. */
async function suspended(store: VideoStore, key: string, bytes: Uint8Array, note = "a note") {
	await (await upload(await store.begin(key, { note }), bytes)).suspend();
	const partial = await store.findPartial(key);
	if (partial === undefined) throw new Error("nothing was kept");
	return partial;
}

const partialFiles = (directory: string): Promise<readonly string[]> =>
	readdir(join(directory, "videos/partial"));
async function partialFile(directory: string, ending: string): Promise<string> {
	const names = (await partialFiles(directory)).filter((name) => name.endsWith(ending));
	if (names.length !== 1) throw new Error(`${names.length} files end in ${ending}`);
	return join(directory, "videos/partial", names[0] as string);
}

describe("a suspended upload", () => {
	test("goes on in another process, with every byte that it has handed out again, and ends as the whole video", async () => {
		const directory = await temporaryDirectory();
		const bytes = randomBytes(900_000);
		const first = bytes.subarray(0, 623_456);
		const note = 'etag "é"\n\u0000 and more';
		const told = await suspended(await startVideos(directory), "k", first, note);
		expect(told).toEqual({ resumeToken: told.resumeToken, bytes: first.length, note });
		const store = await startVideos(directory);
		expect(await store.findPartial("k")).toEqual(told);
		const again: Uint8Array[] = [];
		const resumed = await store.begin("k", {
			resume: { resumeToken: told.resumeToken, onBytes: (chunk) => again.push(chunk) },
		});
		expect(resumed.offset).toBe(first.length);
		expect(Buffer.concat(again).equals(first)).toBe(true);
		expect(await store.findPartial("k")).toBeUndefined();
		await upload(resumed, bytes.subarray(first.length));
		const { video } = await resumed.commit();
		expect(video).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) });
		expect((await bytesOf(store.open(video.location))).equals(bytes)).toBe(true);
		expect((await filesOf(directory)).length).toBe(1);
	});

	test("has all its bytes synced, then the mark that says so, then both names", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk();
		const store = await startVideos(directory, disk);
		const work = await upload(await store.begin("k", { note: "n" }), randomBytes(10));
		disk.trace.length = 0;
		await work.suspend();
		const done = disk.trace.filter(({ phase }) => phase === "finished");
		expect(done.map(({ operation, path }) => `${operation} ${path.split(".").at(-1)}`).slice(0, 4)).toEqual([
			"datasync part",
			"open note",
			"write note",
			"datasync note",
		]);
		expect(done[4]).toMatchObject({ operation: "syncDirectory", path: join(directory, "videos/partial") });
	});

	test("may be suspended again, also without a new byte", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		let { resumeToken } = await suspended(store, "k", Buffer.from("one "));
		await (await store.begin("k", { resume: { resumeToken } })).suspend();
		for (const part of ["two ", "three"]) {
			const work = await store.begin("k", { note: "another", resume: { resumeToken } });
			await (await upload(work, Buffer.from(part))).suspend();
			resumeToken = (await store.findPartial("k"))?.resumeToken ?? "";
		}
		const next = await startVideos(directory);
		expect(await next.findPartial("k")).toEqual({ resumeToken, bytes: 13, note: "a note" });
		const work = await next.begin("k", { resume: { resumeToken } });
		expect(await work.digest()).toEqual({ bytes: 13, sha256: sha256(Buffer.from("one two three")) });
	});

	test("starts anew for a token of another key, of nothing, used before, or made up, and is then removed", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		for (const token of ["../../../etc/passwd", "", "\0", `${"a".repeat(64)}.${"b".repeat(16)}`, "x/../y"]) {
			await suspended(store, "k", Buffer.from("video"));
			const begun = await store.begin("k", { resume: { resumeToken: token } });
			expect(begun.offset).toBe(0);
			await begun.discard();
			expect(await filesOf(directory)).toEqual([]);
		}
		const { resumeToken } = await suspended(store, "k", Buffer.from("video"));
		const other = await store.begin("another", { resume: { resumeToken } });
		expect(other.offset).toBe(0);
		const [one, two] = await Promise.all([
			store.begin("k", { resume: { resumeToken } }),
			store.begin("k", { resume: { resumeToken } }),
		]);
		expect([one.offset, two.offset]).toEqual([5, 0]);
		expect((await store.begin("k", { resume: { resumeToken } })).offset).toBe(0);
	});

	test("that nobody can find is left nothing of: without a note, or without a byte", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		await (await upload(await store.begin("k"), Buffer.from("video"))).suspend();
		await (await store.begin("k", { note: "n" })).suspend();
		expect(await store.findPartial("k")).toBeUndefined();
		expect(await filesOf(directory)).toEqual([]);
		await expect(store.begin("k", { note: "é".repeat(2049) })).rejects.toThrow(RangeError);
		await store.begin("k", { note: "é".repeat(2048) });
	});

	test("is removed on request, and found no more", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		await suspended(store, "k", Buffer.from("video"));
		await suspended(store, "other", Buffer.from("video"));
		await store.removePartial("k");
		await store.removePartial("k");
		expect(await store.findPartial("k")).toBeUndefined();
		expect((await filesOf(directory)).length).toBe(2);
		expect(await (await startVideos(directory)).findPartial("k")).toBeUndefined();
	});

	test("is found without a look at the disk", async () => {
		const directory = await temporaryDirectory();
		const told = await suspended(await startVideos(directory), "k", Buffer.from("video"));
		const disk = scriptedDisk();
		const store = await startVideos(directory, disk);
		disk.trace.length = 0;
		expect(await store.findPartial("k")).toEqual(told);
		expect(await store.findPartial("other")).toBeUndefined();
		expect(disk.trace).toEqual([]);
	});

	test("of two for one video, the one that came further is kept", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		const [one, two] = [await store.begin("k", { note: "1" }), await store.begin("k", { note: "2" })];
		await upload(one, Buffer.from("longer"));
		await upload(two, Buffer.from("short"));
		await one.suspend();
		await two.suspend();
		expect(await store.findPartial("k")).toMatchObject({ bytes: 6, note: "1" });
		expect((await filesOf(directory)).length).toBe(2);
	});

	test("whose bytes cannot be read again is given up, and the next upload starts anew", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk();
		const store = await startVideos(directory, disk);
		const { resumeToken } = await suspended(store, "k", Buffer.from("video"));
		const failOn = (failing: string, code: string) => {
			disk.before = ({ operation, path }) => {
				if (operation === failing && path.endsWith(".part")) throw systemError(code);
			};
		};
		failOn("open", "EMFILE");
		expect(await rejection(store.begin("k", { resume: { resumeToken } }))).toMatchObject({ reason: "io" });
		expect(await store.findPartial("k")).toMatchObject({ bytes: 5 });
		failOn("read", "EIO");
		expect(await rejection(store.begin("k", { resume: { resumeToken } }))).toMatchObject({ reason: "io" });
		disk.before = () => {};
		expect(await store.findPartial("k")).toBeUndefined();
		expect(await filesOf(directory)).toEqual([]);
		expect((await store.begin("k", { resume: { resumeToken } })).offset).toBe(0);
	});

	test("is not in a backup", async () => {
		const directory = await temporaryDirectory();
		const events = await openStore(directory);
		await suspended(await startVideos(directory), "k", Buffer.from("video"));
		await events.close();
		const to = join(await temporaryDirectory(), "backup");
		await backupFsStorage({ directory, to });
		expect(await partialFiles(to)).toEqual([]);
	});
});

describe("an upload that a crash cut short", () => {
	test("goes on from its last mark, whatever lies behind that, in both files", async () => {
		const directory = await temporaryDirectory();
		const bytes = randomBytes(300_000);
		const store = await startVideos(directory, scriptedDisk(), { markInterval: { bytes: 1, ms: 3_600_000 } });
		const work = await upload(await store.begin("k", { note: "n" }), bytes.subarray(0, 200_000));
		await vi.waitFor(async () => {
			await work.write(Buffer.alloc(0));
			const copy = await startVideos(await copyOfDirectory(directory));
			expect(await copy.findPartial("k")).toMatchObject({ bytes: 200_000, note: "n" });
		});
		for (const [part, note] of [
			[Buffer.alloc(0), ""],
			[randomBytes(100_000), ""],
			[Buffer.alloc(5000), "999999"],
			[randomBytes(1), "\n\n250000 00000000\n"],
		] as const) {
			const crashed = await copyOfDirectory(directory);
			await appendFile(await partialFile(crashed, ".part"), part);
			await appendFile(await partialFile(crashed, ".note"), note);
			const next = await startVideos(crashed, scriptedDisk(), MANY);
			const { resumeToken, bytes: held } = (await next.findPartial("k")) ?? { resumeToken: "", bytes: 0 };
			expect(held).toBe(200_000);
			const resumed = await next.begin("k", { resume: { resumeToken } });
			await upload(resumed, bytes.subarray(200_000, 250_000));
			await resumed.suspend();
			const third = await startVideos(crashed);
			const partial = await third.findPartial("k");
			expect(partial).toMatchObject({ bytes: 250_000, note: "n" });
			const last = await third.begin("k", { resume: { resumeToken: partial?.resumeToken ?? "" } });
			await upload(last, bytes.subarray(250_000));
			expect((await last.commit()).video).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) });
			expect((await filesOf(crashed)).length).toBe(1);
		}
	});

	test("is removed at the next start when nothing of it is marked, or a file is missing, or nobody knows the format", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		await upload(await store.begin("without a note"), Buffer.from("video"));
		await upload(await store.begin("without a mark", { note: "n" }), Buffer.from("video"));
		const folder = join(directory, "videos/partial");
		const name = (digit: string) => `${safeName("x")}.${digit.repeat(16)}`;
		await writeFile(join(folder, `${name("1")}.note`), "a note without bytes");
		await writeFile(join(folder, `${name("2")}.kept`), "from before there were notes");
		await writeFile(join(folder, "not ours.part"), "");
		expect((await partialFiles(directory)).length).toBe(5);
		await startVideos(directory);
		expect(await partialFiles(directory)).toEqual(["not ours.part"]);
	});

	test("within a commit is not gone on with: the same bytes have their final name already", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk();
		const store = await startVideos(directory, disk, MANY);
		const work = await upload(await store.begin("k", { note: "n" }), Buffer.from("video"));
		await vi.waitFor(() => partialFile(directory, ".note"));
		disk.before = ({ operation }) => {
			if (operation === "unlink") throw systemError("EIO");
		};
		expect(await rejection(work.commit())).toMatchObject({ reason: "io" });
		expect((await filesOf(directory)).length).toBe(3);
		const next = await startVideos(directory);
		expect(await next.findPartial("k")).toBeUndefined();
		expect(await next.stat("k")).toMatchObject({ sha256: sha256(Buffer.from("video")) });
		expect(await partialFiles(directory)).toEqual([]);
	});

	test("whose files cannot be read at the start is neither found nor removed, and the start succeeds", async () => {
		const directory = await temporaryDirectory();
		await suspended(await startVideos(directory), "k", Buffer.from("video"));
		const disk = scriptedDisk();
		disk.before = ({ operation, path }) => {
			if (operation === "open" && path.endsWith(".note")) throw systemError("EIO");
		};
		expect(await (await startVideos(directory, disk)).findPartial("k")).toBeUndefined();
		expect(await (await startVideos(directory)).findPartial("k")).toMatchObject({ bytes: 5 });
	});

	test("is let alone by another start of the store that writes it", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory, scriptedDisk(), MANY);
		const work = await upload(await store.begin("k", { note: "n" }), Buffer.from("video"));
		await vi.waitFor(() => partialFile(directory, ".note"));
		await store.close();
		await store.start();
		expect(await store.findPartial("k")).toBeUndefined();
		expect(await work.commit()).toMatchObject({ _tag: "Committed" });
	});
});

describe("marks in the background", () => {
	test("hold up no write, one at a time, and only of bytes that were written before the sync began", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk();
		const store = await startVideos(directory, disk, MANY);
		const hold = gate();
		disk.before = ({ operation }) => (operation === "datasync" ? hold.passed : undefined);
		const [work, other] = [await store.begin("k", { note: "n" }), await store.begin("o", { note: "n" })];
		await work.write(Buffer.from("before"));
		await other.write(Buffer.from("another's"));
		for (let count = 0; count < 10; count += 1) await work.write(Buffer.from("during"));
		expect(disk.trace.filter(({ operation }) => operation === "datasync").length).toBe(1);
		hold.open();
		await vi.waitFor(async () =>
			expect(await readFile(await partialFile(directory, ".note"), "utf8")).toMatch(/\n6 [0-9a-f]{8}\n$/),
		);
		await work.suspend();
		expect(await store.findPartial("k")).toMatchObject({ bytes: 66 });
	});

	test("cost a short upload nothing: neither a file nor a sync", async () => {
		const disk = scriptedDisk();
		const store = await startVideos(await temporaryDirectory(), disk);
		const work = await store.begin("k", { note: "n" });
		disk.trace.length = 0;
		await upload(work, randomBytes(1_000_000));
		expect(new Set(disk.trace.map(({ operation }) => operation))).toEqual(new Set(["write"]));
	});

	test("end an upload for good when a sync fails: only discarding is left", async () => {
		for (const failing of ["datasync", "open", "syncDirectory"] as const) {
			const directory = await temporaryDirectory();
			const disk = scriptedDisk();
			const store = await startVideos(directory, disk, MANY);
			const work = await store.begin("k", { note: "n" });
			disk.before = ({ operation }) => {
				if (operation === failing) throw systemError("EIO");
			};
			await work.write(Buffer.from("video"));
			await vi.waitFor(async () => {
				expect(await rejection(work.write(Buffer.from("x")))).toMatchObject({
					reason: "io",
					retryable: true,
				});
			});
			disk.before = () => {};
			expect(await rejection(work.commit())).toMatchObject({ reason: "io" });
			expect(await rejection(work.digest())).toMatchObject({ reason: "io" });
			await work.suspend();
			expect(await store.findPartial("k")).toBeUndefined();
			expect(await filesOf(directory)).toEqual([]);
		}
	});

	test("are waited for by commit, which does not commit what such a sync lost", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk();
		const store = await startVideos(directory, disk, MANY);
		const hold = gate();
		let syncs = 0;
		disk.before = async ({ operation }) => {
			if (operation !== "datasync") return;
			syncs += 1;
			if (syncs > 1) return; // The kernel tells of a lost page once.
			await hold.passed;
			throw systemError("EIO");
		};
		const work = await store.begin("k", { note: "n" });
		await work.write(Buffer.from("video"));
		const committed = rejection(work.commit());
		hold.open();
		expect(await committed).toMatchObject({ reason: "io" });
		expect(await store.stat("k")).toBeUndefined();
		await work.discard();
		expect(await filesOf(directory)).toEqual([]);
	});

	test("of a file that lost its end are not believed, now or once it has grown again", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		const first = await suspended(store, "k", Buffer.from("0123456789"));
		const { resumeToken } = first;
		await (await upload(await store.begin("k", { resume: { resumeToken } }), Buffer.from("abcde"))).suspend();
		await truncate(await partialFile(directory, ".part"), 12);
		const next = await startVideos(directory);
		expect(await next.findPartial("k")).toEqual(first);
		await upload(await next.begin("k", { resume: { resumeToken } }), Buffer.from("ABCDEFGHIJ"));
		expect(await (await startVideos(await copyOfDirectory(directory))).findPartial("k")).toEqual(first);
	});
});
