import { sendRaw } from "@reelkeep/harness/send-raw";
import { CAPTURE_APP_KEY, CAPTURE_SECRET } from "@reelkeep/harness/transcript";
import { CAPTURE_NAMES, loadCapture, readCapture, replaceLink, resign } from "@reelkeep/testing";
import { XMLParser } from "fast-xml-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	handlerOptions,
	NOW_MS,
	readFixture,
	recordingReceive,
	startServer,
	type TestServer,
} from "../test/harness.js";
import { parseTimestamp } from "./timestamp.js";

interface Expected {
	readonly answer: string;
	readonly scheme: string;
	readonly requestParam: string;
}

const LINK = "http://127.0.0.1:1/video.mp4?OSSAccessKeyId=k&Signature=a%3D";
const { $comment, ...EXPECTED } = readFixture("captures.expected.json") as Record<string, Expected>;
const RESULT = { code: "0", data: { message: "Consumer Success", consume_state: 1 }, message: "SUCCESS" };
const ENVELOPE = "alibaba_cgame_avatar_video_record_report_response";

const recorded = recordingReceive();
let server: TestServer;
beforeAll(async () => {
	server = await startServer(handlerOptions(recorded.receive));
});
afterAll(() => server.close());

/** What an SDK's own parser would make of the body. */
function describeAnswer(body: string): string {
	const document = body.startsWith("<")
		? new XMLParser({ parseTagValue: false }).parse(body)
		: JSON.parse(body);
	const isJson = !body.startsWith("<");
	const inner = ENVELOPE in document ? document[ENVELOPE] : document;
	expect(inner.request_id).toMatch(/^request-/);
	expect(inner.result).toEqual(isJson ? RESULT : { ...RESULT, data: { ...RESULT.data, consume_state: "1" } });
	return `${isJson ? "json" : "xml"} success${ENVELOPE in document ? "" : ", simplified"}`;
}

function describeRequestParam(text: string): string {
	if (text.startsWith("{'")) {
		expect(text).toContain(`'download_url': '${LINK}', 'version': '1'`);
		return "python text";
	}
	const json = JSON.parse(text);
	expect(json).toMatchObject({
		game_id: "cgdctwrqs",
		download_url: LINK,
		action: "SCREEN_RECORDING_CALL_BACK",
	});
	expect(Object.keys(json)).toHaveLength(9);
	return json.project_id === null ? "json, project_id null" : "json";
}

it("expects an answer for every capture", () => {
	expect([...CAPTURE_NAMES].sort()).toEqual(Object.keys(EXPECTED).sort());
});

describe.each(CAPTURE_NAMES)("the capture %s", (name) => {
	const capture = loadCapture(name);

	it("is what re-signing it with its own timestamp gives, byte for byte", () => {
		const sent = `${capture.target}\r\n${capture.body.toString("latin1")}`;
		const timestamp = /timestamp(?:=|"\r\n\r\n)([0-9%+A :-]+)/.exec(sent)?.[1] ?? "";
		const now = parseTimestamp(decodeURIComponent(timestamp.replaceAll("+", " "))) ?? 0;
		const again = readCapture(resign(capture, { secret: CAPTURE_SECRET, now }));
		expect({ ...again, body: again.body.toString() }).toEqual({ ...capture, body: capture.body.toString() });
	});

	it("is refused with 31 as it was captured, or 25 when its sign is changed, and nothing is handed over", async () => {
		recorded.reports.length = 0;
		const late = await sendRaw(
			server.address,
			resign(capture, { secret: CAPTURE_SECRET, now: NOW_MS - 11 * 60_000 }),
		);
		expect(late.body).toMatch(/31/);
		const forged = await sendRaw(
			server.address,
			resign(capture, { secret: `${CAPTURE_SECRET}x`, now: NOW_MS }),
		);
		expect(forged.body).toMatch(/Invalid signature/);
		expect(recorded.reports).toEqual([]);
	});

	it("gets the expected answer when it is signed anew, and its text is handed over", async () => {
		recorded.reports.length = 0;
		const edit = (text: string): string => replaceLink(text, LINK);
		const reply = await sendRaw(
			server.address,
			resign(capture, { secret: CAPTURE_SECRET, now: NOW_MS, edit }),
		);
		expect(reply.status).toBe(200);
		const [report] = recorded.reports;
		expect({
			answer: describeAnswer(reply.body),
			scheme: report?.metadata.verification?.scheme,
			requestParam: describeRequestParam(String(report?.requestParam)),
		}).toEqual(EXPECTED[name]);
		expect(report).toMatchObject({
			appKey: CAPTURE_APP_KEY,
			metadata: { ingress: "http", appKey: CAPTURE_APP_KEY, verification: { clockSkewMs: 0 } },
		});
		expect(recorded.reports).toHaveLength(1);
	});
});

it("readCapture refuses what is no request", () => {
	expect(() => readCapture(Buffer.from("GET /"))).toThrow("not a captured request");
});
