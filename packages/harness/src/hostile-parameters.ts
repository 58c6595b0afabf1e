// Hostile requests in good HTTP: signs, parameters, types and lengths that are wrong. Each is refused with one answer, and
// the connection goes on.

import { gzipSync } from "node:zlib";
import { unsignedRequest } from "@reelkeep/testing";
import type { HostileKind, HostileRequest } from "./hostile-kind.js";
import { post, targetOf } from "./hostile-message.js";
import type { Draw } from "./hostile-random.js";
import { signedBodyRequest } from "./signed-body.js";
import { TEST_APP_KEY, TEST_SECRET } from "./transcript.js";

const REFUSED = /^\d+$/;
const METHOD = "alibaba.cgame.avatar.video.record.report";

const refused = (bytes: Buffer): HostileRequest => ({ pieces: [bytes], allows: REFUSED, connection: "kept" });

const hex = (draw: Draw, length: number): string =>
	draw
		.bytes(length / 2)
		.toString("hex")
		.toUpperCase();

const INVALID_UTF8 = [
	"%22%ff%22",
	"%22%fe%22",
	"%c0%80",
	"%ed%a0%80",
	"%f4%90%80%80",
	"%e6%b8",
	"%",
	"%zz",
	"%u6e38",
];
const ODD_NAMES = [
	"__proto__",
	"constructor",
	"request_param[]",
	"request_param[__proto__]",
	"sign[]",
	" ",
	"\0",
	"a b",
];
const WRONG_TYPES = [
	"",
	"application/json",
	"text/xml",
	"text/plain",
	"application/x-www-form-urlencoded2",
	"a".repeat(9_000),
];

