// Attacks of docs/attacks.md on the bytes under a sign: what is not ASCII, what is not UTF-8, what changed by one bit.

import {
	callParameters,
	signedBodyRequest,
	signedInEveryWay,
	takeApart,
} from "@reelkeep/harness/signed-body";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { signTop, unsignedRequest } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { NOW_MS } from "../test/harness.js";
import { reach } from "../test/reach.js";
import type { TopRequest } from "./exchange.js";

const METHOD = "alibaba.cgame.avatar.video.record.report";
const TEXT = '{"game_id":"游戏é🎮"}';

const signed = (requestParam: string, signMethod: "md5" | "hmac" | "hmac-sha256" = "md5") =>
	signedInEveryWay({ requestParam, now: NOW_MS, signMethod });

describe("the bytes under a sign", () => {
	it("in an attack by decoding as ASCII are Chinese text and emoji, which arrive exactly", async () => {
		for (const scheme of ["md5", "hmac", "hmac-sha256"] as const) {
			for (const { request } of signed(TEXT, scheme)) {
				expect(await reach(request), request.target).toEqual([TEXT]);
			}
		}
	});

	it("in an attack by one flipped bit are refused, wherever it is", async () => {
		let refused = 0;
		for (const { request } of signed(TEXT)) {
			const isInQuery = request.body.length === 0;
			const bytes = isInQuery ? Buffer.from(request.target) : request.body;
			const start = Math.max(bytes.indexOf('"游'), bytes.indexOf("%22%3A%22"));
			for (let at = start + 1; at < bytes.length - 4; at++) {
				const changed = Buffer.from(bytes);
				changed[at] = (changed[at] ?? 0) ^ 1;
				const change = isInQuery ? { target: changed.toString("latin1") } : { body: changed };
				const texts = await reach({ ...request, ...change });
				// What stands behind the text may not be signed: a boundary's end, a batch's other line.
				expect(texts.filter((text) => text !== TEXT)).toEqual([]);
				refused += 1 - texts.length;
			}
		}
		expect(refused).toBeGreaterThan(200);
	});

	it.each(["22ff22", "22fe22", "22c08022", "22eda08022", "22f490808022", "22e6b822"])(
		"in an attack with %s, which is not UTF-8, never verify as something else",
		async (hex) => {
			const bytes = Buffer.from(hex, "hex");
			const lossy = (["utf8", "latin1", "ascii"] as const).map((encoding) => bytes.toString(encoding));
			for (const request of [
				...lossy.flatMap((text) => callsWith(bytes, text)),
				...bodiesWith(bytes, lossy),
			]) {
				expect(await reach(request), `${request.target} ${request.body}`).toEqual([]);
			}
		},
	);
});

/** Calls that send `bytes` in `request_param`, signed as if `read` had been sent. */
function callsWith(bytes: Buffer, read: string): readonly TopRequest[] {
	const pairs = callParameters({ requestParam: `{"a":${read}}`, now: NOW_MS });
	const others = pairs.filter(([name]) => name !== "request_param");
	const all = [...others, ["sign", signTop(pairs, TEST_SECRET, "md5")] as const];
	const form = takeApart(unsignedRequest(all));
	const parts = takeApart(unsignedRequest([...all, ["request_param", "@"]], { place: "multipart" }));
	const [head = "", tail = ""] = parts.body.toString().split("@");
	const encoded = `request_param=%7B%22a%22%3A${bytes.toString("hex").replace(/../g, "%$&")}%7D`;
	return [
		{ ...form, body: Buffer.from(encoded) },
		{ ...form, target: `${form.target}&${encoded}`, body: Buffer.from("") },
		{ ...form, body: wrap('request_param={"a":', bytes, "}") },
		{ ...parts, body: wrap(`${head}{"a":`, bytes, `}${tail}`) },
	];
}

/** Raw bodies of `bytes`, signed as they are, and signed as if one of `read` had been sent. */
function bodiesWith(bytes: Buffer, read: readonly string[]): readonly TopRequest[] {
	const shared = { secret: TEST_SECRET, appKey: TEST_APP_KEY, now: NOW_MS };
	const batch = { ...shared, path: "/router/batch" };
	const headers = { "Content-Type": "application/json" };
	const spi = { ...shared, path: "/spi", parameters: { method: METHOD }, headers };
	const start = `method=${METHOD}&request_param={"a":`;
	return [undefined, ...read].flatMap((text) => {
		const asSigned = text === undefined ? bytes : Buffer.from(text);
		const call = takeApart(signedBodyRequest({ ...batch, body: wrap(start, asSigned, "}") }));
		const document = takeApart(signedBodyRequest({ ...spi, body: wrap('{"a":', asSigned, "}") }));
		return [
			{ ...call, body: wrap(start, bytes, "}") },
			{ ...document, body: wrap('{"a":', bytes, "}") },
		];
	});
}

function wrap(before: string, bytes: Uint8Array, behind: string): Buffer {
	return Buffer.concat([Buffer.from(before), bytes, Buffer.from(behind)]);
}
