// Attacks of docs/attacks.md that go around the signature: nothing unsigned passes, reaches `receive` or breaks anything.

import type { Logger, Verifier } from "@reelkeep/core/ports";
import { type SignedWay, signedInEveryWay } from "@reelkeep/harness/signed-body";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { describe, expect, it } from "vitest";
import { APPS, handlerOptions, NOW_MS, recordingReceive } from "../test/harness.js";
import type { TopReply, TopRequest } from "./exchange.js";
import { pathOf } from "./node-handler.js";
import { createRoutes, type RouteOptions } from "./routes.js";
import { createSpiVerifier } from "./spi-verifier.js";

const REFUSED = /error_response|"flag":"failure"/;

function receiver(direction: "gateway" | "spi" = "gateway", more: Partial<RouteOptions> = {}) {
	const { receive, reports } = recordingReceive();
	const options = handlerOptions(receive);
	const spi =
		direction === "spi" ? { verifier: createSpiVerifier({ apps: APPS, clock: options.clock }) } : {};
	const routes = createRoutes({ ...options, ...spi, direction, ...more });
	return {
		reports,
		async send(request: TopRequest): Promise<TopReply> {
			const handle = routes(pathOf(request.target));
			if (handle === undefined) throw new Error(`nobody answers ${request.target}`);
			const reply = await handle(request);
			transcribe("http", JSON.stringify(reply));
			return reply;
		},
	};
}

const GOOD = signedInEveryWay({ requestParam: "{}", now: NOW_MS });

/** The same request without a sign that is right. */
function* unsignedOf({ request, sign }: SignedWay): Generator<TopRequest> {
	const rewrite = (from: RegExp, to: string): TopRequest => ({
		...request,
		target: request.target.replace(from, to),
		body: Buffer.from(String(request.body).replace(from, to)),
	});
	for (const wrong of ["", "0".repeat(32), "0".repeat(64), "undefined", "[object Object]", "%E7%AD%BE"]) {
		yield rewrite(new RegExp(sign), wrong);
	}
	yield rewrite(/(?<=[?&]|name=")sign(?=[="])/, "signature");
}

const PARAMETERS = [
	...[
		"ssl_check=1",
		"challenge=c",
		"type=url_verification",
		"hub.mode=subscribe&hub.challenge=c",
		"crc_token=c",
	],
	...["echostr=c", "validationToken=c", "verify=false", "skip_sign=true", "debug=1", "test=1", "sandbox=1"],
	...[
		"sign_check=0",
		"is_internal=1",
		"admin=true",
		"sign_method=none",
		"sign_method=",
		"_method=GET",
		"sign[]=1",
	],
	...["access_token=1", "payload=%7B%7D", "top-sign-list=", "callback=c", "health=1", "request_param=%7B%7D"],
];
const HEADERS: readonly (readonly [string, string])[] = [
	["x-original-url", "/healthz"],
	["x-original-uri", "/healthz"],
	["x-original-method", "OPTIONS"],
	["x-rewrite-url", "/healthz"],
	["x-http-method-override", "OPTIONS"],
	["x-method-override", "HEAD"],
	["x-forwarded-for", "127.0.0.1"],
	["x-forwarded-host", "localhost"],
	["x-forwarded-proto", "https"],
	["x-real-ip", "127.0.0.1"],
	["forwarded", "for=127.0.0.1"],
	["x-middleware-subrequest", "middleware:middleware:middleware"],
	["x-internal", "true"],
	["x-top-trace", "t1"],
	["top-sign-list", ""],
	["x-slack-retry-num", "1"],
	["x-hub-signature", "sha1="],
	["aliyun-webhook-verified", "true"],
	["webhook-request-origin", "eventemitter.example"],
	["user-agent", "ELB-HealthChecker/2.0"],
	["authorization", "Basic YWRtaW46"],
	["upgrade", "websocket"],
	["connection", "sign"],
	["expect", "100-continue"],
	["content-encoding", "gzip"],
	["content-length", "0"],
	["content-type", "application/json"],
	["content-type", "text/xml"],
	["content-type", ""],
	["content-type", "multipart/form-data"],
];
const BODIES = [
	'{"type":"url_verification","challenge":"c","token":"t"}',
	'{"challenge":"c"}',
	'{"ssl_check":1,"request_param":"{}"}',
	`<xml><ToUserName>c</ToUserName><request_param>{}</request_param></xml>`,
	"ssl_check=1&payload=%7B%7D&request_param=%7B%7D",
	"payload=%7B%22request_param%22%3A%7B%7D%7D",
	"",
];
const VERBS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "post", "", "QUERY"];

function* disguised(request: TopRequest): Generator<TopRequest> {
	yield request;
	const joint = request.target.includes("?") ? "&" : "?";
	for (const more of PARAMETERS) yield { ...request, target: `${request.target}${joint}${more}` };
	for (const [name, value] of HEADERS) {
		yield { ...request, headers: new Map([...request.headers, [name, value]]) };
	}
	for (const body of BODIES) yield { ...request, body: Buffer.from(body) };
	for (const method of VERBS) yield { ...request, method };
}

