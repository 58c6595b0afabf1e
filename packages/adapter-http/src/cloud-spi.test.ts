import { setTimeout as sleepReally } from "node:timers/promises";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import type { ReceiveOutcome } from "@reelkeep/core/ports";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { sampleCallback } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { ODD_TEXT, textOf } from "../test/binding.js";
import { APPS, handlerOptions, NOW_MS, recordingReceive, standingClock } from "../test/harness.js";
import { cloudSpiRequest, isoSeconds, signedParameters } from "../test/signed-cloud-spi.js";
import { type CloudSpiHandlerOptions, createCloudSpiHandler } from "./cloud-spi.js";
import { createCloudSpiVerifier } from "./cloud-spi-verifier.js";
import type { TopRequest } from "./exchange.js";
import { httpIngress } from "./plugin.js";
import { createRoutes } from "./routes.js";

const ILLEGAL = { flag: "failure", sub_code: "sign-check-failure", sub_message: "Illegal request" };
const SUCCESS = {
	result: { code: "0", data: { message: "Consumer Success", consume_state: 1 }, message: "SUCCESS" },
};
const AGAIN = { flag: "failure", sub_code: "isp.remote-service-error" };
const OTHER_NONCE = "ffffffffffffffffffffffffffffffff";

function given(options: Partial<CloudSpiHandlerOptions> = {}, recorded = recordingReceive()) {
	const outcomes: unknown[] = [];
	const note = (details: object): void => {
		outcomes.push((details as { readonly outcome?: unknown }).outcome);
	};
	const handle = createCloudSpiHandler({
		...handlerOptions(recorded.receive),
		verifier: createCloudSpiVerifier({ apps: APPS, clock: standingClock() }),
		logger: { trace: note, debug: note, info: note, warn: note, error: note },
		...options,
	});
	const send = async (request: TopRequest): Promise<object> => {
		const reply = await handle(request);
		expect(reply.status).toBe(200);
		transcribe("http", textOf(reply));
		return JSON.parse(textOf(reply));
	};
	const sent = () => recorded.reports.map((report) => report.requestParam);
	return { send, sent, outcomes };
}

const signed = (changes: Parameters<typeof signedParameters>[0] = {}, httpMethod = "POST"): TopRequest =>
	cloudSpiRequest(signedParameters(changes, { httpMethod }), httpMethod);

function textsOf(members: Readonly<Record<string, unknown>>): Record<string, string> {
	return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)]));
}

describe("a body that the signature does not cover", () => {
	const { target, headers } = signed({ request_param: undefined }, "POST");
	const json = Buffer.from('{"request_param":{"game_id":"forged"}}');
	const form = Buffer.from("request_param=%7B%7D");
	const typed = (type: string): ReadonlyMap<string, string> => new Map([...headers, ["content-type", type]]);

	it("is refused, however well the query is signed", async () => {
		const bodies: readonly Partial<TopRequest>[] = [
			{ headers: typed("application/json") },
			{ headers: typed("application/json"), body: { fields: { request_param: "{}" } } },
			{ headers: typed("application/json"), method: "GET" },
			{ headers: typed("text/plain") },
			{ headers: typed("multipart/form-data; boundary=b") },
			{ headers: new Map() },
		];
		for (const changes of bodies) {
			const { send, sent, outcomes } = given();
			const answer = await send({ method: "POST", target, headers, body: json, ...changes });
			const message = expect.stringContaining("the signature does not cover this body");
			expect(answer).toEqual({ flag: "failure", sub_code: "isv.invalid-parameter", sub_message: message });
			expect(outcomes).toEqual(["UncoveredBody"]);
			expect(sent()).toEqual([]);
		}
	});

	it("is not authentic as a form, whose fields are signed", async () => {
		const { send, sent } = given();
		const type = "application/x-www-form-urlencoded";
		expect(await send({ method: "POST", target, headers: typed(type), body: form })).toEqual(ILLEGAL);
		const request = signed();
		const changed = Buffer.from(String(request.body).replace("%7B%7D", "%7B%20%7D"));
		expect(await send({ ...request, body: changed })).toEqual(ILLEGAL);
		expect(sent()).toEqual([]);
	});
});

