// Bad input through the whole product: what is answered, and what is in the log afterwards.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RecordedEvent } from "@reelkeep/core";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { openFsEventReader } from "@reelkeep/storage-fs";
import { type RawReply, type SignedRequestOptions, sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const receiver = temporaryReceiver(fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url)));
let serve: Awaited<ReturnType<typeof receiver.serve>>;
let address = "";
const start = async (): Promise<void> => {
	serve = await receiver.serve();
	({ address } = serve);
};
beforeAll(start);
afterAll(() => receiver.dispose());

function report(callback: object | string, options: Partial<SignedRequestOptions> = {}): Promise<RawReply> {
	const requestParam = typeof callback === "string" ? callback : JSON.stringify(callback);
	const defaults = { secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam };
	return sendRaw(address, signedRequest({ ...defaults, ...options }));
}

const isSuccess = ({ body }: RawReply): boolean => body.includes('"consume_state":1');
const codeOf = ({ body }: RawReply): number => JSON.parse(body).error_response?.code;
/** What callbacks have brought into the log, read beside the server. */
const stored = async (type?: string): Promise<readonly RecordedEvent[]> => {
	const reader = await openFsEventReader({ directory: receiver.directory });
	const events: RecordedEvent[] = [];
	for await (const event of reader.readAll()) {
		if (event.metadata.ingress === "http" && (type === undefined || event.type === type)) events.push(event);
	}
	await reader.close();
	return events;
};

/** What `work` adds to the log. */
async function adds(work: () => Promise<unknown>) {
	const before = (await stored()).length;
	await work();
	return (await stored()).slice(before);
}

describe("nothing is stored", () => {
	const minutes = 60_000;
	const rows: Readonly<Record<string, readonly [code: number, options: Partial<SignedRequestOptions>]>> = {
		"for a forged sign": [25, { afterSigning: { sign: "0".repeat(32) } }],
		"for another app's secret": [25, { secret: "another" }],
		"for a missing sign": [24, { afterSigning: { sign: undefined } }],
		"for a missing method": [21, { parameters: { method: undefined } }],
		"for an unknown method": [22, { parameters: { method: "taobao.time.get" } }],
		"for a missing app key": [28, { parameters: { app_key: undefined } }],
		"for an unknown app key": [29, { appKey: "99999999" }],
		"for a missing timestamp": [30, { parameters: { timestamp: undefined } }],
		"for a timestamp that is none": [31, { parameters: { timestamp: "2026-02-30 12:00:00" } }],
		"for a timestamp 11 minutes old": [31, { now: Date.now() - 11 * minutes }],
		"for a timestamp 11 minutes ahead": [31, { now: Date.now() + 11 * minutes }],
		"for a missing version": [32, { parameters: { v: undefined } }],
		"for an unknown version": [33, { parameters: { v: "3.0" } }],
		"for an unknown sign method": [25, { parameters: { sign_method: "crc" } }],
		"for a missing request_param": [40, { requestParam: undefined }],
	};
	for (const [when, [code, options]] of Object.entries(rows)) {
		test(when, async () => {
			const added = await adds(async () => {
				expect(codeOf(await report(sampleCallback({ track_info: when }), options))).toBe(code);
			});
			expect(added).toEqual([]);
		});
	}

	test("for a body over the limit, and the process lives", async () => {
		const added = await adds(async () => {
			const reply = await report(sampleCallback({ account_id: "x".repeat(2_000_000) })).catch(
				() => undefined,
			);
			if (reply !== undefined) expect(isSuccess(reply)).toBe(false);
		});
		expect(added).toEqual([]);
		expect((await fetch(`${address}/healthz`)).status).toBe(200);
	});
});

