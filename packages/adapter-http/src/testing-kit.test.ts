// The testing kit's requests against the product: each SDK's is accepted, and refused with one bit flipped.

import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import {
	answerText,
	CAPTURE_NAMES,
	flipBit,
	sdkRequest,
	signedRequest,
	toFetchRequest,
} from "@reelkeep/testing";
import { describe, expect, test } from "vitest";
import { handlerOptions, NOW_MS, recordingReceive } from "../test/harness.js";
import { createFetchHandler } from "./fetch-handler.js";

const APP = { appKey: TEST_APP_KEY, secret: TEST_SECRET, now: NOW_MS };
const LINK = "http://bucket.oss-cn-hangzhou.aliyuncs.com/录像.mp4?Expires=1";

function given() {
	const { reports, receive } = recordingReceive();
	const handler = createFetchHandler(handlerOptions(receive));
	const answerTo = async (raw: Uint8Array): Promise<string> => {
		const text = await answerText(await handler(toFetchRequest(raw)));
		transcribe("http", text);
		return text;
	};
	const texts = () => reports.map(({ requestParam }) => String(requestParam));
	return { answerTo, texts };
}

describe.each(CAPTURE_NAMES)("a request of %s by the testing kit", (sdk) => {
	test("is accepted, in this SDK's writing, with another link", async () => {
		const { answerTo, texts } = given();
		expect(await answerTo(sdkRequest(sdk, { ...APP, link: LINK }))).toMatch(/SUCCESS/);
		expect(texts()[0]?.replaceAll("\\/", "/")).toContain(LINK);
	});

	test("is accepted with a whole callback of the test's", async () => {
		const { answerTo, texts } = given();
		const callback = { track_info: "轨迹" };
		expect(await answerTo(sdkRequest(sdk, { ...APP, callback }))).toMatch(/SUCCESS/);
		expect(texts()).toEqual([JSON.stringify(callback)]);
	});

	test("is refused with one bit flipped", async () => {
		const { answerTo, texts } = given();
		expect(await answerTo(flipBit(sdkRequest(sdk, APP)))).toMatch(/[">:]25\b/);
		expect(texts()).toEqual([]);
	});
});

test("one bit is flipped, in request_param, wherever it is sent", () => {
	for (const place of ["form", "body", "query", "multipart"] as const) {
		const raw = signedRequest({ ...APP, requestParam: '{"track_info":"轨迹"}', place });
		const flipped = flipBit(raw);
		const changed = [...raw.keys()].filter((at) => raw[at] !== flipped[at]);
		expect(changed.map((at) => (raw[at] ?? 0) ^ (flipped[at] ?? 0))).toEqual([1]);
		expect(raw.subarray(0, changed[0]).toString()).toContain("request_param");
	}
});

test("what it cannot do, it says", () => {
	expect(() => sdkRequest("cobol", APP)).toThrow(/there is no capture of cobol; there are java2017/);
	expect(() => flipBit(signedRequest({ ...APP, requestParam: undefined }))).toThrow(TypeError);
	const odd = signedRequest({ ...APP, requestParam: "{}", place: "get-with-body" });
	expect(() => toFetchRequest(odd)).toThrow(TypeError);
});
