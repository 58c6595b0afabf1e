import { createHash, randomBytes } from "node:crypto";
import type { VideoUpload } from "@reelkeep/core/ports";
import { type CutLine, startCutLine } from "@reelkeep/harness/cut-line";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ossAgent, startStrictOss } from "./test-oss-strict.js";
import {
	bytesOf,
	missing,
	newPrefix,
	type OpenStore,
	openStore,
	useServer,
	type Way,
	wayTo,
} from "./test-s3.js";

const { server } = useServer();
const VIDEO = randomBytes(1_100_000);
const SHA256 = createHash("sha256").update(VIDEO).digest("hex");
const NOTE = "of the video";

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
	work.then(
		() => undefined,
		(error: unknown) => error,
	);

async function write(upload: VideoUpload, from = 0): Promise<void> {
	for (let at = from; at < VIDEO.length; at += 60_000) await upload.write(VIDEO.subarray(at, at + 60_000));
}

/** In a later process, by a line that is whole: goes on with what is held, and fails unless the video is whole then. */
async function finish(way: Way, prefix: string, atLeastBytes: number): Promise<void> {
	const { store, close } = await openStore(way, prefix);
	expect(await store.stat("video-a")).toBeUndefined();
	const partial = await store.findPartial("video-a");
	expect(partial?.bytes ?? 0).toBeGreaterThanOrEqual(atLeastBytes);
	expect(partial?.note).toBe(NOTE);
	const handed: Uint8Array[] = [];
	const upload = await store.begin("video-a", {
		resume: { resumeToken: partial?.resumeToken ?? "", onBytes: (chunk) => void handed.push(chunk) },
	});
	expect(Buffer.concat(handed).equals(VIDEO.subarray(0, upload.offset))).toBe(true);
	await write(upload, upload.offset);
	const { _tag, video } = await upload.commit();
	expect({ _tag, sha256: video.sha256 }).toEqual({ _tag: "Committed", sha256: SHA256 });
	expect(VIDEO.equals(await bytesOf(store.open(video.location)))).toBe(true);
	expect(await store.findPartial("video-a")).toBeUndefined();
	close();
}

// It is cut by what it carries: in plain text, to a server whose parts are small.
describe.skipIf(missing !== undefined || process.env.REELKEEP_TEST_S3 !== undefined)("the network", () => {
	let line: CutLine;
	let cut: OpenStore;
	let prefix: string;
	beforeEach(async () => {
		line = await startCutLine(Number(new URL(server().endpoint).port));
		prefix = newPrefix();
		const way = wayTo(server());
		const connection = { ...way.connection, endpoint: `http://127.0.0.1:${line.port}` };
		cut = await openStore({ ...way, connection }, prefix);
	});
	afterEach(async () => {
		cut.close();
		await vi.waitFor(() => expect(line.open()).toBe(0));
		await line.stop();
	});

	test("is cut while a part is sent: the fault says so, nothing is visible, and a later process goes on", async () => {
		const upload = await cut.store.begin("video-a", { note: NOTE });
		line.cutAt("/000003");
		expect(await failureOf(write(upload))).toMatchObject({
			_tag: "StoreFault",
			reason: "io",
			retryable: true,
			message: expect.stringMatching(/^writing a part of a video: the object store cannot be reached/),
		});
		expect(line.cuts()).toBe(1);
		await failureOf(upload.suspend());
		await finish(wayTo(server()), prefix, 2 * wayTo(server()).partBytes);
	});

	test("is cut while the video is put together: it can be gone on with, and nothing of the try is left", async () => {
		const upload = await cut.store.begin("video-a", { note: NOTE });
		await write(upload);
		line.cutAt("x-amz-copy-source");
		expect(await failureOf(upload.commit())).toMatchObject({ _tag: "StoreFault", retryable: true });
		expect(line.cuts()).toBe(1);
		expect(await failureOf(upload.commit())).toMatchObject({ _tag: "StoreFault", retryable: true });
		line.mend();
		// The line is back before the upload is given up: all of it is kept.
		await upload.suspend();
		await finish(wayTo(server()), prefix, VIDEO.length);
	});

	test("is cut for a moment, and nobody notices", async () => {
		const upload = await cut.store.begin("video-a", { note: NOTE });
		line.cutOnceAt("/000002");
		await write(upload);
		line.cutOnceAt("x-amz-copy-source");
		expect((await upload.commit())._tag).toBe("Committed");
		expect(line.cuts()).toBe(2);
	});

	test.each([
		["put together", VIDEO, "CompleteMultipartUpload"],
		["small", VIDEO.subarray(0, 10_000), "PutObject"],
	])("is cut before the answer to a commit comes: a video that is %s is ours", async (_, bytes, request) => {
		const upload = await cut.store.begin("video-a");
		await upload.write(bytes);
		line.cutOnceAt(request, "after");
		expect((await upload.commit())._tag).toBe("Committed");
		expect(line.cuts()).toBe(1);
	});

	test("is cut before the answer of a server that never replaces: the video that is in the way is ours", async () => {
		const oss = await startStrictOss(server());
		const ossLine = await startCutLine(oss.port);
		const way = wayTo(server());
		const endpoint = oss.endpoint.replace(/\d+$/, String(ossLine.port));
		const { store, close } = await openStore(
			{
				...way,
				connection: { ...way.connection, endpoint, pathStyle: false },
				requestHandler: { httpAgent: ossAgent() },
				createOnly: "forbid-overwrite",
			},
			prefix,
		);
		const upload = await store.begin("video-a");
		await upload.write(VIDEO.subarray(0, 10_000));
		ossLine.cutOnceAt("PutObject", "after");
		expect((await upload.commit())._tag).toBe("Committed");
		expect(ossLine.cuts()).toBe(1);
		close();
		await ossLine.stop();
		await oss.stop();
	});

	test("is cut while a video is read: the reader notices nothing", async () => {
		const upload = await cut.store.begin("video-a");
		await write(upload);
		const { video } = await upload.commit();
		const read: Uint8Array[] = [];
		for await (const chunk of cut.store.open(video.location)) {
			if (read.length === 1) line.breakAll();
			read.push(chunk);
		}
		expect(VIDEO.equals(Buffer.concat(read))).toBe(true);
	});
});
