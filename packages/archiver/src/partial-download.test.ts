import { createMemoryVideoStore } from "@reelkeep/core";
import { storeFault, type VideoStore } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { writeNote } from "./download-note.js";
import { findPartialDownload } from "./partial-download.js";

const KEY = "recording-1";

/** A store that holds `bytes` of an upload, with `note`. */
async function holding(bytes: number, note?: string): Promise<VideoStore> {
	const store = createMemoryVideoStore();
	const upload = await store.begin(KEY, note === undefined ? {} : { note });
	await upload.write(new Uint8Array(bytes));
	await upload.suspend();
	return store;
}

const noteOf = (totalBytes?: number): string =>
	writeNote({ validator: "v", ...(totalBytes === undefined ? {} : { totalBytes }) });

describe("what an earlier download left", () => {
	it("is gone on with behind the bytes that are held", async () => {
		const partial = await findPartialDownload(await holding(5, noteOf(9)), KEY);
		expect(partial).toEqual({
			validator: "v",
			totalBytes: 9,
			resumeToken: expect.any(String),
			bytes: 5,
			askFrom: 5,
		});
		expect(await findPartialDownload(await holding(5, noteOf()), KEY)).toMatchObject({
			bytes: 5,
			askFrom: 5,
		});
	});

	it("is asked for its last byte once more when it is all there", async () => {
		const partial = await findPartialDownload(await holding(9, noteOf(9)), KEY);
		expect(partial).toMatchObject({ bytes: 9, askFrom: 8 });
	});

	it.each([
		["there is nothing", createMemoryVideoStore()],
		["it is empty", holding(0, noteOf(9))],
		["nobody noted what it is of", holding(5)],
		["its note cannot be read", holding(5, "not ours")],
		["it is longer than its object", holding(10, noteOf(9))],
	])("is not gone on with when %s", async (_what, store) => {
		expect(await findPartialDownload(await store, KEY)).toBeUndefined();
	});

	it("is not even looked for in a store that cannot resume", async () => {
		const store: VideoStore = {
			...(await holding(5, noteOf(9))),
			supports: { resume: false },
			findPartial: () => Promise.reject(new Error("asked")),
		};
		expect(await findPartialDownload(store, KEY)).toBeUndefined();
	});

	it("cannot be told by a store that fails: its fault is thrown", async () => {
		const findPartial = () => Promise.reject(storeFault("io", "the disk is gone"));
		const store = { ...(await holding(5, noteOf(9))), findPartial };
		await expect(findPartialDownload(store, KEY)).rejects.toMatchObject({ _tag: "StoreFault" });
	});

	it("is not gone on with when it is one byte that is all there is", async () => {
		expect(await findPartialDownload(await holding(1, noteOf(1)), KEY)).toBeUndefined();
	});
});
