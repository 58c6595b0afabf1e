// `reelkeep copy` of videos into a bucket and back, with a real server of S3's protocol.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { silentLogger } from "@reelkeep/core";
import { runCommand } from "@reelkeep/harness/reelkeep-process";
import { s3Missing, startS3, type TestS3 } from "@reelkeep/harness/swift";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { openS3Videos } from "@reelkeep/storage-s3";
import { type ObjectStore, startObjectStore } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keptIn, temporaryFolder } from "./test-copy.js";
import { leavePending } from "./test-pending.js";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const LOOPBACK = ["--allow-host", "127.0.0.1", "--allow-private-network"];
const NAMES = ["a.mp4", "b.mp4", "c.mp4"];
const HOUR_MS = 3_600_000;
const missing = s3Missing();
if (missing !== undefined && process.env.CI !== undefined) throw new Error(missing);

const receiver = temporaryReceiver(entry);
let s3: TestS3 | undefined;
let origin: ObjectStore | undefined;
beforeAll(async () => {
	if (missing !== undefined) return;
	[s3, origin] = await Promise.all([startS3(), startObjectStore()]);
	for (const name of NAMES) origin.put(name, Buffer.from(`video ${name} `.repeat(50_000)));
	const expiresAtMs = Date.now() + HOUR_MS;
	const links = NAMES.map((name) => ({ url: origin?.presign(name, expiresAtMs) ?? "", expiresAtMs }));
	await leavePending(entry, receiver.directory, links);
	expect((await receiver.run("archive", ...LOOPBACK)).code).toBe(0);
}, 90_000);
afterAll(async () => {
	await receiver.dispose();
	await Promise.all([s3?.stop(), origin?.close()]);
}, 60_000);

const server = (): TestS3 => {
	if (s3 === undefined) throw new Error("nothing runs");
	return s3;
};
const bucketOf = (prefix: string): string => {
	const { bucket, region, endpoint } = server();
	return `s3://${bucket}/${prefix}?region=${region}&endpoint=${endpoint}&path-style=true&create-only=look-first`;
};
const copy = (...flags: readonly string[]) => {
	const { accessKeyId, secretAccessKey } = server().credentials;
	const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
	return runCommand(entry, ["copy", ...flags], { environment });
};
const receiptsIn = async (directory: string) =>
	(await keptIn(directory)).flatMap(({ type, data }) =>
		type === "RecordingArchived" ? [data.receipt as { readonly location: string }] : [],
	);

describe.skipIf(missing !== undefined)("reelkeep copy and a bucket", () => {
	test("moves videos there and back; the events stay true of them", async () => {
		const folder = temporaryFolder();
		const [middle, back] = [join(folder, "middle"), join(folder, "back")];
		const there = await copy("--from", receiver.directory, "--to", middle, "--to-videos", bucketOf("moved"));
		expect([there.code, there.stderr]).toEqual([0, ""]);
		expect(there.stdout).toContain("3 videos (3 copied now");
		const again = await copy("--from", receiver.directory, "--to", middle, "--to-videos", bucketOf("moved"));
		expect(again.stdout).toContain("3 videos (0 copied now");

		const returned = await copy("--from", middle, "--from-videos", bucketOf("moved"), "--to", back);
		expect([returned.code, returned.stderr]).toEqual([0, ""]);
		const receipts = await receiptsIn(back);
		expect(receipts).toHaveLength(NAMES.length);
		for (const { location } of receipts) {
			const [original, copied] = [receiver.directory, back].map((place) =>
				readFileSync(join(place, location)),
			);
			expect(copied?.equals(original ?? Buffer.alloc(0))).toBe(true);
		}
		expect((await runCommand(entry, ["doctor", "--hashes", "--data", back])).code).toBe(0);
	});

	test("a video that the bucket has lost is named, and the others are copied", async () => {
		const folder = temporaryFolder();
		const [middle, back] = [join(folder, "middle"), join(folder, "back")];
		await copy("--from", receiver.directory, "--to", middle, "--to-videos", bucketOf("lossy"));
		const { endpoint, region, credentials, bucket, pathStyle } = server();
		const place = { endpoint, region, credentials, bucket, pathStyle, prefix: "lossy" };
		const { videos, close } = await openS3Videos({ ...place, logger: silentLogger });
		const [lost] = await receiptsIn(middle);
		await videos.remove(lost?.location ?? "");
		await close();
		const { code, stdout } = await copy("--from", middle, "--from-videos", bucketOf("lossy"), "--to", back);
		expect(code).toBe(1);
		expect(stdout).toContain("2 copied now");
	});

	test("a bucket that is not there, and keys that do not fit, are told; no key is quoted", async () => {
		const to = join(temporaryFolder(), "to");
		const elsewhere = bucketOf("x").replace(`s3://${server().bucket}/`, "s3://no-such-bucket/");
		const absent = await copy("--from", receiver.directory, "--to", to, "--to-videos", elsewhere);
		expect(absent.code).toBe(1);
		expect(absent.stderr).toMatch(/bucket/);
		const environment = { AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "hush-hush" };
		const flags = ["copy", "--from", receiver.directory, "--to", to, "--to-videos", bucketOf("x")];
		const refused = await runCommand(entry, flags, { environment });
		expect(refused.code).toBe(1);
		expect(refused.stderr).not.toMatch(/hush|nobody/);
	});
});
