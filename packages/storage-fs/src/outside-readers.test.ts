// What is read of a data directory to move it: from outside its owner, and without a trace.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { toPosition } from "@reelkeep/core/ports";
import { expect, onTestFinished, test } from "vitest";
import { createFsCheckpointStore } from "./checkpoint-store.js";
import { openFsEventReader } from "./event-reader.js";
import { listFsCheckpoints } from "./list-checkpoints.js";
import { createSocketOwnership } from "./socket-ownership.js";
import { copyOfDirectory, temporaryDirectory } from "./test-disk.js";
import { forgetDurableNote, idsOf, newEvent, openStore } from "./test-store.js";
import { bytesOf, startVideos, upload } from "./test-videos.js";
import { createFsVideoReader } from "./video-reader.js";

async function readerOf(directory: string, asNextOwner: boolean) {
	const reader = await openFsEventReader({ directory, asNextOwner });
	onTestFinished(() => reader.close());
	return reader;
}

test("a reader that is asked to shows what the next owner of a crashed log would take over", async () => {
	const directory = await temporaryDirectory();
	const store = await openStore(directory);
	await store.append("a", [newEvent()], "any");
	await store.append("a", [newEvent()], "any");
	const killed = await copyOfDirectory(directory);
	await forgetDurableNote(killed);
	const cautious = await idsOf(await readerOf(killed, false));
	expect(cautious).toHaveLength(1);
	const all = await idsOf(await readerOf(killed, true));
	expect(all).toHaveLength(2);
	const next = await openStore(killed);
	expect(await idsOf(next)).toEqual(all);
});

test("beside an owner it shows what that one says to be durable, and follows it", async () => {
	const directory = await temporaryDirectory();
	const store = await openStore(directory, { ownership: createSocketOwnership() });
	const { id } = newEvent();
	await store.append("a", [{ ...newEvent(), id }], "any");
	const reader = await readerOf(directory, true);
	expect(await idsOf(reader)).toEqual([id]);
	await store.append("b", [newEvent()], "any");
	expect(await idsOf(reader)).toHaveLength(2);
	await store.close();
	expect(await idsOf(reader)).toHaveLength(2);
});

test("checkpoints are listed with their names, and none where there is no store", async () => {
	const directory = await temporaryDirectory();
	expect(await listFsCheckpoints({ directory: join(directory, "none") })).toEqual([]);
	expect(await listFsCheckpoints({ directory })).toEqual([]);
	expect(await readdir(directory)).toEqual([]);
	const store = createFsCheckpointStore({ directory });
	await store.open();
	await store.save("billing", toPosition(7), undefined);
	await store.save("../é\0", toPosition(0), undefined);
	const listed = await listFsCheckpoints({ directory });
	expect(new Map(listed.map(({ name, position }) => [name, position]))).toEqual(
		new Map([
			["billing", "7"],
			["../é\0", "0"],
		]),
	);
});

test("kept videos are read, and what is no location of one is refused", async () => {
	const directory = await temporaryDirectory();
	const reader = createFsVideoReader({ directory });
	await expect(bytesOf(reader.open(`videos/aa/${"a".repeat(64)}.mp4`))).rejects.toMatchObject({
		_tag: "StoreFault",
		message: expect.stringContaining("there is no video at"),
	});
	await expect(bytesOf(reader.open("../../etc/passwd"))).rejects.toMatchObject({ _tag: "StoreFault" });
	expect(await readdir(directory)).toEqual([]);
	const videos = await startVideos(directory);
	const bytes = Buffer.alloc(300_000, "video");
	const { video } = await (await upload(await videos.begin("recording-1"), bytes)).commit();
	expect((await bytesOf(reader.open(video.location))).equals(bytes)).toBe(true);
	expect((await bytesOf(reader.open(video.location, { offset: 299_999 }))).length).toBe(1);
	expect((await bytesOf(reader.open(video.location, { offset: 300_000 }))).length).toBe(0);
});
