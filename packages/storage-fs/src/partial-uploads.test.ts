// One odd entry among the videos, or one that its disk cannot read or remove, must not keep a store from starting.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { safeName } from "./safe-name.js";
import { type DiskCall, scriptedDisk, systemError, temporaryDirectory } from "./test-disk.js";
import { partialFiles } from "./test-doctor.js";
import { keepingLogger } from "./test-store.js";
import { startVideos, upload } from "./test-videos.js";
import { placeOf } from "./video-place.js";
import { createFsVideoStore } from "./video-store.js";

/** Suspended uploads of these keys. */
async function suspended(...keys: readonly string[]): Promise<string> {
	const directory = await temporaryDirectory();
	const store = await startVideos(directory);
	for (const key of keys)
		await (await upload(await store.begin(key, { note: "n" }), Buffer.from("half"))).suspend();
	return directory;
}

/** A store that starts although `isFailing` calls of its disk fail; and what its log says. */
async function startDespite(directory: string, isFailing: (call: DiskCall) => boolean = () => false) {
	const disk = scriptedDisk();
	disk.before = (call) => {
		if (isFailing(call)) throw systemError("EIO");
	};
	const { logger, said } = keepingLogger();
	const store = createFsVideoStore({ directory, fileSystem: disk.fileSystem, logger });
	await store.start();
	return { store, disk, said };
}

describe("a start of the store", () => {
	test("lets alone a directory that is called as an upload's file, and names it", async () => {
		const directory = await suspended("sound");
		const name = `${"a".repeat(64)}.${"b".repeat(16)}`;
		await mkdir(join(directory, "videos/partial", `${name}.part`));
		const { store, said } = await startDespite(directory);
		expect(await store.findPartial("sound")).toMatchObject({ bytes: 4 });
		expect(said).toMatchObject([
			{ level: "warn", details: { upload: name }, message: expect.stringContaining("doctor") },
		]);
		expect((await partialFiles(directory)).length).toBe(3);
	});

	test("does not offer an upload of which it cannot tell whether its video is kept, nor touch it again", async () => {
		const directory = await suspended("k", "sound");
		const { path } = placeOf(directory, safeName("k"));
		const { store, disk, said } = await startDespite(
			directory,
			(call) => call.operation === "open" && call.path === path,
		);
		expect(await store.findPartial("k")).toBeUndefined();
		expect(await store.findPartial("sound")).toMatchObject({ bytes: 4 });
		expect(said).toMatchObject([
			{ level: "warn", details: { upload: expect.stringContaining(safeName("k")) } },
		]);
		disk.before = () => {};
		const work = await upload(await store.begin("k", { note: "n" }), Buffer.from("whole"));
		await work.commit();
		await store.removePartial("k");
		expect((await partialFiles(directory)).length).toBe(4);
		expect(await (await startVideos(directory)).findPartial("k")).toBeUndefined();
		expect((await partialFiles(directory)).length).toBe(2);
	});

	test("succeeds when what nobody goes on with cannot be removed", async () => {
		const directory = await suspended("k", "sound");
		const store = await startVideos(directory);
		await upload(await store.begin("k"), Buffer.from("cut short, and without a note"));
		const { store: next, said } = await startDespite(directory, ({ operation }) => operation === "unlink");
		expect(await next.findPartial("sound")).toMatchObject({ bytes: 4 });
		expect(said.length).toBe(1);
	});
});
