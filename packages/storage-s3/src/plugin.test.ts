import { S3Client } from "@aws-sdk/client-s3";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import { EVENT_STORE, KEYRING, pickPorts, VIDEO_STORE } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { describe, expect, test } from "vitest";
import { s3Storage } from "./plugin.js";
import { missing, newPrefix, useServer } from "./test-s3.js";

const { server } = useServer();
const VIDEO = Buffer.alloc(20_000, "a video ");

function optionsOf(changes: object = {}) {
	const { endpoint, region, credentials, pathStyle, bucket } = server();
	return { endpoint, region, credentials, pathStyle, bucket, prefix: newPrefix(), ...changes };
}

function compose(options: Parameters<typeof s3Storage>[0]) {
	const storage = s3Storage(options);
	const others = pickPorts(memoryStorage(), [KEYRING, EVENT_STORE]);
	return { storage, reelkeep: createReelkeep({ plugins: [storage, others], logger: transcribingLogger() }) };
}

test("options that cannot be meant are refused at once", () => {
	const options = { region: "cn-hangzhou", bucket: "videos" };
	for (const prefix of ["/", "a//b", "../a", "a/../b", "a b", "a?b", "é"])
		expect(() => s3Storage({ ...options, prefix }), prefix).toThrow(RangeError);
	for (const partBytes of [0, 1_000_000, 1e9, 5.5e6 + 0.5, Number.NaN])
		expect(() => s3Storage({ ...options, partBytes }), String(partBytes)).toThrow(RangeError);
	expect(() => s3Storage({ ...options, prefix: "a/b.c-d_1", partBytes: 5 * 1024 * 1024 })).not.toThrow();
});

