// The official Node SDK from npm, unchanged, in a process of its own: it signs local time, so its zone matters.

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback } from "@reelkeep/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const receiver = temporaryReceiver(fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url)));
const sdk = createRequire(import.meta.url).resolve("taobao-sdk");
const run = promisify(execFile);
let address = "";

beforeAll(async () => {
	({ address } = await receiver.serve());
});
afterAll(() => receiver.dispose());

const SCRIPT = `
const { ApiClient } = require(process.env.SDK);
const client = new ApiClient({ appkey: process.env.KEY, appsecret: process.env.SECRET, url: process.env.URL });
client.execute("alibaba.cgame.avatar.video.record.report", { request_param: process.env.PARAM }, (error, response) => {
	console.log(JSON.stringify({ error: error ?? null, response: response ?? null }));
});
`;

async function report(zone: string, requestParam: object, secret = TEST_SECRET) {
	const { stdout } = await run(process.execPath, ["-e", SCRIPT], {
		timeout: 20_000,
		env: {
			...process.env,
			TZ: zone,
			SDK: sdk,
			KEY: TEST_APP_KEY,
			SECRET: secret,
			URL: `${address}/router/rest`,
			PARAM: JSON.stringify(requestParam),
		},
	});
	return JSON.parse(stdout.trim().split("\n").at(-1) ?? "null");
}

test("the official Node SDK in China's time reads success through its own parser", async () => {
	const { error, response } = await report("Asia/Shanghai", sampleCallback());
	expect(error).toBeNull();
	expect(response.result).toMatchObject({ code: "0", data: { consume_state: 1 } });
	expect((await receiver.events()).filter(({ type }) => type === "RecordingReported")).toHaveLength(1);
});

test("the official Node SDK reads errors through its own parser", async () => {
	const { error } = await report("Asia/Shanghai", sampleCallback({ project_id: null }));
	expect(error).toMatchObject({
		code: 50,
		sub_code: "isv.invalid-parameter",
		sub_msg: "project_id is missing",
	});
	expect((await report("Asia/Shanghai", sampleCallback(), "another-secret")).error).toMatchObject({
		code: 25,
	});
});

test("the official Node SDK on a UTC host is told about the 8 hours", async () => {
	const { error } = await report("UTC", sampleCallback());
	expect(error.code).toBe(31);
	expect(error.sub_msg).toMatch(/8 h/);
	expect(error.sub_msg).toMatch(/GMT\+8|Asia\/Shanghai/);
});
