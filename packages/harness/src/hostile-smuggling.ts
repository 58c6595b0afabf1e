// Request smuggling: messages whose end two readers could see at different places, with a second request hidden there. It
// is authentic, and must never be executed.

import type { HostileKind } from "./hostile-kind.js";
import { alone, head, MAX_BODY_BYTES, UPGRADES } from "./hostile-message.js";

const NO_SUCCESS = /^(?!.*success)/;

/** Each hides `inner`, which a strict reader takes for a body, or for bytes behind an error. */
const FORMS: readonly ((inner: string) => string)[] = [
	(inner) => head(`Content-Length: ${inner.length}`) + inner,
	(inner) =>
		head("Content-Type: application/x-www-form-urlencoded", `Content-Length: ${inner.length}`) + inner,
	(inner) => `${head(`Content-Length: ${inner.length + 5}`, "Transfer-Encoding: chunked")}0\r\n\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n${inner}`,
	...[
		"xchunked",
		"chunked, chunked",
		"chunked, identity",
		"identity",
		"gzip, chunkedx",
		"\x0bchunked",
		"chunked\0",
	].map((coding) => (inner: string) => `${head(`Transfer-Encoding: ${coding}`)}0\r\n\r\n${inner}`),
	(inner) => `${head("Transfer-Encoding: identity", "Transfer-Encoding: xchunked")}0\r\n\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding : chunked")}0\r\n\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked", "Transfer-Encoding: identity")}0\r\n\r\n${inner}`,
	(inner) => head("Content-Length: 0", `Content-Length: ${inner.length}`) + inner,
	(inner) => head(`Content-Length: ${inner.length}`, "Content-Length: 0") + inner,
	...["+0", "-0", "0x0", "0, 0", "1e0", "0 0", "\t", "", "18446744073709551616"].map(
		(length) => (inner: string) => head(`Content-Length: ${length}`) + inner,
	),
	(inner) => head(`Content-Length:\r\n ${inner.length}`) + inner,
	(inner) => head(`Content-Length: ${inner.length}`).replaceAll("\r\n", "\n") + inner,
	(inner) => head(`Content-Length: ${inner.length}`).replaceAll("\r\n", "\r") + inner,
	(inner) => head(`Content-Length: ${inner.length}`, "X: a\0b") + inner,
	(inner) => head(`Content-Length: ${inner.length}`, "X\0: a") + inner,
	(inner) => head(`Content-Length: ${inner.length}`, "no colon") + inner,
	(inner) => head(`Content-Length: ${inner.length}`, "Connection: content-length") + inner,
	(inner) => head(`Content-Length: ${inner.length}`, "Expect: 100-continue") + inner,
	(inner) => head(`Content-Length: ${inner.length}`).replace("HTTP/1.1", "HTTP/1.0") + inner,
	(inner) => head(`Content-Length: ${inner.length}`).replace("HTTP/1.1", "HTTP/1.9") + inner,
	...["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "SEARCH"].map(
		(verb) => (inner: string) => head(`Content-Length: ${inner.length}`).replace("POST", verb) + inner,
	),
	(inner) => `${head("Transfer-Encoding: chunked")}${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
	(inner) => `${head("Transfer-Encoding: chunked")}1\r\nab\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked")}0x1\r\na\r\n0\r\n\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked")}-1\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked")}${"f".repeat(17)}\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked")}0;${"e".repeat(20_000)}\r\n\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked")}5;a="\n"\r\nabcde\r\n0\r\n\r\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked")}1\na\n0\n\n${inner}`,
	(inner) => `${head("Transfer-Encoding: chunked")}0\r\nX\0: y\r\n\r\n${inner}`,
	(inner) => `CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n${inner}`,
	(inner) => `garbage\r\n\r\n${inner}`,
	(inner) => `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${inner}`,
	(inner) => `GET /router/rest\r\n\r\n${inner}`,
	(inner) => `POST /router/rest HTTP/1.1\r\n X: y\r\n\r\n${inner}`,
	(inner) => head(`Content-Length: ${MAX_BODY_BYTES * 2}`) + inner.repeat(20),
	(inner) => head(`X: ${"x".repeat(40_000)}`) + inner,
	(inner) => head(...Array.from({ length: 5_000 }, () => "a:"), `Content-Length: ${inner.length}`) + inner,
];

export const SMUGGLING: readonly HostileKind[] = [
	{
		name: "smuggling",
		weight: 30,
		make: (draw, { hidden }) => alone(draw.pick(FORMS)(hidden.toString("latin1")), NO_SUCCESS),
	},
];

/** Not to be mutated, as `UPGRADING`. */
export const SMUGGLING_UPGRADES: readonly HostileKind[] = [
	{
		name: "smuggling in an upgrade",
		weight: 2,
		make(draw, { hidden }) {
			const inner = hidden.toString("latin1");
			return alone(head(`Content-Length: ${inner.length}`, draw.pick(UPGRADES)) + inner, NO_SUCCESS);
		},
	},
];
