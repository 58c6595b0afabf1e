// Attacks of docs/attacks.md on what a sign covers: the list of signed headers, the separator of a batch, and text that
// moves between parameters and body, which keeps the sign.

import { signedBodyRequest, takeApart } from "@reelkeep/harness/signed-body";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { describe, expect, it } from "vitest";
import { NOW_MS, signed } from "../test/harness.js";
import { reach } from "../test/reach.js";
import type { TopRequest } from "./exchange.js";

const METHOD = "alibaba.cgame.avatar.video.record.report";
const GOOD = '{"game_id":"good"}';
const DOCUMENT = `{"request_param":${GOOD}}`;

type Headers = Readonly<Record<string, string>>;

const shared = { secret: TEST_SECRET, appKey: TEST_APP_KEY, now: NOW_MS };

function spi(body: string, signedHeaders: Headers = {}, parameters: Headers = {}): TopRequest {
	return takeApart(
		signedBodyRequest({
			...shared,
			path: "/spi",
			body,
			parameters: { method: METHOD, ...parameters },
			signedHeaders,
			headers: { "Content-Type": "application/json" },
		}),
	);
}

const batch = (body: string): TopRequest =>
	takeApart(signedBodyRequest({ ...shared, path: "/router/batch", body }));

const call = (requestParam: string, before = ""): string =>
	`${before}method=${METHOD}&request_param=${encodeURIComponent(requestParam)}`;

const withHeaders = (request: TopRequest, headers: Headers): TopRequest => ({
	...request,
	headers: new Map([...request.headers, ...Object.entries(headers)]),
});

const withQuery = (request: TopRequest, name: string, value: string): TopRequest => ({
	...request,
	target: `${request.target}&${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
});

describe("the list of signed headers", () => {
	it("in an attack by its sender adds nothing to what we let be signed", async () => {
		for (const name of ["x-evil", "host", "content-type", "x-top", "x-top-trace2", "app_key", "timestamp"]) {
			expect(await reach(spi(DOCUMENT, { [name]: "t1" })), `${name} is signed`).toEqual([]);
			expect(await reach(spi(DOCUMENT, { [name]: "t1", "x-top-trace": "t1" }))).toEqual([]);
		}
		expect(await reach(spi(DOCUMENT, { "x-top-trace": "t1" }))).toEqual([GOOD]);
	});

	it("in an attack by somebody else changes nothing that is read", async () => {
		const lists = [
			"",
			",",
			"x-evil",
			"app_key,method",
			"sign",
			"x-top-trace,x-top-trace",
			"X-Top-Trace",
			"__proto__",
		];
		const long = [
			"x-evil,".repeat(100_000),
			"x-top-trace,".repeat(10_000),
			`${"a".repeat(1_000_000)},x-top-trace`,
		];
		const withText = [DOCUMENT, `x-top-trace${DOCUMENT}`, `x-top-trace,${GOOD}`, "x-top-trace{"];
		const captured = [spi(DOCUMENT), spi(DOCUMENT, { "x-top-trace": "t1" })];
		let refused = 0;
		for (const list of [...lists, ...long, ...withText]) {
			for (const request of captured) {
				for (const trace of ["t1", "", "%7B", "{", "t1,t1", DOCUMENT]) {
					const changed = withHeaders(request, { "top-sign-list": list, "x-top-trace": trace });
					const texts = await reach(changed);
					// A list of what is none of ours is no list.
					expect(texts.filter((text) => text !== GOOD)).toEqual([]);
					refused += 1 - texts.length;
				}
			}
		}
		expect(refused).toBeGreaterThan(60);
		const without = captured[1] ?? spi(DOCUMENT);
		expect(await reach({ ...without, headers: new Map([["content-type", "application/json"]]) })).toEqual([]);
	});
});

describe("the separator of a batch", () => {
	it("in an attack, as it is not signed, cuts no other calls out of the signed body", async () => {
		const nested =
			'{"game_id":"good","track_info":"a&request_param={\\"game_id\\":\\"evil\\"}\\r\\n-S-\\r\\nN"}';
		const two = [call(nested), call(GOOD)].join("\r\n-S-\r\n");
		const withShared = `#PUBLIC#method=${METHOD}\r\n-S-\r\nrequest_param=${encodeURIComponent(nested)}\r\n-S-\r\nN`;
		const original: unknown[] = [nested, GOOD];
		let attacks = 0;
		for (const body of [call(nested), two, withShared]) {
			const request = batch(body);
			const asSent = await reach(request);
			expect(asSent.length).toBeGreaterThan(0);
			const separators = new Set(["", "\r\n", "-S-", "#PUBLIC#", "&", "=", "%", "N", ", ", "x".repeat(65)]);
			for (let from = 0; from < body.length; from++) {
				for (const length of [1, 2, 3, 8, 20]) separators.add(body.slice(from, from + length));
			}
			for (const separator of separators) {
				const texts = await reach(withHeaders(request, { "top-api-separator": separator }));
				expect(
					texts.filter((text) => !original.includes(text)),
					separator,
				).toEqual([]);
				expect(texts.length).toBeLessThanOrEqual(asSent.length);
				attacks += 1;
			}
		}
		expect(attacks).toBeGreaterThan(1000);
	});
});

