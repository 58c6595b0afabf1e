// Reports over gRPC that are signed as TOP's SDKs sign: the ingress of one adapter with the verifier of the other.

import { Client, status as Code, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { createGrpcIngress } from "@reelkeep/adapter-grpc";
import { type ReportRecordingsResponse, recordingService } from "@reelkeep/adapter-grpc/v1";
import { createTopVerifier } from "@reelkeep/adapter-http";
import { randomIds, systemClock } from "@reelkeep/core/container";
import type { Ingress, Report } from "@reelkeep/core/ports";
import { callParameters } from "@reelkeep/harness/signed-body";
import { TEST_APP_KEY, TEST_SECRET, transcribe, transcribingLogger } from "@reelkeep/harness/transcript";
import { chinaTime, type SignMethod, sampleCallback, signTop } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const NOW_MS = Date.UTC(2026, 10, 23, 4, 0, 0);
const MINUTE_MS = 60_000;
const CALLBACK = JSON.stringify(sampleCallback());
/** Spaces, escapes, an order and a repetition that no serializer would write again. */
const ODD_CALLBACK =
	' {"track_info" : "云游戏\\u4e91🎮e\u0301", "download_url":"http:\\/\\/h\\/a%2Fb?x=1&y=%2B", "n":1.0 ,"n":1 }\r\n';

let ingress: Ingress;
let client: Client;
let reports: Report[];
beforeEach(async () => {
	reports = [];
	const clock = { ...systemClock, now: () => NOW_MS };
	const verifier = createTopVerifier({ apps: { [TEST_APP_KEY]: TEST_SECRET }, clock });
	ingress = createGrpcIngress({
		ids: randomIds,
		clock,
		logger: transcribingLogger(),
		verifier,
		stopTimeMs: 2_000,
	});
	const { address = "" } = await ingress.start(async (report) => {
		reports.push(report);
		return { _tag: "Reported", stream: "recording-1" };
	});
	client = new Client(address, credentials.createInsecure());
});
afterEach(async () => {
	client.close();
	await ingress.stop();
});

interface Signed {
	readonly requestParam?: string;
	readonly signMethod?: SignMethod;
	readonly now?: number;
	readonly secret?: string;
	/** Changes, adds or (`undefined`) removes parameters after signing. */
	readonly afterSigning?: Readonly<Record<string, string | undefined>>;
}

/** A call's parameters without `request_param`, which is the message. */
function parametersOf(signed: Signed = {}): Readonly<Record<string, string>> {
	const { requestParam = CALLBACK, signMethod = "md5", now = NOW_MS, secret = TEST_SECRET } = signed;
	const all = callParameters({ requestParam, signMethod, now });
	const own = all.filter(([name]) => name !== "request_param");
	const sign = signTop(all, secret, signMethod);
	const changed = { ...Object.fromEntries(own), sign, ...signed.afterSigning };
	return Object.fromEntries(
		Object.entries(changed).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
	);
}

/** As `ReportRecording` has them, and what else stands there. */
function metadataOf(
	parameters: Readonly<Record<string, string>>,
	...others: readonly [string, string][]
): Metadata {
	const metadata = new Metadata();
	for (const [name, value] of Object.entries(parameters)) metadata.add(`top-${name}`, value);
	for (const [key, value] of others) metadata.add(key, value);
	return metadata;
}

const raw = (text: string | Uint8Array) => ({
	report: { case: "requestParam" as const, value: Buffer.from(text) },
});

interface Failure {
	readonly code: number;
	readonly message: string;
}
const OK: Failure = { code: Code.OK, message: "" };

function failureOf(error: ServiceError | null): Failure {
	if (error === null) return OK;
	transcribe("grpc", `${error.code} ${error.details}`);
	return { code: error.code, message: error.details };
}

type Request = Parameters<typeof recordingService.ReportRecording.requestSerialize>[0];

function report(request: Request, metadata: Metadata): Promise<Failure> {
	const { path, requestSerialize, responseDeserialize } = recordingService.ReportRecording;
	return new Promise((resolve) => {
		client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error) =>
			resolve(failureOf(error)),
		);
	});
}

type Item = Parameters<typeof recordingService.ReportRecordings.requestSerialize>[0];

const resultOf = ({ result }: ReportRecordingsResponse["results"][number]): Failure =>
	result.case === "error" ? { code: result.value.code, message: result.value.message } : OK;

