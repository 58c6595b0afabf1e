import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { videoStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { createFsVideoStore, type FsVideoStore } from "@reelkeep/storage-fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { mirrorVideos } from "./mirror-videos.js";

/** Two stores on two directories, as two disks are. */
async function createHarness() {
	const folder = await mkdtemp(join(tmpdir(), "reelkeep-mirror-"));
	let stores: readonly FsVideoStore[] = [];
	const close = async () => {
		for (const store of stores) await store.close();
	};
	const open = async () => {
		await close();
		const [one, other] = ["a", "b"].map((name) => createFsVideoStore({ directory: join(folder, name) })) as [
			FsVideoStore,
			FsVideoStore,
		];
		stores = [one, other];
		for (const store of stores) await store.start();
		return { one, other, mirror: mirrorVideos(one, other) };
	};
	const dispose = async () => {
		await close();
		await rm(folder, { recursive: true, force: true });
	};
	return { open, dispose };
}

const cases = videoStoreSuite(async () => {
	const { open, dispose } = await createHarness();
	const mirror = async () => (await open()).mirror;
	return { open: mirror, reopen: mirror, dispose };
});
describeConformance("two mirrored video stores", cases);

async function given() {
	const { open, dispose } = await createHarness();
	onTestFinished(dispose);
	const stores = await open();
	const put = async (store: Pick<typeof stores.mirror, "begin">, text: string) => {
		const upload = await store.begin("recording-a");
		await upload.write(Buffer.from(text));
		return upload.commit();
	};
	return { ...stores, put };
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
	const all: Uint8Array[] = [];
	for await (const chunk of chunks) all.push(chunk);
	return Buffer.concat(all).toString();
}

describe("a mirrored video", () => {
	test("is read from the copy when the first is gone, and is whole again after one more upload", async () => {
		const { one, mirror, put } = await given();
		const { video } = await put(mirror, "the bytes");
		const kept = await one.stat("recording-a");
		await one.remove(kept?.location ?? "");
		expect(await mirror.stat("recording-a")).toBeUndefined();
		expect(await textOf(mirror.open(video.location, { offset: 4 }))).toBe("bytes");
		expect(await put(mirror, "the bytes")).toEqual({ _tag: "Committed", video });
		expect(await mirror.stat("recording-a")).toEqual(video);
	});

	test("whose copy was left by a process that died between the two commits is kept on the next try", async () => {
		const { other, mirror, put } = await given();
		await put(other, "other bytes of the same object");
		await expect(put(mirror, "the bytes")).rejects.toMatchObject({ reason: "io", retryable: true });
		expect(await put(mirror, "the bytes")).toMatchObject({ _tag: "Committed" });
	});

	test("of which the two stores have different bytes is refused by name", async () => {
		const { one, other, mirror, put } = await given();
		await put(one, "these");
		await put(other, "those");
		await expect(mirror.stat("recording-a")).rejects.toMatchObject({ reason: "corrupt" });
	});
});