describe("what is authentic but undecodable", () => {
	const rows: Readonly<Record<string, readonly [body: object | string, says: string]>> = {
		"text that is not JSON": ["not json", "is not JSON"],
		"a missing field": [sampleCallback({ game_id: undefined }), "game_id is missing"],
		"a null field": [sampleCallback({ account_id: null }), "account_id is missing"],
		"a field of the wrong type": [
			sampleCallback({ expire_time: "soon" }),
			"expire_time must be a whole number",
		],
		"an unknown action": [
			sampleCallback({ action: "SOMETHING_ELSE" }),
			"action must be SCREEN_RECORDING_CALL_BACK",
		],
		"an unknown URL scheme": [
			sampleCallback({ download_url: "ftp://h/v.mp4" }),
			"download_url must be an http or https link",
		],
	};
	for (const [what, [body, says]] of Object.entries(rows)) {
		test(`${what} is answered 50, its field named, and quarantined once`, async () => {
			const added = await adds(async () => {
				for (let times = 0; times < 3; times += 1) {
					const { body: answer } = await report(body);
					expect(JSON.parse(answer).error_response).toMatchObject({
						code: 50,
						sub_code: "isv.invalid-parameter",
						sub_msg: expect.stringContaining(says),
					});
				}
			});
			expect(added.map(({ type }) => type)).toEqual(["CallbackQuarantined"]);
			expect(JSON.stringify(added)).not.toContain("ftp://");
		});
	}
});

describe("what is authentic and decodes", () => {
	test("100 times at once is one report and 100 successes", async () => {
		const callback = sampleCallback({ track_info: "hundred" });
		const added = await adds(async () => {
			const replies = await Promise.all(Array.from({ length: 100 }, () => report(callback)));
			expect(replies.filter(isSuccess)).toHaveLength(100);
		});
		expect(added.map(({ type }) => type)).toEqual(["RecordingReported"]);
	});

	test("with a new link, another object, or another account is told apart", async () => {
		const callback = sampleCallback({ track_info: "apart" });
		const link = String(callback.download_url);
		const added = await adds(async () => {
			for (const changes of [
				{},
				{ download_url: link.replace("Signature=0E", "Signature=1F") },
				{ download_url: link.replace("720p", "1080p") },
				{ account_id: "somebody-else" },
				{ account_id: "somebody-else" },
			]) {
				expect(isSuccess(await report({ ...callback, ...changes }))).toBe(true);
			}
		});
		expect(added.map(({ type }) => type)).toEqual([
			"RecordingReported",
			"LinkRenewed",
			"RecordingReported",
			"ReportContradicted",
		]);
		expect(new Set(added.map(({ stream }) => stream)).size).toBe(2);
	});

	test("keeps hostile ids as data, tells them apart, and makes no file of them", async () => {
		const ids = [
			"../../etc/passwd",
			"x".repeat(4096),
			"nul\u0000nul",
			"caf\u00e9",
			"cafe\u0301",
			"\ud800",
			"__proto__",
			" a",
			"a ",
		];
		const added = await adds(async () => {
			for (const id of ids)
				expect(isSuccess(await report(sampleCallback({ track_info: id, project_id: id })))).toBe(true);
		});
		expect(added.map(({ data }) => data.trackInfo)).toEqual(ids);
		expect(new Set(added.map(({ stream }) => stream)).size).toBe(ids.length);
		const names = readdirSync(receiver.directory, { recursive: true }).map(String);
		expect(names.filter((name) => !/^[\w./-]+$/.test(name) || name.includes("passwd"))).toEqual([]);
		expect(readdirSync(join(receiver.directory, ".."))).toEqual(expect.arrayContaining(["apps", "data"]));
	});

	test("ignores unknown keys, __proto__ among them", async () => {
		const text = JSON.stringify(sampleCallback({ track_info: "proto" })).replace(
			"{",
			'{"__proto__":{"a":1},"constructor":1,',
		);
		const added = await adds(async () => expect(isSuccess(await report(text))).toBe(true));
		expect(added.map(({ type }) => type)).toEqual(["RecordingReported"]);
	});

	test("is known again after a restart", async () => {
		const before = (await stored("RecordingReported")).length;
		expect(await serve.stop()).toBe(0);
		await start();
		const callback = sampleCallback({ track_info: "hundred" });
		const replies = await Promise.all(Array.from({ length: 10 }, () => report(callback)));
		expect(replies.filter(isSuccess)).toHaveLength(10);
		expect((await stored("RecordingReported")).length).toBe(before);
	});
});
