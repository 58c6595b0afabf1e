import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleCallback } from "@reelkeep/testing";
import { describe, expect, test } from "vitest";
import { CAPTURE_SECRET, findLeaks, findTranscriptLeaks, TEST_SECRET } from "./transcript.js";

const link = String(sampleCallback().download_url);

describe("the search for leaks finds what is planted", () => {
	const planted: Readonly<Record<string, string>> = {
		"a link in a log line": `{"level":30,"url":"${link}","msg":"downloading"}`,
		"an encoded link in a query": `GET /?request_param=${encodeURIComponent(link)}`,
		"a link encoded twice": `request_param=${encodeURIComponent(encodeURIComponent(link))}`,
		"a link with escaped slashes": JSON.stringify({ link }).replaceAll("/", "\\/"),
		"an access key alone": "OSSAccessKeyId=LTAI4FrVZfkTUiNQ2hu8Z4uk",
		"an S3 signature": "https://h/v.mp4?X-Amz-Signature=0123abcd",
		"an OSS V4 signature": "https://h/v.mp4?x-oss-signature=0123abcd",
		"a secret in an error": `Error: wrong secret ${TEST_SECRET}`,
		"the captures' secret": `secret is ${CAPTURE_SECRET}`,
	};
	for (const [what, text] of Object.entries(planted)) {
		test(what, () => {
			expect(findLeaks(text)).not.toEqual([]);
			const folder = mkdtempSync(join(tmpdir(), "reelkeep-planted-"));
			try {
				writeFileSync(join(folder, "log-1.log"), `harmless\n${text}\n`);
				const [found = ""] = findTranscriptLeaks(folder);
				expect(found).toMatch(/^log-1\.log:2: /);
				expect(findLeaks(found)).toEqual([]);
			} finally {
				rmSync(folder, { recursive: true, force: true });
			}
		});
	}
});

describe("the search for leaks leaves alone", () => {
	for (const text of [
		"http://ali-cloudgame.oss-cn-zhangjiakou.aliyuncs.com/720p.mp4?***",
		"Signature=***",
		'{"msg":"Invalid signature","sub_msg":"sign does not match what was received"}',
	]) {
		test(text, () => expect(findLeaks(text)).toEqual([]));
	}
});