describe("text that moves under a sign", () => {
	it("in an attack from a JSON body into a parameter or a header, or back, is refused", async () => {
		const tricky = '{"track_info":"{\\"game_id\\":\\"evil"}';
		for (const document of [DOCUMENT, tricky, GOOD, '{"a":{"request_param":{}}}']) {
			for (const [name, value] of [
				["zz", "1"],
				["x-top-trace", "t1"],
			] as const) {
				const request = name === "zz" ? spi(document, {}, { zz: value }) : spi(document, { [name]: value });
				const asSent = await reach(request);
				expect(asSent).toHaveLength(1);
				for (let cut = 1; cut <= document.length; cut++) {
					const moved = value + document.slice(0, cut);
					const body = Buffer.from(document.slice(cut));
					const target = request.target.replace("zz=1", `zz=${encodeURIComponent(moved)}`);
					const changed = { ...request, target, body };
					const header: Headers = name === "zz" ? {} : { [name]: encodeURIComponent(moved) };
					expect(await reach(withHeaders(changed, header)), `${name} ${moved}`).toEqual([]);
				}
				const back = { ...request, body: Buffer.from(`1${document}`) };
				expect(await reach({ ...back, target: request.target.replace("zz=1", "zz=") })).toEqual([]);
			}
		}
	});

	it("in an attack from a batch's body into a parameter, or back, is refused", async () => {
		const body = [call('{"game_id":"first"}', "x_trace=1&"), call(GOOD)].join("\r\n-S-\r\n");
		const request = batch(body);
		expect(await reach(request)).toHaveLength(2);
		for (let from = 1; from < 12; from++) {
			for (let cut = from; cut <= body.length; cut++) {
				const rest = { ...request, body: Buffer.from(body.slice(cut)) };
				expect(await reach(withQuery(rest, body.slice(0, from), body.slice(from, cut)))).toEqual([]);
			}
		}
		for (let cut = 1; cut <= body.length; cut++) {
			const longer = request.target.replace("v=2.0", `v=${encodeURIComponent(`2.0${body.slice(0, cut)}`)}`);
			expect(await reach({ ...request, target: longer, body: Buffer.from(body.slice(cut)) })).toEqual([]);
		}
		const withoutVersion = request.target.replace("&v=2.0", "");
		expect(await reach({ ...request, target: withoutVersion, body: Buffer.from(`v2.0${body}`) })).toEqual([]);
	});

	it("in an attack from a call to a batch or to the other direction, or back, means nothing else", async () => {
		const single = takeApart(signed({ place: "query", requestParam: GOOD }));
		const others = ["/router/batch", "/spi", "/router/rest"];
		for (const request of [single, batch(call(GOOD)), spi(DOCUMENT)]) {
			for (const path of others) {
				const target = request.target.replace(/^[^?]*/, path);
				for (const contentType of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
					const changed = withHeaders(
						{ ...request, target, method: "POST" },
						{ "content-type": contentType },
					);
					expect((await reach(changed)).filter((text) => text !== GOOD)).toEqual([]);
				}
			}
		}
	});
});