/** What each item came to. */
function reportMany(items: readonly Item[], metadata = new Metadata()): Promise<readonly Failure[]> {
	const { path, requestSerialize, responseDeserialize } = recordingService.ReportRecordings;
	return new Promise((resolve, reject) => {
		const answered = (error: ServiceError | null, response?: ReportRecordingsResponse): void => {
			if (response === undefined) reject(error);
			else resolve(response.results.map(resultOf));
		};
		const call = client.makeClientStreamRequest(
			path,
			requestSerialize,
			responseDeserialize,
			metadata,
			answered,
		);
		for (const item of items) call.write(item);
		call.end();
	});
}

const item = (requestParam: string, signed: Signed = {}): Item => ({
	report: raw(requestParam),
	topParameters: parametersOf({ requestParam, ...signed }),
});

const forged = (message: string): Failure => ({ code: Code.UNAUTHENTICATED, message });
const WRONG = forged("sign does not match what was received");

describe("a signed report", () => {
	it.each(["md5", "hmac", "hmac-sha256"] as const)(
		"is taken with %s, and its receipt says so",
		async (signMethod) => {
			const now = NOW_MS - 9 * MINUTE_MS;
			expect(await report(raw(CALLBACK), metadataOf(parametersOf({ signMethod, now })))).toEqual(OK);
			const verification = { scheme: signMethod, secretId: "default", clockSkewMs: 9 * MINUTE_MS };
			expect(reports).toMatchObject([
				{ requestParam: CALLBACK, appKey: TEST_APP_KEY, metadata: { appKey: TEST_APP_KEY, verification } },
			]);
			expect(reports[0]?.metadata.verification?.requestSha256).toMatch(/^[0-9a-f]{64}$/);
		},
	);

	it.each([
		["Chinese", JSON.stringify(sampleCallback({ track_info: "云游戏🎮" }))],
		["not canonical", ODD_CALLBACK],
		["marked by a byte order mark", `\ufeff${CALLBACK}`],
		["no JSON at all", "这不是 JSON"],
	])("is taken letter by letter when its text is %s", async (_what, requestParam) => {
		expect(await report(raw(requestParam), metadataOf(parametersOf({ requestParam })))).toEqual(OK);
		expect(reports.map((one) => one.requestParam)).toEqual([requestParam]);
	});

	it("is taken again: SDKs send again", async () => {
		const metadata = metadataOf(parametersOf());
		expect([await report(raw(CALLBACK), metadata), await report(raw(CALLBACK), metadata)]).toEqual([OK, OK]);
	});

	it("is taken whatever else stands in the metadata", async () => {
		const others: [string, string][] = [
			["authorization", "Bearer x"],
			["x-sign", "ABC"],
			["sign", "ABC"],
		];
		expect(await report(raw(CALLBACK), metadataOf(parametersOf(), ...others))).toEqual(OK);
	});
});

