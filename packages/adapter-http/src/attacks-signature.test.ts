// Attacks of docs/attacks.md on the check of a sign: how it is compared, at what time, with which key, what is told of it.

import { timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";
import type { Logger } from "@reelkeep/core/ports";
import { callParameters, type SignedWay, signedInEveryWay } from "@reelkeep/harness/signed-body";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { chinaTime, type SignMethod, signTop } from "@reelkeep/testing";
import { describe, expect, it, vi } from "vitest";
import { APPS, handlerOptions, NOW_MS, recordingReceive, standingClock } from "../test/harness.js";
import type { Apps } from "./app-secrets.js";
import type { TopRequest } from "./exchange.js";
import { pathOf } from "./node-handler.js";
import { createRoutes } from "./routes.js";
import { createSpiVerifier } from "./spi-verifier.js";
import { createTopVerifier } from "./verifier.js";

vi.mock("node:crypto", async (importOriginal) => {
	const original = await importOriginal<typeof import("node:crypto")>();
	return { ...original, timingSafeEqual: vi.fn(original.timingSafeEqual) };
});

const compared = vi.mocked(timingSafeEqual);
const SCHEMES: readonly (readonly [SignMethod, bytes: number])[] = [
	["md5", 16],
	["hmac", 16],
	["hmac-sha256", 32],
];
const MINUTE_MS = 60_000;
const TEN_YEARS_MS = 3650 * 24 * 60 * MINUTE_MS;
const clock = standingClock();
const verifiers = {
	gateway: createTopVerifier({ apps: APPS, clock }),
	spi: createSpiVerifier({ apps: APPS, clock }),
};

/** What is said to a request, and what of it reaches `receive`. */
async function reach(direction: SignedWay["direction"], request: TopRequest, logger?: Logger) {
	const { receive, reports } = recordingReceive();
	const options = { ...handlerOptions(receive), ...(logger === undefined ? {} : { logger }) };
	const routes = createRoutes({ ...options, verifier: verifiers[direction], direction });
	const said = String((await routes(pathOf(request.target))?.(request))?.body);
	transcribe("http", said);
	return { said, texts: reports.map(({ requestParam }) => requestParam) };
}

const signed = (signMethod: SignMethod = "md5", timestamp?: string) =>
	signedInEveryWay({
		requestParam: "{}",
		now: NOW_MS,
		signMethod,
		...(timestamp === undefined ? {} : { timestamp }),
	});

/** The same request with `sign` in the place of its own. */
const withSign = ({ request, sign: own }: SignedWay, sign: string): TopRequest => ({
	...request,
	target: request.target.replace(own, encodeURIComponent(sign)),
	body: Buffer.from(String(request.body).replace(own, sign)),
});

/** `sign` with its first `count` characters right and all others wrong. */
const rightUpTo = (sign: string, count: number): string =>
	sign.slice(0, count) + [...sign.slice(count)].map((digit) => (digit === "0" ? "F" : "0")).join("");

const verifyCall = (signMethod: SignMethod, sign: string, appKey: string = TEST_APP_KEY) => {
	const parameters = new Map(callParameters({ requestParam: "{}", now: NOW_MS, signMethod }));
	parameters.set("sign", sign).set("app_key", appKey);
	const request = { parameters, headers: new Map<string, string>(), body: new Uint8Array() };
	return Promise.all([verifiers.gateway.verify(request), verifiers.spi.verify(request)]);
};

describe("the comparison of signs", () => {
	it.each(SCHEMES)(
		"in an attack by time on %s is of whole digests, however much is right",
		async (scheme, bytes) => {
			const parameters = callParameters({ requestParam: "{}", now: NOW_MS, signMethod: scheme });
			const right = signTop(parameters, TEST_SECRET, scheme);
			for (const count of [0, 1, 2, bytes, 2 * bytes - 1, 2 * bytes]) {
				for (const appKey of [TEST_APP_KEY, "99999999"]) {
					compared.mockClear();
					const sign = rightUpTo(right, count);
					const tag = count === 2 * bytes && appKey === TEST_APP_KEY ? "Authentic" : "NotAuthentic";
					for (const { _tag } of await verifyCall(scheme, sign, appKey)) expect(_tag).toBe(tag);
					expect(compared, "once for each of the two verifiers").toHaveBeenCalledTimes(2);
					for (const [expected, given] of compared.mock.calls) {
						expect([expected.byteLength, given.byteLength]).toEqual([bytes, bytes]);
						expect(given).toEqual(Buffer.from(sign, "hex"));
					}
				}
			}
		},
	);

	it("in an attack with signs of more bytes than characters does not throw", async () => {
		for (const [scheme, bytes] of SCHEMES) {
			for (const character of ["é", "签", "\u0130", "\ud800", "ﬁ", "０", "\0", " ", "g", "a"]) {
				const sign = character.repeat(2 * bytes);
				for (const verification of await verifyCall(scheme, sign)) {
					expect(verification).toMatchObject({ reason: "wrong-signature" });
				}
				const sendable = sign.replaceAll("\ud800", "\ufffd");
				for (const way of signed(scheme)) {
					const { said, texts } = await reach(way.direction, withSign(way, sendable));
					expect(said).toMatch(/"code":25,|sign-check-failure/);
					expect(texts).toEqual([]);
				}
			}
		}
	});
});

describe("the time of a sign", () => {
	const forms = [chinaTime, (ms: number) => String(ms), (ms: number) => String(Math.floor(ms / 1000))];

	it("in an attack with a clock ahead or behind is refused in each of its forms", async () => {
		for (const form of forms) {
			for (const offMs of [11 * MINUTE_MS, 24 * 60 * MINUTE_MS, TEN_YEARS_MS]) {
				for (const timeMs of [NOW_MS + offMs, NOW_MS - offMs]) {
					for (const { direction, request } of signed("md5", form(timeMs))) {
						const { said, texts } = await reach(direction, request);
						expect(said).toMatch(/"code":31,|sign-check-failure/);
						expect(texts).toEqual([]);
					}
				}
			}
			for (const offMs of [9 * MINUTE_MS, -9 * MINUTE_MS]) {
				for (const { direction, request } of signed("md5", form(NOW_MS + offMs))) {
					expect((await reach(direction, request)).texts).toEqual(["{}"]);
				}
			}
		}
		for (const timestamp of ["9999999999999", "9999999999", "0000000000000", "9999-12-31 23:59:59"]) {
			for (const { direction, request } of signed("md5", timestamp)) {
				expect((await reach(direction, request)).texts).toEqual([]);
			}
		}
	});
});

describe("the secret under a sign", () => {
	it("in an attack with an empty key is never empty or blank, in either direction", () => {
		const weak = ['""', '" "', '"\\t\\r\\n"', '"\\u00a0"', '"\\u3000"', '"\\ufeff"', "null", "0", "[]", "{}"];
		const named = ['""', '" "', "null", "0", "[]"].map((secret) => `[{"id":"a","secret":${secret}}]`);
		for (const secret of [...weak, ...named]) {
			const apps: Apps = JSON.parse(`{"1":${secret}}`);
			for (const make of [createTopVerifier, createSpiVerifier]) {
				expect(() => make({ apps, clock }), secret).toThrow(TypeError);
			}
		}
		for (const make of [createTopVerifier, createSpiVerifier]) {
			expect(() => make({ apps: {}, clock })).toThrow(TypeError);
		}
	});
});

describe("the sign that would be right", () => {
	it("in an attack on a failing check stands in no answer and no log", async () => {
		const told: string[] = [];
		const tell = (...what: readonly unknown[]): void => void told.push(inspect(what, { depth: 9 }));
		const logger: Logger = { trace: tell, debug: tell, info: tell, warn: tell, error: tell };
		const spies = (["log", "info", "warn", "error", "debug"] as const).map((level) =>
			vi.spyOn(console, level).mockImplementation(tell),
		);
		try {
			for (const [scheme, bytes] of SCHEMES) {
				for (const way of signed(scheme)) {
					const { direction, sign } = way;
					const close = [rightUpTo(sign, sign.length - 1), sign.toLowerCase()];
					for (const wrong of ["0".repeat(2 * bytes), ...close, "", "签"]) {
						told.length = 0;
						const { said, texts } = await reach(direction, withSign(way, wrong), logger);
						expect(texts).toEqual([]);
						expect(told.length).toBeGreaterThan(0);
						// `inspect` writes a Buffer as hex with spaces.
						const all = `${said} ${told.join(" ")}`.replaceAll(/(?<=\b[0-9a-f]{2}) (?=[0-9a-f]{2}\b)/g, "");
						expect(all.toLowerCase()).not.toContain(sign.toLowerCase());
						expect(all).not.toContain(Buffer.from(sign, "hex").toString("base64"));
						expect(all).not.toContain(TEST_SECRET);
					}
				}
			}
		} finally {
			for (const spy of spies) spy.mockRestore();
		}
	});
});