describe("what is no call of Alibaba Cloud's SPI", () => {
	const failure = { flag: "failure" };
	const twice = signed();
	it.each<readonly [string, TopRequest, object]>([
		["another secret", cloudSpiRequest(signedParameters({}, { secret: "another" })), ILLEGAL],
		["an unknown access key", signed({ accessKey: "99999999" }), ILLEGAL],
		["no access key", signed({ accessKey: undefined }), ILLEGAL],
		["a time 11 minutes ago", signed({ timestamp: isoSeconds(NOW_MS - 660_000) }), ILLEGAL],
		["another verb than the signed one", { ...signed({}, "GET"), method: "POST" }, ILLEGAL],
		["no nonce", signed({ signatureNonce: undefined }), ILLEGAL],
		["no action", signed({ action: undefined }), { ...failure, sub_message: "action is missing" }],
		["an odd action", signed({ action: "a b" }), failure],
		["no version", signed({ version: undefined }), { ...failure, sub_message: "version is missing" }],
		["a version that is no number", signed({ version: "1.0" }), failure],
		["no format", signed({ format: undefined }), { ...failure, sub_message: "format must be JSON" }],
		["another format", signed({ format: "XML" }), failure],
		["an odd name", signed({ "a b": "1" }), { sub_code: "isv.invalid-parameter" }],
		[
			"a parameter twice",
			{ ...twice, target: `${twice.target}&action=x` },
			{ sub_code: "isv.invalid-parameter" },
		],
		[
			"a parameter in query and form",
			{ ...twice, target: `${twice.target}&request_param=%7B%7D` },
			{ sub_code: "isv.invalid-parameter" },
		],
		["a blank callback", signed({ request_param: " " }), { sub_code: "isv.missing-parameter:request_param" }],
		["another verb", { ...signed(), method: "PUT" }, failure],
		["a body that is too large", { ...signed(), body: "too-large" }, failure],
	])("is refused with %s", async (_what, request, expected) => {
		const { send, sent } = given();
		expect(await send(request)).toMatchObject(expected);
		expect(sent()).toEqual([]);
	});

	it("is what another verifier lets pass without a nonce", async () => {
		const receipt = { scheme: "none" };
		const verifier = { verify: async () => ({ _tag: "Authentic", appKey: TEST_APP_KEY, receipt }) as const };
		const { send, sent } = given({ verifier });
		expect(await send(signed({ signatureNonce: undefined }))).toEqual(ILLEGAL);
		expect(await send(signed({ timestamp: "now" }))).toEqual(ILLEGAL);
		expect(sent()).toEqual([]);
	});

	it("is one that is older than the nonces that this handler remembers, whatever its verifier allows", async () => {
		const { send, outcomes } = given({ clockToleranceMs: 1_000 });
		expect(await send(signed({ timestamp: isoSeconds(NOW_MS - 2_000) }))).toEqual(ILLEGAL);
		expect(outcomes).toEqual(["invalid-timestamp"]);
		expect(() => given({ clockToleranceMs: 0 })).toThrow(TypeError);
		expect(() => given({ limits: { maxNonces: 0 } })).toThrow(RangeError);
	});
});

describe("a nonce", () => {
	it("that another callback has is a replay, and reaches nothing", async () => {
		const { send, sent, outcomes } = given();
		expect(await send(signed({ request_param: '{"a":1}' }))).toEqual(SUCCESS);
		expect(await send(signed({ request_param: '{"a":2}' }))).toEqual(ILLEGAL);
		expect(await send(signed({ request_param: '{"a":1}' }, "GET"))).toEqual(ILLEGAL);
		expect(outcomes).toEqual(["Reported", "ReplayedNonce", "ReplayedNonce"]);
		expect(sent()).toEqual(['{"a":1}']);
	});

	it("that no more can be remembered asks for a retry, and forgets none", async () => {
		const { send, outcomes } = given({ limits: { maxNonces: 1 } });
		expect(await send(signed())).toEqual(SUCCESS);
		expect(await send(signed({ signatureNonce: OTHER_NONCE }))).toMatchObject(AGAIN);
		expect(await send(signed({ request_param: "[]" }))).toEqual(ILLEGAL);
		expect(await send(signed())).toEqual(SUCCESS);
		expect(outcomes).toEqual(["Reported", "NonceMemoryFull", "ReplayedNonce", "Reported"]);
	});

	it("of what is not authentic takes no room", async () => {
		const { send } = given({ limits: { maxNonces: 1 } });
		for (let forged = 0; forged < 5; forged++) {
			const parameters = signedParameters({ signatureNonce: `forged--${forged}` }, { secret: "another" });
			expect(await send(cloudSpiRequest(parameters))).toEqual(ILLEGAL);
		}
		expect(await send(signed())).toEqual(SUCCESS);
	});

	it.each<readonly [string, () => ReceiveOutcome]>([
		["a disk is full", () => ({ _tag: "Unavailable", reason: "fault", message: "disk" })],
		["its app has no turn left", () => ({ _tag: "RateLimited", retryAfterMs: 1, message: "often" })],
		[
			"something broke its promise",
			() => {
				throw new Error("bug");
			},
		],
	])(
		"of a callback that was not stored, as %s, is free: for it, and for one that is signed anew",
		async (_why, fail) => {
			let isBroken = true;
			const recorded = recordingReceive(async (): Promise<ReceiveOutcome> => {
				if (isBroken) return fail();
				return { _tag: "Reported", stream: "s" };
			});
			const anew = signed({ timestamp: isoSeconds(NOW_MS + 1_000) });
			for (const next of [signed(), anew]) {
				isBroken = true;
				const { send, outcomes } = given({}, recorded);
				expect(await send(signed())).toMatchObject({ flag: "failure" });
				isBroken = false;
				expect(await send(next)).toEqual(SUCCESS);
				expect(outcomes.at(-1)).toBe("Reported");
				expect(await send(signed({ request_param: "[]" }))).toEqual(ILLEGAL);
			}
		},
	);

	it("is held while a repetition of its request is under way, whatever became of the first", async () => {
		const answers = [
			Promise.resolve<ReceiveOutcome>({ _tag: "Unavailable", reason: "fault", message: "disk" }),
			sleepReally(50).then((): ReceiveOutcome => ({ _tag: "Reported", stream: "s" })),
		];
		const recorded = recordingReceive(async () => (await answers.shift()) as ReceiveOutcome);
		const { send } = given({}, recorded);
		const both = [send(signed()), send(signed())];
		expect(await both[0]).toMatchObject(AGAIN);
		expect(await send(signed({ request_param: "[]" }))).toEqual(ILLEGAL);
		expect(await both[1]).toEqual(SUCCESS);
		expect(await send(signed({ request_param: "[]" }))).toEqual(ILLEGAL);
	});
});