describe.skipIf(missing !== undefined)("s3Storage", () => {
	test("keeps a video that another process reads, and ends in good order", async () => {
		const options = optionsOf();
		const first = compose(options);
		await first.reelkeep.start();
		const upload = await first.reelkeep.get(VIDEO_STORE).begin("video-a");
		await upload.write(VIDEO);
		const { video } = await upload.commit();
		expect(await first.reelkeep.health.check()).toEqual([]);
		await first.reelkeep.stop();
		const second = compose(options);
		await second.reelkeep.start();
		expect(await second.reelkeep.get(VIDEO_STORE).stat("video-a")).toEqual(video);
		await second.reelkeep.stop();
	});

	test("takes a client of the user's, and leaves it open", async () => {
		const { endpoint, region, credentials, pathStyle, bucket, prefix } = optionsOf();
		const client = new S3Client({
			endpoint,
			region,
			credentials,
			forcePathStyle: pathStyle,
			requestChecksumCalculation: "WHEN_REQUIRED",
		});
		for (let turn = 0; turn < 2; turn += 1) {
			const { reelkeep } = compose({ client, bucket, prefix });
			await reelkeep.start();
			expect(await reelkeep.get(VIDEO_STORE).stat("video-a")).toBeUndefined();
			await reelkeep.stop();
		}
		client.destroy();
	});

	test("signs links with which anybody reads one video for a while", async () => {
		const { storage, reelkeep } = compose(optionsOf());
		await expect(storage.signReadLink("x", { expiresInSeconds: 60 })).rejects.toMatchObject({
			reason: "closed",
		});
		await reelkeep.start();
		const upload = await reelkeep.get(VIDEO_STORE).begin("video-a");
		await upload.write(VIDEO);
		const { video } = await upload.commit();
		const link = await storage.signReadLink(video.location, { expiresInSeconds: 60 });
		const answer = await fetch(link);
		expect(answer.headers.get("content-type")).toBe("video/mp4");
		expect(VIDEO.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
		const part = await fetch(link, { headers: { range: "bytes=19990-" } });
		expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10]);
		const changed = await fetch(link.replace("Expires=60", "Expires=600"));
		expect(changed.status).toBe(403);
		expect((await fetch(link, { method: "DELETE" })).status).toBe(403);
		const named = await storage.signReadLink(video.location, {
			expiresInSeconds: 60,
			downloadName: "游戏 (1).mp4",
		});
		expect((await fetch(named)).headers.get("content-disposition")).toBe(
			"attachment; filename*=UTF-8''%E6%B8%B8%E6%88%8F%20%281%29.mp4",
		);
		const outside = s3Storage({
			...optionsOf(),
			publicEndpoint: "https://s3.oss-cn-hangzhou.aliyuncs.com",
			pathStyle: false,
		});
		const outsideReelkeep = createReelkeep({
			plugins: [outside, pickPorts(memoryStorage(), [KEYRING, EVENT_STORE])],
		});
		await outsideReelkeep
			.get(VIDEO_STORE)
			.stat("video-a")
			.catch(() => undefined);
		expect(new URL(await outside.signReadLink(video.location, { expiresInSeconds: 60 })).host).toBe(
			`${server().bucket}.s3.oss-cn-hangzhou.aliyuncs.com`,
		);
		await outsideReelkeep.stop();
		for (const expiresInSeconds of [0, -1, 1.5, Number.NaN, 7 * 86_400 + 1])
			await expect(storage.signReadLink(video.location, { expiresInSeconds })).rejects.toBeInstanceOf(
				RangeError,
			);
		for (const location of ["", "../secret", `${video.location}?x`, "partial/x/note"])
			await expect(storage.signReadLink(location, { expiresInSeconds: 1 })).rejects.toMatchObject({
				_tag: "StoreFault",
			});
		await reelkeep.stop();
	});

	test.each([
		["no bucket of that name", { bucket: "nobodys-bucket" }, /has no such bucket/, false],
		[
			"a wrong secret",
			{ credentials: { accessKeyId: "test:tester", secretAccessKey: "a-secret-that-is-wrong" } },
			/refuses this access key/,
			false,
		],
		["no server", { endpoint: "http://127.0.0.1:1" }, /cannot be reached \(ECONNREFUSED\)/, true],
	])("does not start with %s, and says what to do", async (_, changes, message, retryable) => {
		const { reelkeep } = compose(optionsOf(changes));
		const failure: unknown = await reelkeep.start().catch((error: unknown) => error);
		expect(failure).toMatchObject({
			_tag: "StoreFault",
			reason: "io",
			retryable,
			message: expect.stringMatching(message),
		});
		expect(String(failure)).not.toContain("a-secret");
	});

	test("does not start without credentials, whatever their provider says", async () => {
		const credentials = async () => {
			throw Object.assign(new Error("a-secret-of-the-provider"), { name: "CredentialsProviderError" });
		};
		const failure: unknown = await compose(optionsOf({ credentials }))
			.reelkeep.start()
			.catch((error: unknown) => error);
		expect(String(failure)).toContain("there are no credentials");
		expect(failure).toMatchObject({ retryable: true });
		expect(String(failure)).not.toContain("a-secret");
	});

	test("refuses everything before its start and after its stop, and says while it runs when the server is gone", async () => {
		const { storage, reelkeep } = compose(optionsOf());
		await reelkeep.start();
		const store = reelkeep.get(VIDEO_STORE);
		await reelkeep.stop();
		for (const work of [
			() => store.begin("a"),
			() => store.stat("a"),
			() => store.findPartial("a"),
			() => store.removePartial("a"),
			() => store.remove("a"),
			() => store.freeBytes(),
			() => store.open("a")[Symbol.asyncIterator]().next(),
		])
			await expect(work()).rejects.toMatchObject({ reason: "closed" });
		if (!server().isOwn) return;
		await server().stop();
		expect(await storage.check?.()).toEqual([
			{
				severity: "degraded",
				source: "storage-s3",
				message: expect.stringMatching(/^listing the bucket: the object store cannot be reached/),
			},
		]);
	});
});