export const PARAMETERS: readonly HostileKind[] = [
	{
		name: "forged sign",
		weight: 30,
		make(draw, material) {
			const right = material.call({});
			const sign = draw.pick([
				hex(draw, 32),
				hex(draw, 64),
				hex(draw, 32).toLowerCase(),
				"",
				"0",
				hex(draw, 30),
			]);
			const other = { secret: "another-secret" };
			return refused(draw.once(4) ? material.call(other) : replaceSign(right, sign));
		},
	},
	{
		name: "non-ASCII sign",
		weight: 8,
		make(draw, material) {
			const character = draw.pick(["é", "签", "\u0130", "🎮", "\u00a0"]);
			const sign = encodeURIComponent(character.repeat(16 + draw.int(49)));
			return refused(replaceSign(material.call({}), sign));
		},
	},
	{
		name: "bytes in the request line",
		weight: 4,
		make(draw, material) {
			const sign = Buffer.from(draw.pick(["é", "签", "🎮"]).repeat(32)).toString("latin1");
			const bytes = replaceSign(material.call({}), sign);
			return { pieces: [bytes], allows: REFUSED, connection: "half-closed" };
		},
	},
	{
		name: "missing or odd parameters",
		weight: 12,
		make(draw, material) {
			const names = ["method", "app_key", "timestamp", "v", "sign_method", "sign", "format", "session"];
			const values = [
				"",
				"\0",
				"-1",
				"__proto__",
				"null",
				"游戏",
				"9".repeat(draw.int(500)),
				"x ",
				undefined,
			];
			const parameters = { [draw.pick(names)]: draw.pick(values), [draw.pick(names)]: draw.pick(values) };
			const place = draw.pick(["form", "body", "multipart"] as const);
			// The empty callback is none: what is left in order ends at request_param.
			return refused(material.call({ place, afterSigning: parameters, requestParam: undefined }));
		},
	},
	{
		name: "odd names",
		weight: 8,
		make(draw) {
			const pairs = Array.from({ length: 1 + draw.int(8) }, () => [draw.pick(ODD_NAMES), "x"] as const);
			return refused(unsignedRequest(pairs, { place: draw.pick(["form", "body", "multipart"] as const) }));
		},
	},
	{
		name: "thousands of parameters",
		weight: 3,
		make(draw) {
			const name = draw.pick(["a", "a[]", "__proto__", "x".repeat(70)]);
			const pairs = Array.from({ length: 10_000 }, (_, index) => `${name}${draw.once(2) ? "" : index}=1`);
			return refused(post("/router/rest", pairs.join("&").slice(0, 260_000)));
		},
	},
	{
		name: "a long query",
		weight: 3,
		make: (draw) => refused(post(`/router/rest?${"a=&".repeat(draw.int(9_000))}`, "")),
	},
	{
		name: "not UTF-8",
		weight: 8,
		make(draw, material) {
			const bad = draw.pick(INVALID_UTF8);
			const raw = Buffer.concat([Buffer.from("request_param="), draw.bytes(8), Buffer.from([0xff])]);
			const { target } = targetOf(material.call({}));
			return refused(
				draw.pick([
					post(`${target}&request_param=${bad}`, ""),
					post(target, `request_param=${bad}`),
					post(target, raw),
					post(target, raw, { "Content-Type": "multipart/form-data; boundary=b" }),
					post(target.replace("rest", "batch"), raw),
				]),
			);
		},
	},
	{
		name: "a body of another type",
		weight: 6,
		make(draw, material) {
			const { target } = targetOf(material.call({ requestParam: undefined }));
			const body = draw.pick([
				'{"request_param":{}}',
				"<a/>",
				"request_param=%7B%7D",
				"\0",
				"[".repeat(50_000),
			]);
			return refused(post(target, body, { "Content-Type": draw.pick(WRONG_TYPES) }));
		},
	},
	{
		name: "a gzip body",
		weight: 4,
		make(draw, material) {
			const { target, body } = targetOf(material.good(draw));
			// What is compressed was signed, but it is not what came.
			const bytes = gzipSync(
				draw.once(3) ? Buffer.alloc(2_000_000, "a") : Buffer.concat([Buffer.from("&"), body]),
			);
			return refused(post(target.replace(/&sign=/, "&sign=0"), bytes, { "Content-Encoding": "gzip" }));
		},
	},
	{
		name: "an SPI request",
		weight: 5,
		make(draw) {
			const bytes = signedBodyRequest({
				path: draw.pick(["/router/rest", "/router/batch"]),
				secret: TEST_SECRET,
				appKey: TEST_APP_KEY,
				now: Date.now(),
				body: '{"request_param":{}}',
				parameters: { method: METHOD, v: draw.pick(["2.0", undefined]) },
				signedHeaders: { "x-top-trace": "t1" },
				headers: { "Content-Type": "application/json" },
			});
			return refused(bytes);
		},
	},
	{
		name: "a broken batch",
		weight: 6,
		make(draw, material) {
			const { bytes } = material.batch(draw);
			const separator = draw.pick(["=", "a", "%", "-S-", "x".repeat(65), "#PUBLIC#", "\t", "N"]);
			const text = bytes.toString("latin1");
			const { target } = targetOf(bytes);
			const type = { "Content-Type": "text/plain" };
			const broken = draw.pick([
				post(target, "N\r\n-S-\r\n".repeat(draw.int(2_000)), type),
				post(target, draw.bytes(40), type),
				Buffer.from(text.replace("\r\n", `\r\ntop-api-separator: ${separator}\r\n`), "latin1"),
			]);
			// A batch of one call is whole whatever would divide it.
			return { pieces: [broken], allows: /^(?:\d+|success)$/, connection: "kept" };
		},
	},
	{
		name: "another path",
		weight: 4,
		make(draw) {
			const path = draw.pick([
				"/",
				"//router/rest",
				"/router/rest/",
				"/ROUTER/REST",
				"/router%2frest",
				"/..",
				"/%00",
			]);
			const method = draw.pick(["GET", "HEAD", "POST", "PUT"]);
			const head = `${method} ${path}?${draw.int(9)} HTTP/1.1\r\nHost: x\r\n\r\n`;
			return { pieces: [Buffer.from(head)], allows: /^nobody$/, connection: "half-closed" };
		},
	},
	{
		name: "health",
		weight: 2,
		make(draw) {
			const path = draw.pick(["/healthz", "/readyz"]);
			return {
				pieces: [Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)],
				allows: /^health$/,
				connection: "kept",
			};
		},
	},
];

/** For a sign in the query. */
function replaceSign(bytes: Buffer, sign: string): Buffer {
	return Buffer.from(bytes.toString("latin1").replace(/([?&]sign=)[0-9A-F]*/, `$1${sign}`), "latin1");
}
