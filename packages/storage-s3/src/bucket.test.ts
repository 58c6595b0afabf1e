import { afterEach, expect, test } from "vitest";
import { createBucket } from "./bucket.js";
import { type Answer, startAnswers } from "./test-answers.js";

let server: Awaited<ReturnType<typeof startAnswers>>;
afterEach(() => server.stop());

const done: Answer = (answer) => answer.writeHead(200, { etag: '"a"' }).end();
const xml =
	(text: string): Answer =>
	(answer) =>
		answer.writeHead(200, { "content-type": "application/xml" }).end(text);

test("a video is written with the class and the encryption that are asked for, its parts with the encryption", async () => {
	server = await startAnswers(done);
	const bucket = createBucket({
		...server.options,
		serverSideEncryption: "aws:kms",
		kmsKeyId: "key-1",
		storageClass: "STANDARD_IA",
	});
	expect(await bucket.createVideo("v", Buffer.from("x"), { sha256: "s" })).toBe(true);
	await bucket.put("p", Buffer.from("x"));
	const [video, part] = server.seen.map(({ headers }) => headers);
	expect(video).toMatchObject({
		"if-none-match": "*",
		"content-type": "video/mp4",
		"content-md5": "ndTkYSaMgDT1yFZOFVxnpg==",
		"x-amz-meta-sha256": "s",
		"x-amz-server-side-encryption": "aws:kms",
		"x-amz-server-side-encryption-aws-kms-key-id": "key-1",
		"x-amz-storage-class": "STANDARD_IA",
	});
	expect(part).toMatchObject({
		"content-md5": "ndTkYSaMgDT1yFZOFVxnpg==",
		"x-amz-server-side-encryption": "aws:kms",
	});
	expect(part).not.toHaveProperty("x-amz-storage-class");
	expect(part).not.toHaveProperty("if-none-match");
});

test("a listing of several pages is read to its end", async () => {
	const page = (keys: readonly string[], next?: string) =>
		xml(
			`<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join("")}` +
				`${next === undefined ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`}</ListBucketResult>`,
		);
	server = await startAnswers(page(["a", "b"], "token"), page(["c"]));
	expect((await createBucket(server.options).list("")).map(({ key }) => key)).toEqual(["a", "b", "c"]);
	expect(server.seen[1]?.url).toContain("continuation-token=token");
});

test("what a deletion of several leaves undone is a fault", async () => {
	server = await startAnswers(
		xml(
			"<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code><Message>a-secret</Message></Error></DeleteResult>",
		),
	);
	await expect(createBucket(server.options).remove(["a", "b"])).rejects.toMatchObject({
		_tag: "StoreFault",
		retryable: false,
		message: expect.stringMatching(/^removing from the bucket: the object store does not allow it/),
	});
});

test("more than a thousand are removed by several requests, nothing by none", async () => {
	server = await startAnswers(xml("<DeleteResult/>"));
	const bucket = createBucket(server.options);
	await bucket.remove([]);
	expect(server.seen.length).toBe(0);
	await bucket.remove(Array.from({ length: 2_001 }, (_, index) => `key-${index}`));
	expect(server.seen.length).toBe(3);
});