describe("a request that nobody signed", () => {
	it("in an attack by early return is refused, whatever it says of itself, and reaches nothing", async () => {
		let refused = 0;
		for (const good of GOOD) {
			const { send, reports } = receiver(good.direction);
			expect(String((await send(good.request)).body)).toContain("SUCCESS");
			expect(reports.splice(0)).toHaveLength(1);
			for (const unsigned of unsignedOf(good)) {
				for (const request of disguised(unsigned)) {
					const { body } = await send(request);
					expect(String(body), `${request.method} ${request.target}`).toMatch(REFUSED);
					// A challenge is not echoed either.
					expect(String(body)).not.toMatch(/SUCCESS|challenge/);
					refused += 1;
				}
			}
			expect(reports).toEqual([]);
		}
		expect(refused).toBeGreaterThan(2000);
	});

	it("in an attack on the store touches nothing, however it is refused", async () => {
		for (const { direction, request: good } of GOOD.filter(({ request }) => request.target.includes("?"))) {
			const { send, reports } = receiver(direction);
			const { target } = good;
			const refused: readonly Partial<TopRequest>[] = [
				{ method: "PUT" },
				...(["too-large", "too-slow", "overloaded", "already-read"] as const).map((body) => ({ body })),
				{ body: Buffer.alloc(300_000, "x") },
				{ body: Buffer.concat([good.body, Buffer.from(" ")]) },
				{ target: `${target}&a` },
				{ target: `${target}&${"a".repeat(20_000)}=1` },
				{ target: `${target}&v=2.0` },
				{ target: target.replace("v=2.0", "v=1.0") },
				{ target: target.replace("2026-11", "2025-11") },
				{ target: target.replace(TEST_APP_KEY, "99999999") },
				{ target: target.replace("sign=", "sign=0") },
				{ target: target.replace("md5", "crc") },
			];
			for (const change of refused) {
				expect(String((await send({ ...good, ...change })).body)).toMatch(REFUSED);
			}
			expect(reports).toEqual([]);
		}
	});

	it("in an attack by client address gains nothing: a sender is known by its sign alone", async () => {
		for (const { direction, request: good } of GOOD) {
			const { send, reports } = receiver(direction);
			await send(good);
			const [plain] = reports.splice(0);
			for (const name of ["x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "via"]) {
				await send({ ...good, headers: new Map([...good.headers, [name, "127.0.0.1"]]) });
				const [report] = reports.splice(0);
				const ids = { requestId: "", correlationId: "" };
				expect({ ...report, metadata: { ...report?.metadata, ...ids } }).toEqual({
					...plain,
					metadata: { ...plain?.metadata, ...ids },
				});
			}
		}
	});
});

describe("the path of an error", () => {
	const odd: readonly Partial<TopRequest>[] = [
		...[
			"/router/rest",
			"/router/rest?",
			"/router/rest?&&&",
			"/router/rest#?",
			"/router/rest?%",
			"/router/rest??",
		].map((target) => ({ target })),
		{ headers: new Map() },
		{ headers: new Map([["content-type", ""]]) },
		{ headers: new Map([["content-type", "multipart/form-data; boundary="]]) },
		{ headers: new Map([["content-type", ";;;"]]) },
		{ headers: new Map([["accept-encoding", ";;,,gzip;q"]]) },
		{ headers: new Map([["top-api-separator", ""]]) },
		{ headers: new Map([["top-sign-list", ",,,"]]) },
		{ body: new Uint8Array() },
		{ body: Buffer.from("\0") },
		{ body: { fields: { request_param: ["a", "b"], sign: { toString: 1 } } } },
		{ method: "" },
	];

	it("in an attack on the error path throws nothing, whatever is missing or odd", async () => {
		const told: string[] = [];
		const error = (_details: object, message: string): void => void told.push(message);
		const ignore = (): void => {};
		const logger: Logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error };
		for (const { direction, request: good } of GOOD) {
			const { send } = receiver(direction, { logger });
			const path = pathOf(good.target);
			for (const one of odd.flatMap((first) => odd.map((second) => ({ ...first, ...second })))) {
				const target = (one.target ?? good.target).replace("/router/rest", path);
				const { status, body } = await send({ ...good, ...one, target });
				expect(status).toBe(200);
				expect(Buffer.from(body).length).toBeGreaterThan(10);
			}
		}
		expect(told).toEqual([]);
	});

	it.each<readonly [string, unknown]>([
		["an error", new Error(`query sign=1 ${TEST_SECRET}`)],
		["undefined", undefined],
		["null", null],
		["a text", TEST_SECRET],
		["an object without a prototype", Object.create(null)],
		[
			"an object that throws again",
			{
				get stack() {
					throw new Error("again");
				},
			},
		],
	])("in an attack on a verifier that throws %s asks for a retry, again and again", async (_what, thrown) => {
		const verifier: Verifier = { verify: () => Promise.reject(thrown) };
		for (const { direction, request: good } of GOOD) {
			const { send, reports } = receiver(direction, { verifier, limits: { maxInFlight: 1 } });
			for (let times = 0; times < 3; times++) {
				expect(String((await send(good)).body)).toContain("isp.remote-service-error");
			}
			expect(reports).toEqual([]);
		}
	});
});
