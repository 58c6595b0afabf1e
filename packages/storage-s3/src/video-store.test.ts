import { randomBytes } from "node:crypto";
import {
	CreateMultipartUploadCommand,
	DeleteObjectCommand,
	ListMultipartUploadsCommand,
	PutObjectCommand,
} from "@aws-sdk/client-s3";
import { locationOfVideo, type VideoUpload, videoName } from "@reelkeep/core/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBucket } from "./bucket.js";
import { noteKey, partKey } from "./partial-layout.js";
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
const NAME = videoName("video-a");
const LOCATION = locationOfVideo(NAME);

describe.skipIf(missing !== undefined)("the video store", () => {
	let way: Way;
	let prefix: string;
	let opened: OpenStore[];
	let video: Buffer;
	beforeEach(() => {
		way = wayTo(server());
		prefix = newPrefix();
		opened = [];
		video = randomBytes(Math.floor(3.5 * way.partBytes));
	});
	afterEach(() => {
		for (const each of opened) each.close();
	});
	/** A process of its own. */
	const open = async (changes: Partial<Way> = {}): Promise<OpenStore> => {
		const store = await openStore({ ...way, ...changes }, prefix);
		opened.push(store);
		return store;
	};
	const at = (key: string) => ({ Bucket: way.bucket, Key: prefix + key });
	const keysIn = async ({ options }: OpenStore, start = ""): Promise<readonly string[]> =>
		(await createBucket(options).list(start)).map(({ key }) => key);
	const multiparts = async ({ client }: OpenStore) => {
		const { Uploads = [] } = await client.send(
			new ListMultipartUploadsCommand({ Bucket: way.bucket, Prefix: prefix }),
		);
		return Uploads.length;
	};
	const write = async (upload: VideoUpload, from = upload.offset): Promise<VideoUpload> => {
		for (let start = from; start < video.length; start += 70_000)
			await upload.write(video.subarray(start, start + 70_000));
		return upload;
	};
	const suspended = async (): Promise<{ process: OpenStore; token: string }> => {
		const process = await open();
		await (await write(await process.store.begin("video-a", { note: "n" }))).suspend();
		const partial = await process.store.findPartial("video-a");
		expect(partial?.bytes).toBe(video.length);
		return { process, token: partial?.resumeToken ?? "" };
	};
	const resume = async ({ store }: OpenStore, resumeToken: string) => {
		const handed: Uint8Array[] = [];
		const onBytes = (chunk: Uint8Array): void => void handed.push(chunk);
		const upload = await store.begin("video-a", { resume: { resumeToken, onBytes } });
		expect(Buffer.concat(handed).equals(video.subarray(0, upload.offset))).toBe(true);
		return upload;
	};
	const finish = async (process: OpenStore, upload: VideoUpload): Promise<void> => {
		expect((await (await write(upload)).commit())._tag).toBe("Committed");
		expect(video.equals(await bytesOf(process.store.open(LOCATION)))).toBe(true);
		expect(await keysIn(process)).toEqual([LOCATION]);
		expect(await multiparts(process)).toBe(0);
	};

	test("leaves nothing in the bucket but the video", async () => {
		const process = await open();
		await (await write(await process.store.begin("video-a", { note: "n" }))).discard();
		expect(await keysIn(process)).toEqual([]);
		await finish(process, await process.store.begin("video-a", { note: "n" }));
	});

	test("goes on before a part whose bytes are others than were written", async () => {
		const { process, token } = await suspended();
		const changed = Buffer.alloc(way.partBytes, 1);
		const key = partKey(NAME, token, 2);
		const { metadata } = (await createBucket(process.options).head(key)) ?? {};
		await process.client.send(new PutObjectCommand({ ...at(key), Body: changed, Metadata: { ...metadata } }));
		const upload = await resume(process, token);
		expect(upload.offset).toBe(way.partBytes);
		expect(await keysIn(process, "partial/")).toEqual([partKey(NAME, token, 1), noteKey(NAME, token)]);
		await finish(process, upload);
	});

	test("goes on before a part that is gone, and what was behind it never comes back", async () => {
		const { process, token } = await suspended();
		await process.client.send(new DeleteObjectCommand(at(partKey(NAME, token, 2))));
		expect((await process.store.findPartial("video-a"))?.bytes).toBe(way.partBytes);
		const upload = await resume(process, token);
		await upload.write(video.subarray(way.partBytes, 2 * way.partBytes));
		await upload.suspend();
		expect((await process.store.findPartial("video-a"))?.bytes).toBe(2 * way.partBytes);
		await finish(process, await resume(await open(), token));
	});

	test("starts anew when nothing of it is as it was written", async () => {
		const { process, token } = await suspended();
		await process.client.send(new PutObjectCommand({ ...at(partKey(NAME, token, 1)), Body: "x" }));
		const upload = await resume(process, token);
		expect(upload.offset).toBe(0);
		expect(await keysIn(process)).toEqual([]);
		await finish(process, upload);
	});

	test("finds nothing without a note that can be read", async () => {
		const { process, token } = await suspended();
		await process.client.send(new PutObjectCommand({ ...at(noteKey(NAME, token)), Body: "{}" }));
		expect(await process.store.findPartial("video-a")).toBeUndefined();
		await process.store.removePartial("video-a");
		expect(await keysIn(process)).toEqual([]);
	});

	test("aborts what a kill within a commit left, and goes on with the parts", async () => {
		const killed = await open();
		const upload = await write(await killed.store.begin("video-a", { note: "n" }));
		killed.client.middlewareStack.add(
			(next, { commandName }) =>
				async (args) => {
					if (commandName === "CompleteMultipartUploadCommand") void killed.kill();
					return next(args);
				},
			{ step: "initialize" },
		);
		await expect(upload.commit()).rejects.toMatchObject({ _tag: "StoreFault" });
		const process = await open();
		expect(await multiparts(process)).toBe(1);
		const partial = await process.store.findPartial("video-a");
		expect(partial?.bytes).toBe(3 * way.partBytes);
		await finish(process, await resume(process, partial?.resumeToken ?? ""));
	});

	test("aborts no multipart upload of another video", async () => {
		const { process } = await suspended();
		const others = new CreateMultipartUploadCommand(at(`${LOCATION}.of-another`));
		await process.client.send(others);
		await process.client.send(new CreateMultipartUploadCommand(at(LOCATION)));
		expect(await multiparts(process)).toBe(2);
		await process.store.removePartial("video-a");
		expect(await multiparts(process)).toBe(1);
	});

	test("offers no parts of a video that is kept, and removes them", async () => {
		const { process, token } = await suspended();
		const kept = { ...at(LOCATION), Body: "a video", Metadata: { upload: token } };
		await process.client.send(new PutObjectCommand(kept));
		expect(await (await open()).store.findPartial("video-a")).toBeUndefined();
		expect(await keysIn(process)).toEqual([LOCATION]);
	});

	test("offers the parts of what is to take the place of another video", async () => {
		const { process, token } = await suspended();
		await process.client.send(
			new PutObjectCommand({ ...at(LOCATION), Body: "another", Metadata: { upload: "x" } }),
		);
		expect(await (await open()).store.findPartial("video-a")).toMatchObject({ resumeToken: token });
	});

	test("lets a process that lost its lease finish nothing of others' parts", async () => {
		const zombie = await open();
		const lost = await write(await zombie.store.begin("video-a", { note: "n" }));
		const successor = await open();
		const upload = await successor.store.begin("video-a", { note: "n" });
		await expect(lost.commit()).rejects.toMatchObject({
			_tag: "StoreFault",
			retryable: true,
			message: expect.stringContaining("removed or replaced"),
		});
		expect(await successor.store.stat("video-a")).toBeUndefined();
		await lost.discard();
		await finish(successor, upload);
		const late = await write(await zombie.store.begin("video-a"));
		expect((await late.commit())._tag).toBe("AlreadyStored");
	});

	test("puts no part together that another process wrote over", async () => {
		const process = await open();
		const upload = await write(await process.store.begin("video-a", { note: "n" }));
		const [key = ""] = (await keysIn(process, "partial/")).filter((each) => each.endsWith("/000002"));
		await process.client.send(new PutObjectCommand({ ...at(key), Body: Buffer.alloc(way.partBytes) }));
		await expect(upload.commit()).rejects.toMatchObject({ message: expect.stringContaining("replaced") });
		expect(await process.store.stat("video-a")).toBeUndefined();
		expect(await multiparts(process)).toBe(0);
		await upload.discard();
		expect(await keysIn(process)).toEqual([]);
	});

	test("refuses a video of more parts than an object has, and says what to do", async () => {
		const { store } = await open({ maxParts: 2 });
		const upload = await store.begin("video-a", { note: "n" });
		const fault = { _tag: "StoreFault", retryable: false, message: expect.stringContaining("partBytes") };
		await expect(write(upload).then(() => upload.commit())).rejects.toMatchObject(fault);
		await upload.discard();
		expect(await store.findPartial("video-a")).toBeUndefined();
	});

	test("counts its end among the parts", async () => {
		const { store } = await open({ maxParts: 1 });
		const upload = await store.begin("video-a", { note: "n" });
		await upload.write(video.subarray(0, way.partBytes + 1));
		await expect(upload.commit()).rejects.toMatchObject({ message: expect.stringContaining("partBytes") });
		await upload.discard();
	});

	test("reads a video that was copied without its metadata, to tell its hash", async () => {
		const { store, client } = await open();
		await client.send(new PutObjectCommand({ ...at(LOCATION), Body: "abc" }));
		expect(await store.stat("video-a")).toEqual({
			location: LOCATION,
			bytes: 3,
			sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		});
	});

	test("refuses what is no key, no note and no location before anything is sent", async () => {
		const { store } = await open();
		await expect(store.begin("")).rejects.toBeInstanceOf(TypeError);
		await expect(store.begin("a", { note: "é".repeat(2_049) })).rejects.toBeInstanceOf(RangeError);
		for (const location of ["", "note", `../${LOCATION}`, `${LOCATION}/`, partKey(NAME, "0", 1)]) {
			await expect(store.remove(location)).rejects.toMatchObject({ retryable: false });
			await expect(bytesOf(store.open(location))).rejects.toMatchObject({ retryable: false });
		}
	});
});
