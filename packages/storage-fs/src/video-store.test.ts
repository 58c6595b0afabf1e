import { randomBytes } from "node:crypto";
import { access, mkdir, readdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createNodeFileSystem } from "./node-file-system.js";
import { scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { rejection } from "./test-store.js";
import { bytesOf, filesOf, sha256, startVideos, upload } from "./test-videos.js";
import { createFsVideoStore } from "./video-store.js";

describe("a video store", () => {
	test("that was not started, or was closed, rejects with closed", async () => {
		const store = createFsVideoStore({ directory: await temporaryDirectory() });
		expect(await rejection(store.begin("k"))).toMatchObject({ reason: "closed" });
		await store.start();
		await store.close();
		expect(await rejection(store.stat("k"))).toMatchObject({ reason: "closed" });
		expect(await rejection(bytesOf(store.open("videos/aa/x.mp4")))).toMatchObject({ reason: "closed" });
	});

	test("opens and removes nothing outside of the directory, whatever the location", async () => {
		const outside = await temporaryDirectory();
		const directory = join(outside, "data");
		const store = await startVideos(directory);
		const hex = "a".repeat(64);
		await writeFile(join(outside, `${hex}.mp4`), "secret");
		await mkdir(join(directory, "videos/aa"));
		await writeFile(join(directory, "keys.json"), "secret");
		for (const location of [
			"",
			"../secret",
			`../${hex}.mp4`,
			`videos/aa/../../../${hex}.mp4`,
			`videos/../../${hex}.mp4`,
			join(outside, `${hex}.mp4`),
			`videos/aa/${hex}.mp4\0`,
			`videos/bb/${hex}.mp4`,
			`videos/aa/${hex}.mp4/../../../keys.json`,
			`\nvideos/aa/${hex}.mp4`,
			"keys.json",
			"videos/partial/x",
		]) {
			const fault = { reason: "io", retryable: false };
			expect(await rejection(bytesOf(store.open(location)))).toMatchObject(fault);
			expect(await rejection(store.remove(location))).toMatchObject(fault);
		}
		await access(join(outside, `${hex}.mp4`));
		await access(join(directory, "keys.json"));
	});

	test("says in plain words that a video is not there", async () => {
		const store = await startVideos(await temporaryDirectory());
		const location = `videos/aa/${"a".repeat(64)}.mp4`;
		expect(await store.stat("k")).toBeUndefined();
		await store.remove(location);
		const fault = await rejection(bytesOf(store.open(location)));
		expect(fault).toMatchObject({ reason: "io", message: `there is no video at ${location}` });
	});

	test("keeps keys of any kind apart and inside the directory", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		const keys = [
			"../../etc/passwd",
			"/etc/passwd",
			"a\0b",
			"..",
			"é",
			"e\u0301",
			"\ud800",
			"\ufffd",
			"x".repeat(4096),
		];
		const locations = new Set<string>();
		for (const key of keys) {
			const work = await upload(await store.begin(key), Buffer.from(key));
			const { video } = await work.commit();
			locations.add(video.location);
			expect(await store.stat(key)).toEqual(video);
		}
		expect(locations.size).toBe(keys.length);
		expect(
			[...locations].every((location) => /^videos\/([0-9a-f]{2})\/\1[0-9a-f]{62}\.mp4$/.test(location)),
		).toBe(true);
		expect(await readdir(directory)).toEqual(["videos"]);
		expect((await filesOf(directory)).length).toBe(keys.length);
	});

	test("finds its videos after the directory was moved", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(join(directory, "old"));
		const { video } = await (await upload(await store.begin("k"), Buffer.from("video"))).commit();
		await rename(join(directory, "old"), join(directory, "new"));
		const moved = await startVideos(join(directory, "new"));
		expect((await bytesOf(moved.open(video.location, { offset: 2 }))).toString()).toBe("deo");
		await moved.remove(video.location);
		expect(await moved.stat("k")).toBeUndefined();
	});
});

describe("free space", () => {
	test("is told in bytes by the machine's file system, and passed on when nobody knows", async () => {
		const store = await startVideos(await temporaryDirectory());
		expect(await store.freeBytes()).toBeGreaterThan(1024 * 1024);
		const disk = scriptedDisk({ ...createNodeFileSystem(), freeBytes: async () => undefined });
		expect(await (await startVideos(await temporaryDirectory(), disk)).freeBytes()).toBeUndefined();
	});

	test("that ran out is said in plain words, and worth another try", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk();
		const store = await startVideos(directory, disk);
		const work = await store.begin("k", { note: "n" });
		disk.before = ({ operation }) => {
			if (operation === "write") throw systemError("ENOSPC");
		};
		expect(await rejection(work.write(Buffer.from("video")))).toMatchObject({
			_tag: "StoreFault",
			reason: "io",
			retryable: true,
			message: "writing a video failed (ENOSPC): the disk is full",
		});
		await work.discard();
		expect(await filesOf(directory)).toEqual([]);
	});
});

