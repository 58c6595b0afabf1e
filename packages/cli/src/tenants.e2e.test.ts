// Several apps on one receiver: what each may report, how often, with which secret, and how much rubbish is kept of it.

import { fileURLToPath } from "node:url";
import type { ServeProcess } from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { CAPTURE_APP_KEY, CAPTURE_SECRET, TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
let receiver: TemporaryReceiver;
beforeEach(() => {
	receiver = temporaryReceiver(entry);
});
afterEach(() => receiver.dispose());

interface Sender {
	readonly appKey: string;
	readonly secret: string;
}
const TEST_APP: Sender = { appKey: TEST_APP_KEY, secret: TEST_SECRET };
const CAPTURE_APP: Sender = { appKey: CAPTURE_APP_KEY, secret: CAPTURE_SECRET };

async function send({ address }: ServeProcess, callback: object | string, sender = TEST_APP) {
	const requestParam = typeof callback === "string" ? callback : JSON.stringify(callback);
	const { body } = await sendRaw(address, signedRequest({ ...sender, now: Date.now(), requestParam }));
	const { error_response: error } = JSON.parse(body);
	return { code: error?.code ?? "ok", subCode: error?.sub_code, subMsg: error?.sub_msg };
}

const callback = (track_info: string, project_id = "cg-avatar") =>
	sampleCallback({ track_info, project_id, download_url: `http://127.0.0.1:9/${track_info}.mp4` });

async function readyz({ address }: ServeProcess) {
	const response = await fetch(`${address}/readyz`);
	return { status: response.status, text: await response.text() };
}

describe("an app that may report some projects", () => {
	test("is refused for others with 11, and nothing is stored of them", async () => {
		const rules = [`${TEST_APP_KEY}=cg-avatar,cg-other`, `${CAPTURE_APP_KEY}=*`];
		const serve = await receiver.serve(...rules.flatMap((rule) => ["--app-projects", rule]));
		expect(await send(serve, callback("a"))).toMatchObject({ code: "ok" });
		expect(await send(serve, callback("b", "cg-other"))).toMatchObject({ code: "ok" });
		expect(await send(serve, callback("c", "cg-foreign"))).toMatchObject({
			code: 11,
			subCode: "isv.permission-api-package-not-allowed",
		});
		expect(await send(serve, callback("d", "cg-foreign"), CAPTURE_APP)).toMatchObject({ code: "ok" });
		const reported = (await receiver.events()).filter(({ type }) => type === "RecordingReported");
		expect(reported.map(({ data }) => data.trackInfo)).toEqual(["a", "b", "d"]);
		expect(serve.log()).not.toContain("--app-projects KEY=PROJECT");
	});

	test("is missed at start: several apps without projects are warned about", async () => {
		const serve = await receiver.serve();
		expect(serve.log()).toMatch(/several apps may report.*--app-projects KEY=PROJECT/);
	});
});

describe("an app that reports more often than it may", () => {
	test("is told 7 with the seconds; another app is not held up", async () => {
		const serve = await receiver.serve("--rate-limit", "0.5");
		expect(await send(serve, callback("a"))).toMatchObject({ code: "ok" });
		const limited = await send(serve, callback("b"));
		expect(limited).toMatchObject({ code: 7, subCode: "accesscontrol.limited-by-api-access-count" });
		expect(limited.subMsg).toMatch(/^This ban will last for [12] more seconds$/);
		expect(await send(serve, callback("c"), CAPTURE_APP)).toMatchObject({ code: "ok" });
	});
});

describe("an app that sends what cannot be decoded", () => {
	test("fills its own quota only; beyond it the sender retries, and /readyz is red, after a restart too", async () => {
		const quota = ["--quarantine-callbacks", "2"];
		let serve = await receiver.serve(...quota);
		expect(await send(serve, "rubbish 1")).toMatchObject({ code: 50 });
		expect((await readyz(serve)).status).toBe(200);
		expect(await send(serve, "rubbish 2")).toMatchObject({ code: 50 });
		expect(await send(serve, "rubbish 3")).toMatchObject({ code: 15, subCode: "isp.remote-service-error" });
		expect(await readyz(serve)).toMatchObject({ status: 503, text: expect.stringContaining(TEST_APP_KEY) });
		await serve.stop();
		serve = await receiver.serve(...quota);
		expect(await send(serve, "rubbish 3")).toMatchObject({ code: 15 });
		expect(await send(serve, "rubbish 1")).toMatchObject({ code: 50 });
		expect((await readyz(serve)).status).toBe(503);
		expect(await send(serve, callback("a"))).toMatchObject({ code: "ok" });
		expect(await send(serve, "rubbish 1", CAPTURE_APP)).toMatchObject({ code: 50 });
		const types = (await receiver.events()).map(({ type }) => type);
		expect(types.filter((type) => type === "CallbackQuarantined")).toHaveLength(3);
	});

	test("may fill so many bytes", async () => {
		const serve = await receiver.serve("--quarantine-mib", "1");
		const codes: unknown[] = [];
		for (let index = 0; index < 6; index++) {
			codes.push((await send(serve, `${index}${"x".repeat(240_000)}`)).code);
		}
		expect(codes).toEqual([50, 50, 50, 50, 15, 15]);
	});
});

describe("an app whose secret is replaced", () => {
	test("is believed with either; receipts and the log tell which is in use", async () => {
		const [old, fresh] = ["test-secret-00000000000000aa", "test-secret-00000000000000bb"];
		const appKey = "34567890";
		const serve = await receiver.serve("--app", `${appKey}:2025=${old}`, "--app", `${appKey}:2026=${fresh}`);
		expect(await send(serve, callback("a"), { appKey, secret: old })).toMatchObject({ code: "ok" });
		for (const track of ["b", "c"]) await send(serve, callback(track), { appKey, secret: fresh });
		expect(await send(serve, callback("d"), { appKey, secret: TEST_SECRET })).toMatchObject({ code: 25 });
		await serve.stop();
		const receipts = (await receiver.events())
			.filter(({ type }) => type === "RecordingReported")
			.map(({ metadata }) => metadata.verification);
		expect(receipts).toMatchObject([
			{ scheme: "md5", secretId: "2025", requestSha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
			{ secretId: "2026" },
			{ secretId: "2026" },
		]);
		expect(serve.log()).toMatch(/"appKey":"34567890","secretId":"2025","msg":"a secret is in use"/);
		expect(serve.log()).toMatch(/"secretId":"2026","callbacks":2,/);
	});
});
