// Hostile HTTP: lengths that lie, odd headers and verbs, connections that break off, what is not HTTP at all.

import type { HostileKind } from "./hostile-kind.js";
import { alone, head, MAX_BODY_BYTES, post, targetOf, UPGRADES, withLine } from "./hostile-message.js";

/** At most one answer, and no success. */
const REFUSED_OR_CLOSED = /^(?:\d+|nobody|bare)?$/;
const NO_SUCCESS = /^(?!.*success)/;
const ANYTHING = /^/;

const NOT_HTTP = [
	"\r\n\r\n",
	"\0",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	"GET",
	"GET / HTTP/1.1",
	"POST /router/rest HTTP/1.1\r\n",
	"POST /router/rest HTTP/9.9\r\n\r\n",
	"POST\t/router/rest\tHTTP/1.1\r\n\r\n",
	"POST /router/rest?\xe6\xb8\xb8 HTTP/1.1\r\n\r\n",
	"POST http:// HTTP/1.1\r\n\r\n",
	"POST http://[::1/router/rest HTTP/1.1\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\n\r\n",
	"USER a\r\nPASS b\r\n",
];

export const FRAMING: readonly HostileKind[] = [
	{
		name: "not HTTP",
		weight: 8,
		make: (draw) => alone(draw.once(3) ? draw.bytes(draw.int(200)) : draw.pick(NOT_HTTP), NO_SUCCESS),
	},
	{
		name: "another verb",
		weight: 6,
		make(draw, material) {
			const verb = draw.pick([
				"HEAD",
				"OPTIONS",
				"PUT",
				"DELETE",
				"TRACE",
				"PATCH",
				"CONNECT",
				"LOCK",
				"QUERY",
			]);
			const text = material.good(draw).toString("latin1").replace(/^\w+/, verb);
			return alone(text, REFUSED_OR_CLOSED);
		},
	},
	{
		name: "absolute form",
		weight: 4,
		make(draw, material) {
			const origin = draw.pick(["http://127.0.0.1", "http://other:80", "HTTPS://u:p@h:1", "http://[::1]"]);
			const text = material.good(draw).toString("latin1").replace(" /", ` ${origin}/`);
			return alone(text, /^success$/);
		},
	},
	{
		name: "odd headers",
		weight: 6,
		make(draw, material) {
			const name = draw.pick([
				"__proto__",
				"constructor",
				"toString",
				"hasOwnProperty",
				"X-HTTP-Method-Override",
			]);
			const more = draw.pick([
				"Expect: 100-continue",
				"Expect: something-else",
				"Connection: close",
				"Connection: Content-Length",
				"Proxy-Connection: x",
				"TE: trailers",
				"Cookie: a=b\r\nCookie: c=d",
				"Host: y",
				"top-api-separator:",
				"top-sign-list: x-top-trace",
				`traceparent: 00-${"0".repeat(32)}-${"0".repeat(16)}-01`,
				`Accept-Encoding: ${"gzip;q=0,".repeat(draw.int(900))}`,
				`${name}: ${draw.pick(["x", "GET", "", "é"])}`,
				`${name}: x\r\n`.repeat(1 + draw.int(9)).trimEnd(),
			]);
			return alone(withLine(material.good(draw), more), /^success$/);
		},
	},
	{
		name: "a good call in odd chunks",
		weight: 6,
		make(draw, material) {
			const bytes = material.good(draw);
			const { body } = targetOf(bytes);
			const size = 1 + draw.int(400);
			const extension = draw.pick(["", ";a", ';a="b"', `;${"e".repeat(draw.int(3_000))}`]);
			const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, index) => {
				const chunk = body.toString("latin1", index * size, (index + 1) * size);
				return `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`;
			});
			const trailers = draw.pick(["", "sign: x\r\n", "Content-Length: 5\r\n", `X: ${"y".repeat(9_000)}\r\n`]);
			const head = bytes.toString("latin1", 0, bytes.length - body.length);
			const chunked = head.replace(/Content-Length: \d+/, "Transfer-Encoding: chunked");
			const isPlain = extension.length < 10 && trailers === "";
			return alone(
				`${chunked}${chunks.join("")}0\r\n${trailers}\r\n`,
				isPlain ? /^success$/ : /^(?:success|\d+)?$/,
			);
		},
	},
	{
		name: "a body over the limit",
		weight: 3,
		make(draw) {
			const body = "x".repeat(MAX_BODY_BYTES + 1 + draw.int(MAX_BODY_BYTES));
			const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
			return draw.once(2)
				? alone(post("/router/rest", body), /^41$/)
				: alone(head("Transfer-Encoding: chunked") + chunk, /^41$/);
		},
	},
	{
		name: "a length that lies",
		weight: 8,
		make(draw, material) {
			const text = material.good(draw).toString("latin1");
			const shorter = text.replace(
				/Content-Length: (\d+)/,
				(_all, n) => `Content-Length: ${draw.int(Number(n))}`,
			);
			const longer = text.replace(
				/Content-Length: (\d+)/,
				(_all, n) => `Content-Length: ${Number(n) + 1 + draw.int(99)}`,
			);
			// Without a body there is nothing to lie about.
			const hasBody = !/Content-Length: 0\r\n/.test(text);
			return alone(draw.once(2) ? shorter : longer, hasBody ? NO_SUCCESS : ANYTHING);
		},
	},
	{
		name: "pipelined good and bad",
		weight: 6,
		make(draw, material) {
			const forged = post("/router/rest?format=json", "request_param=%7B%7D");
			const isGood = Array.from({ length: 2 + draw.int(draw.once(20) ? 60 : 6) }, () => draw.once(2));
			const pieces = isGood.map((good) => (good ? material.good(draw) : forged));
			const allows = new RegExp(`^${isGood.map((good) => (good ? "success" : "21")).join(" ")}$`);
			return { pieces: draw.once(2) ? [Buffer.concat(pieces)] : pieces, allows, connection: "half-closed" };
		},
	},
	{
		name: "asks on and on",
		weight: 1,
		make(draw) {
			// More at once than one connection may have under way: it is answered for a while, and closed.
			const pieces = Array.from({ length: 130 + draw.int(200) }, () =>
				post("/router/rest?format=json", "request_param=%7B%7D"),
			);
			return { pieces: [Buffer.concat(pieces)], allows: /^(?:21(?: 21)*)?$/, connection: "half-closed" };
		},
	},
	{
		name: "good, then garbage",
		weight: 4,
		make: (draw, material) =>
			alone(
				Buffer.concat([material.good(draw), Buffer.from(draw.pick(NOT_HTTP), "latin1")]),
				/^success(?!.*success)/,
			),
	},
	{
		name: "closed in the middle",
		weight: 8,
		make(draw, material) {
			const bytes = draw.once(2) ? material.good(draw) : material.batch(draw).bytes;
			return alone(
				bytes.subarray(0, draw.int(bytes.length)),
				NO_SUCCESS,
				draw.pick(["half-closed", "reset"] as const),
			);
		},
	},
	{
		name: "reset before the answer",
		weight: 5,
		make: (draw, material) =>
			alone(Buffer.concat([material.good(draw), material.good(draw)]), ANYTHING, "reset"),
	},
];

/** Not to be mutated: with a body that breaks off they take as long as `SLOW_KINDS`. */
export const UPGRADING: readonly HostileKind[] = [
	{
		name: "asks to upgrade",
		weight: 3,
		make: (draw, material) => alone(withLine(material.good(draw), draw.pick(UPGRADES)), /^success$/),
	},
];

const slow = (name: string, text: string, connection: "waits" | "half-closed" = "waits"): HostileKind => ({
	name,
	weight: 0,
	make: () => alone(text, /^15$/, connection),
});

/** The kinds that take as long as a receiver's time-outs: to be sent a few times, beside all others. */
export const SLOW_KINDS: readonly HostileKind[] = [
	slow("idle", ""),
	slow("slow headers", "POST /router/rest HTTP/1.1\r\nHost: x\r\nX-Slow:"),
	slow("slow body", `${head("Content-Length: 100")}request_param=`),
	slow("slow chunks", `${head("Transfer-Encoding: chunked")}1\r\na\r\n`),
	slow("slow upgrade", `${head("Content-Length: 100", UPGRADES[0] ?? "")}request_param=`, "half-closed"),
];
