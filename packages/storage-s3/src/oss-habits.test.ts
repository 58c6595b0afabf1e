import {
	DeleteObjectsCommand,
	HeadBucketCommand,
	ListObjectsV2Command,
	PutObjectCommand,
	S3Client,
} from "@aws-sdk/client-s3";
import { videoStoreSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import type { Logger } from "@reelkeep/core/ports";
import { OSS_DOMAIN } from "@reelkeep/harness/swift";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultCreateOnly } from "./create-only.js";
import { ossAgent, type StrictOss, startStrictOss } from "./test-oss-strict.js";
import { bytesOf, missing, newPrefix, openStore, s3Harness, useServer, type Way, wayTo } from "./test-s3.js";

const { server } = useServer();
let oss: StrictOss;
beforeAll(async () => {
	if (missing === undefined && server().isOwn) oss = await startStrictOss(server());
}, 90_000);
afterAll(() => oss?.stop());

/** As a plugin would get there by default. */
function wayToOss(): Way {
	const way = wayTo(server());
	const { endpoint } = oss;
	return {
		...way,
		connection: { ...way.connection, endpoint, pathStyle: false },
		requestHandler: { httpAgent: ossAgent() },
		createOnly: defaultCreateOnly(endpoint),
	};
}

const VIDEO = Buffer.alloc(700_000, "a video ");

async function keep(way: Way, key: string, prefix: string, logger?: Logger) {
	const opened = await openStore(way, prefix, logger);
	const upload = await opened.store.begin(key, { note: "n" });
	await upload.write(VIDEO);
	const result = await upload.commit();
	return { ...opened, result };
}

test("OSS is known by its endpoints, internal ones too", () => {
	expect(defaultCreateOnly("https://s3.oss-cn-hangzhou-internal.aliyuncs.com")).toBe("forbid-overwrite");
	expect(defaultCreateOnly("https://oss-cn-hangzhou.aliyuncs.com:443")).toBe("forbid-overwrite");
	expect(defaultCreateOnly("https://aliyuncs.com.example.com")).toBe("if-none-match");
	expect(defaultCreateOnly(undefined)).toBe("if-none-match");
});

// Only before a server of our own can it stand: it must hear the host names of OSS.
describe.skipIf(missing !== undefined || process.env.REELKEEP_TEST_S3 !== undefined)("OSS", () => {
	describeConformance(
		"the video store on a strict OSS",
		videoStoreSuite(() => {
			const way = wayToOss();
			return s3Harness(way, true, way.partBytes + 40_000);
		}),
		{ skips: [], timeoutMs: 120_000 },
	);

	test("stands for one that refuses what clients of Amazon's S3 send by default", async () => {
		const { credentials, bucket } = server();
		const config = {
			endpoint: oss.endpoint,
			region: "us-east-1",
			credentials,
			requestHandler: { httpAgent: ossAgent() },
			maxAttempts: 1,
		};
		const careless = new S3Client(config);
		const careful = new S3Client({ ...config, requestChecksumCalculation: "WHEN_REQUIRED" });
		const pathStyle = new S3Client({ ...config, forcePathStyle: true });
		const object = { Bucket: bucket, Key: "refused", Body: "x" };
		await expect(pathStyle.send(new ListObjectsV2Command({ Bucket: bucket }))).rejects.toMatchObject({
			name: "SecondLevelDomainForbidden",
		});
		await expect(careless.send(new PutObjectCommand(object))).rejects.toMatchObject({
			name: "InvalidArgument",
		});
		await expect(careful.send(new PutObjectCommand({ ...object, IfNoneMatch: "*" }))).rejects.toMatchObject({
			name: "NotImplemented",
		});
		const removal = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: "refused" }] } });
		await expect(careful.send(removal)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
		await careful.send(new HeadBucketCommand({ Bucket: bucket }));
		for (const client of [careless, careful, pathStyle]) client.destroy();
	});

	test("is asked by the bucket's host name, with an MD5 of all that is sent, and never to replace a video", async () => {
		oss.seen.length = 0;
		const { store, result, close } = await keep(wayToOss(), "video-a", newPrefix());
		expect(result._tag).toBe("Committed");
		await store.remove(result.video.location);
		expect(oss.seen.length).toBeGreaterThan(8);
		for (const { method, target, headers } of oss.seen) {
			expect(headers.host).toMatch(new RegExp(`^videos\\.${OSS_DOMAIN}:`));
			const isCopy = headers["x-amz-copy-source"] !== undefined;
			const isBody = method === "PUT" || /[?&]delete\b/.test(target);
			if (isBody && !isCopy) expect(headers["content-md5"], `${method} ${target}`).toMatch(/^.{22}==$/);
			const isCreation =
				/^PUT [^?]*videos\/|^POST [^?]*videos\//.test(`${method} ${target}`) && !/partNumber/.test(target);
			expect(headers["x-oss-forbid-overwrite"], `${method} ${target}`).toBe(isCreation ? "true" : undefined);
		}
		close();
	});

	test("keeps the first of two videos that two processes put together at once", async () => {
		const prefix = newPrefix();
		const [one, other] = await Promise.all([
			keep(wayToOss(), "video-a", prefix),
			keep(wayToOss(), "video-a", prefix),
		]);
		expect([one, other].map(({ result }) => result._tag).sort()).toEqual(["AlreadyStored", "Committed"]);
		expect(other.result.video).toEqual(one.result.video);
		expect(VIDEO.equals(await bytesOf(one.store.open(one.result.video.location)))).toBe(true);
		one.close();
		other.close();
	});

	test("is looked at first, and that is told once, where `If-None-Match` is asked for", async () => {
		const said: string[] = [];
		const note = (_: object, message: string) => void said.push(message);
		const logger = { trace: note, debug: note, info: note, warn: note, error: note };
		const prefix = newPrefix();
		const way = { ...wayToOss(), createOnly: "if-none-match" as const, partBytes: 8 * 1024 * 1024 };
		const { store, result, close } = await keep(way, "video-a", prefix, logger);
		const again = await store.begin("video-a");
		await again.write(Buffer.from("another"));
		expect(await again.commit()).toEqual({ _tag: "AlreadyStored", video: result.video });
		expect(said).toEqual([expect.stringContaining("If-None-Match")]);
		close();
	});
});