describe("a call of Alibaba Cloud's SPI", () => {
	it("is taken by GET and by POST, its callback as it was written", async () => {
		const { send, sent } = given();
		expect(await send(signed({ request_param: ODD_TEXT }, "GET"))).toEqual(SUCCESS);
		expect(await send(signed({ request_param: ODD_TEXT, signatureNonce: OTHER_NONCE }))).toEqual(SUCCESS);
		expect(sent()).toEqual([ODD_TEXT, ODD_TEXT]);
	});

	it("is taken from a form that a framework has read", async () => {
		const { send, sent } = given();
		const body = { fields: { request_param: ODD_TEXT } };
		expect(await send({ ...signed({ request_param: ODD_TEXT }), body })).toEqual(SUCCESS);
		expect(sent()).toEqual([ODD_TEXT]);
	});

	it("may have the callback's members as parameters, and means the same in any order", async () => {
		const { send, sent } = given();
		const members = { game_id: '云"游戏', zz: "" };
		const sentParameters = signedParameters({ request_param: undefined, ...members });
		expect(await send(cloudSpiRequest(sentParameters))).toEqual(SUCCESS);
		const reversed = Object.fromEntries(Object.entries(sentParameters).reverse());
		expect(await send(cloudSpiRequest(reversed))).toEqual(SUCCESS);
		const [callback, again] = sent();
		expect(again).toBe(callback);
		expect(JSON.parse(String(callback))).toEqual({
			action: "SCREEN_RECORDING_CALL_BACK",
			version: "1",
			...members,
		});
	});

	it("comes to /spi, or to the path that was registered", async () => {
		const verifier = createCloudSpiVerifier({ apps: APPS, clock: standingClock() });
		const options = {
			...handlerOptions(recordingReceive().receive),
			verifier,
			direction: "cloud-spi",
		} as const;
		const reply = await createRoutes(options)("/spi")?.(signed());
		expect(reply && JSON.parse(textOf(reply))).toEqual(SUCCESS);
		expect(createRoutes(options)("/router/rest")).toBeUndefined();
		expect(createRoutes({ ...options, path: "/cb/rest" })("/cb/batch")).toBeUndefined();
	});

	it.each<readonly [string, Readonly<Record<string, string | undefined>>]>([
		["as request_param", { request_param: JSON.stringify(sampleCallback()) }],
		["as parameters", { ...textsOf(sampleCallback()), request_param: undefined }],
	])("is answered with success when it comes again, and is stored once: %s", async (_what, callback) => {
		const apps = { [TEST_APP_KEY]: TEST_SECRET };
		const http = httpIngress({ direction: "cloud-spi", apps, clockToleranceMs: 3_600_000 });
		const reelkeep = createReelkeep({ plugins: [memoryStorage(), http] });
		await reelkeep.start();
		try {
			const timestamp = isoSeconds(Math.floor(Date.now() / 1000) * 1000 - 1_800_000);
			const { target, headers, body } = signed({ ...callback, timestamp });
			const url = `${http.address()}${target}`;
			for (let times = 0; times < 3; times++) {
				const response = await fetch(url, { method: "POST", headers: [...headers], body: String(body) });
				expect(await response.json()).toEqual(SUCCESS);
			}
			const types: string[] = [];
			for await (const { type } of reelkeep.store.readAll()) types.push(type);
			expect(types).toEqual(["RecordingReported"]);
		} finally {
			await reelkeep.stop();
		}
	});
});
