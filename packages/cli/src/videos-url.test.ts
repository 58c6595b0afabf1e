import { describe, expect, test } from "vitest";
import { UsageError } from "./flags.js";
import { isSameBucket, parseVideosUrl } from "./videos-url.js";

const read = (text: string) => parseVideosUrl("--videos", text);

describe("--videos", () => {
	test("takes a bucket, with a prefix or without", () => {
		expect(read("s3://our-recordings?region=r")).toEqual({
			bucket: "our-recordings",
			region: "r",
			credentials: "aws",
		});
		expect(read("s3://our-recordings/reelkeep/eu?region=r")).toMatchObject({ prefix: "reelkeep/eu" });
		const [one, other] = ["s3://videos/eu?region=r", "s3://videos/eu/?region=r"].map(read);
		expect(one && other && isSameBucket(one, other)).toBe(true);
		expect(one && isSameBucket(one, read("s3://videos/us?region=r"))).toBe(false);
	});

	test("takes how the bucket is reached, and how videos are kept there", () => {
		const endpoint = "https://s3.oss-cn-hangzhou-internal.aliyuncs.com";
		const query = `region=cn-hangzhou&endpoint=${encodeURIComponent(endpoint)}&credentials=aliyun&part-mib=16`;
		expect(read(`s3://videos?${query}&storage-class=STANDARD_IA&encryption=aws:kms&kms-key-id=k`)).toEqual({
			bucket: "videos",
			region: "cn-hangzhou",
			endpoint,
			credentials: "aliyun",
			partBytes: 16 * 1024 * 1024,
			storageClass: "STANDARD_IA",
			serverSideEncryption: "aws:kms",
			kmsKeyId: "k",
		});
		expect(
			read("s3://videos?endpoint=http://127.0.0.1:9000&path-style=true&create-only=look-first&region=r"),
		).toEqual({
			bucket: "videos",
			endpoint: "http://127.0.0.1:9000",
			region: "r",
			pathStyle: true,
			createOnly: "look-first",
			credentials: "aws",
		});
	});

	test.each([
		["/var/videos", "--videos takes s3://BUCKET/PREFIX"],
		["https://bucket.s3.amazonaws.com", "--videos takes s3://"],
		["s3://Bucket", "--videos takes s3://"],
		["s3://bucket/x", "--videos needs region="],
		["s3://key:hush@bucket", "keys come from the environment, never from the URL"],
		["s3://bucket?regoin=x", 'knows no option "regoin": it takes endpoint, region'],
		["s3://bucket?region=r&endpoint=ftp://host", "endpoint is https://HOST"],
		["s3://bucket?region=r&endpoint=https://key:hush@host", "without a path or keys"],
		["s3://bucket?region=r&path-style=yes", "path-style is true or false"],
		[
			"s3://bucket?region=r&create-only=always",
			"create-only is if-none-match or forbid-overwrite or look-first",
		],
		["s3://bucket?region=r&part-mib=1", "part-mib is a whole number from 5 to 512"],
		["s3://bucket?region=r&credentials=hush", "credentials is aws or aliyun"],
	])("%s is refused, and quoted nowhere", (text, says) => {
		expect(() => read(text)).toThrow(UsageError);
		expect(() => read(text)).toThrow(says);
		expect(() => read(text)).not.toThrow("hush");
	});
});