describe("an upload", () => {
	test("whose disk fails takes and tells nothing more: nothing is committed after a failed sync", async () => {
		for (const failing of ["write", "datasync", "link"] as const) {
			const directory = await temporaryDirectory();
			const disk = scriptedDisk();
			const store = await startVideos(directory, disk);
			const work = await store.begin("k");
			if (failing !== "write") await work.write(Buffer.from("video"));
			disk.before = ({ operation }) => {
				if (operation === failing) throw systemError("EIO");
			};
			const failed = failing === "write" ? work.write(Buffer.from("video")) : work.commit();
			expect(await rejection(failed)).toMatchObject({ reason: "io", retryable: true });
			disk.before = () => {};
			expect(await rejection(work.commit())).toMatchObject({ reason: "io" });
			expect(await rejection(work.digest())).toMatchObject({ reason: "io" });
			await work.discard();
			expect(await filesOf(directory)).toEqual([]);
		}
	});

	test("whose final name could not be made durable is not shown before it is", async () => {
		const disk = scriptedDisk();
		const store = await startVideos(await temporaryDirectory(), disk);
		const work = await upload(await store.begin("k"), randomBytes(1000));
		let isLinked = false;
		disk.before = ({ operation }) => {
			isLinked ||= operation === "link";
			if (isLinked && operation === "syncDirectory") throw systemError("EIO");
		};
		expect(await rejection(work.commit())).toMatchObject({ reason: "io" });
		expect(await rejection(store.stat("k"))).toMatchObject({ reason: "io" });
		disk.before = () => {};
		expect(await store.stat("k")).toMatchObject({ bytes: 1000 });
	});

	test("is visible under its final name only after commit, durable in the right order", async () => {
		const directory = await temporaryDirectory();
		const disk = scriptedDisk();
		const store = await startVideos(directory, disk);
		const bytes = randomBytes(500_000);
		const work = await upload(await store.begin("k"), bytes);
		expect(await store.stat("k")).toBeUndefined();
		expect(await work.digest()).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
		disk.trace.length = 0;
		const { _tag, video } = await work.commit();
		expect(_tag).toBe("Committed");
		expect(video).toEqual({ location: video.location, bytes: bytes.length, sha256: sha256(bytes) });
		const calls = disk.trace.filter(({ phase }) => phase === "finished").map(({ operation }) => operation);
		const order = calls.filter((call) => ["datasync", "link", "syncDirectory", "unlink"].includes(call));
		expect(order).toEqual(["datasync", "syncDirectory", "link", "syncDirectory", "unlink", "syncDirectory"]);
		expect((await bytesOf(store.open(video.location))).equals(bytes)).toBe(true);
		expect((await stat(join(directory, video.location))).mode & 0o777).toBe(0o600);
		expect(await readdir(join(directory, "videos/partial"))).toEqual([]);
	});

	test("that is over refuses everything, except to be discarded or suspended again", async () => {
		const store = await startVideos(await temporaryDirectory());
		const work = await upload(await store.begin("k"), Buffer.from("video"));
		await work.commit();
		await work.discard();
		await work.suspend();
		expect(await rejection(work.write(Buffer.from("x")))).toMatchObject({ reason: "closed" });
		expect(await rejection(work.commit())).toMatchObject({ reason: "closed" });
		expect(await store.stat("k")).toMatchObject({ bytes: 5 });
	});

	test("of a video that is there already leaves it alone and returns it", async () => {
		const directory = await temporaryDirectory();
		const store = await startVideos(directory);
		const first = await upload(await store.begin("k"), Buffer.from("first"));
		const second = await upload(await store.begin("k"), Buffer.from("second, longer"));
		const committed = await first.commit();
		expect(await second.commit()).toEqual({ _tag: "AlreadyStored", video: committed.video });
		expect((await bytesOf(store.open(committed.video.location))).toString()).toBe("first");
		expect((await filesOf(directory)).length).toBe(1);
	});

	test("writes in the order of the calls, without waiting between them", async () => {
		const disk = scriptedDisk();
		const store = await startVideos(await temporaryDirectory(), disk);
		disk.before = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 2));
		const work = await store.begin("k");
		const chunks = Array.from({ length: 20 }, (_, at) => Buffer.from(`chunk ${at};`));
		const writes = chunks.map((chunk) => work.write(chunk));
		const digest = await work.digest();
		await Promise.all(writes);
		expect(digest).toEqual({ bytes: Buffer.concat(chunks).length, sha256: sha256(Buffer.concat(chunks)) });
		const { video } = await work.commit();
		expect(await bytesOf(store.open(video.location))).toEqual(Buffer.concat(chunks));
	});
});