describe("a report that is not authentic", () => {
	afterEach(() => expect(reports).toEqual([]));

	it.each<[string, Signed, Failure]>([
		["no sign", { afterSigning: { sign: undefined } }, forged("sign is missing")],
		["a forged sign", { afterSigning: { sign: "0".repeat(32) } }, WRONG],
		["a sign in lower case", { afterSigning: { sign: parametersOf().sign?.toLowerCase() } }, WRONG],
		["another app's secret", { secret: "test-secret-5555555555555555" }, WRONG],
		["the sign of another method", { afterSigning: { sign_method: "hmac" } }, WRONG],
		["another method name", { afterSigning: { method: "taobao.time.get" } }, WRONG],
		["another time than was signed", { afterSigning: { timestamp: chinaTime(NOW_MS + 1000) } }, WRONG],
		["a parameter that was not signed", { afterSigning: { session: "x" } }, WRONG],
		["no version", { afterSigning: { v: undefined } }, WRONG],
		["no app", { afterSigning: { app_key: undefined } }, forged("app_key is missing")],
		["an unknown app", { afterSigning: { app_key: "99999999" } }, forged("no such app is known here")],
		["no time", { afterSigning: { timestamp: undefined } }, forged("timestamp is missing")],
		[
			"an odd method",
			{ afterSigning: { sign_method: "MD5" } },
			forged("sign_method must be md5, hmac or hmac-sha256"),
		],
		[
			"a request_param of its own",
			{ afterSigning: { request_param: CALLBACK } },
			forged("request_param stands twice"),
		],
	])("is refused for %s", async (_what, signed, failure) => {
		expect(await report(raw(CALLBACK), metadataOf(parametersOf(signed)))).toEqual(failure);
		expect(await reportMany([item(CALLBACK, signed)])).toEqual([failure]);
	});

	it.each([-11, 11])("is refused when it was signed %d minutes from now", async (minutes) => {
		const signed = parametersOf({ now: NOW_MS + minutes * MINUTE_MS });
		const failure = await report(raw(CALLBACK), metadataOf(signed));
		expect(failure).toMatchObject({
			code: Code.UNAUTHENTICATED,
			message: expect.stringContaining("timestamp"),
		});
	});

	it("is refused for any changed byte of its text", async () => {
		const metadata = metadataOf(parametersOf());
		const bytes = Buffer.from(CALLBACK);
		const places = Array.from({ length: 16 }, (_, index) => Math.floor((index * bytes.length) / 16));
		for (const place of places) {
			const changed = Buffer.from(bytes);
			changed[place] = (bytes[place] ?? 0) ^ 1;
			expect(await report(raw(changed), metadata)).toEqual(WRONG);
		}
		for (const text of [`${CALLBACK} `, ` ${CALLBACK}`, CALLBACK.slice(0, -1), `\ufeff${CALLBACK}`]) {
			expect(await report(raw(text), metadata)).toEqual(WRONG);
		}
	});

	it("is refused for the same JSON in another form", async () => {
		const metadata = metadataOf(parametersOf({ requestParam: ODD_CALLBACK }));
		expect(await report(raw(ODD_CALLBACK.trim()), metadata)).toEqual(WRONG);
		expect(await report(raw(JSON.stringify(JSON.parse(ODD_CALLBACK))), metadata)).toEqual(WRONG);
	});

	it("is refused as fields, which nobody can have signed", async () => {
		const fields: Request = { report: { case: "callback", value: { gameId: "g" } } };
		const failure = { code: Code.UNAUTHENTICATED, message: expect.stringContaining("send request_param") };
		expect(await report(fields, metadataOf(parametersOf()))).toEqual(failure);
		expect(await reportMany([{ report: fields, topParameters: parametersOf() }])).toEqual([failure]);
	});

	it("is refused when its text is not UTF-8", async () => {
		const failure = { code: Code.UNAUTHENTICATED, message: expect.stringContaining("not UTF-8") };
		const bytes = Buffer.concat([Buffer.from(CALLBACK), Buffer.of(0xff)]);
		expect(await report(raw(bytes), metadataOf(parametersOf()))).toEqual(failure);
	});

	it.each(["sign", "app_key", "timestamp", "sign_method", "method", "v"])(
		"is refused when %s stands twice, though both are the same",
		async (name) => {
			const signed = parametersOf();
			const twice: [string, string] = [`top-${name}`, signed[name] ?? ""];
			expect(await report(raw(CALLBACK), metadataOf(signed, twice))).toMatchObject({
				code: Code.UNAUTHENTICATED,
			});
		},
	);

	it("is refused when the parameters stand without their prefix", async () => {
		const bare = metadataOf({}, ...Object.entries(parametersOf()));
		expect(await report(raw(CALLBACK), bare)).toEqual(forged("app_key is missing"));
	});
});

describe("a stream of signed reports", () => {
	it("has a result for each of them, and those that are forged take none of the others along", async () => {
		const texts = Array.from({ length: 6 }, (_, n) =>
			JSON.stringify(sampleCallback({ track_info: `云-${n}` })),
		);
		const signMethods = ["md5", "hmac", "hmac-sha256"] as const;
		const items = texts.map((text, n) => item(text, { signMethod: signMethods[n % 3] ?? "md5" }));
		// The second has the third's parameters, the fifth none.
		items[1] = { ...items[1], topParameters: items[2]?.topParameters ?? {} };
		items[4] = { report: raw(texts[4] ?? "") };
		expect(await reportMany(items)).toEqual([OK, WRONG, OK, OK, forged("app_key is missing"), OK]);
		expect(reports.map(({ requestParam }) => requestParam)).toEqual([texts[0], texts[2], texts[3], texts[5]]);
		expect(reports.map(({ metadata }) => metadata.verification?.scheme)).toEqual([
			"md5",
			"hmac-sha256",
			"md5",
			"hmac-sha256",
		]);
	});

	it("does not take the stream's metadata for the parameters of its reports", async () => {
		expect(await reportMany([{ report: raw(CALLBACK) }], metadataOf(parametersOf()))).toEqual([
			forged("app_key is missing"),
		]);
		expect(await reportMany([item(CALLBACK)], metadataOf({ sign: "ABC" }))).toEqual([OK]);
		expect(reports).toHaveLength(1);
	});
});
