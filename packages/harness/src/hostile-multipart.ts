// Hostile multipart bodies in good HTTP: boundaries, parts and part headers that a parser could stumble over.

import type { HostileKind } from "./hostile-kind.js";
import { post } from "./hostile-message.js";
import type { Draw } from "./hostile-random.js";

const DISPOSITION = "Content-Disposition: form-data; name=";

const part = (name: string, value: string, more = ""): string =>
	`--b\r\n${DISPOSITION}"${name}"${more}\r\n\r\n${value}\r\n`;

/** Content type and body; the boundary is `b` unless it says otherwise. */
type Multipart = readonly [contentType: string, body: string | Buffer];

const TYPE = "multipart/form-data; boundary=b";

/** Up to `most`, and mostly far less: these bodies cost more than all others together. */
const size = (draw: Draw, most: number): number => draw.int(draw.once(10) ? most : most / 20);

const BAD: readonly ((draw: Draw) => Multipart)[] = [
	() => ["multipart/form-data", part("a", "1")],
	() => ["multipart/form-data; boundary=", part("a", "1")],
	() => ['multipart/form-data; boundary="b', part("a", "1")],
	() => ["multipart/form-data; boundary=b; boundary=c", `${part("a", "1")}--b--`],
	(draw) => [`multipart/form-data; boundary=${"b".repeat(size(draw, 9_000))}`, part("a", "1")],
	() => ["multipart/form-data; boundary=(.*)+$", "--(.*)+$\r\n\r\n\r\n--(.*)+$--"],
	() => ["multipart/mixed; boundary=b", `${part("a", "1")}--b--`],
	() => [TYPE, part("a", "1")],
	(draw) => [TYPE, part("a", "x".repeat(size(draw, 200_000)))],
	() => [TYPE, "--b"],
	() => [TYPE, "--b--"],
	() => [TYPE, "--b\r\n"],
	() => [TYPE, "--b\r\n\r\n--b--"],
	() => [TYPE, "--b\n\n--b--\n"],
	() => [TYPE, `--b\r${DISPOSITION}"a"\r\r1\r--b--`],
	(draw) => [TYPE, `${"--b\r\n".repeat(size(draw, 30_000))}--b--`],
	(draw) => [TYPE, `${part("a", "").repeat(size(draw, 4_000))}--b--`],
	(draw) => [TYPE, `${part("a", "f", '; filename="f"').repeat(size(draw, 3_000))}--b--`],
	(draw) => [TYPE, `--b\r\n${"x: y\r\n".repeat(size(draw, 30_000))}\r\n1\r\n--b--`],
	(draw) => [TYPE, `--b\r\nx: ${"y".repeat(size(draw, 200_000))}\r\n\r\n1\r\n--b--`],
	(draw) => [TYPE, `--b\r\n${DISPOSITION}"${"n".repeat(size(draw, 100_000))}"\r\n\r\n1\r\n--b--`],
	(draw) => [TYPE, `--b\r\n${DISPOSITION}"a"${'; a="b"'.repeat(draw.int(600))}\r\n\r\n1\r\n--b--`],
	() => [TYPE, `--b\r\n${DISPOSITION}"\\"\\\\"\r\n\r\n1\r\n--b--`],
	() => [TYPE, `--b\r\n${DISPOSITION}a; name=b; name*=UTF-8''%e6%b8%b8\r\n\r\n1\r\n--b--`],
	() => [TYPE, `--b\r\n${DISPOSITION}"a"; filename*=x''%ff%fe%zz\r\n\r\n1\r\n--b--`],
	() => [TYPE, `--b\r\n${DISPOSITION}"a"\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n\0a\r\n--b--`],
	() => [TYPE, `--b\r\n${DISPOSITION}"a"\r\nContent-Transfer-Encoding: base64\r\n\r\n####\r\n--b--`],
	() => [
		TYPE,
		`--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${part("a", part("c", "1"))}--b----b--`,
	],
	(draw) => [TYPE, `${"-".repeat(size(draw, 200_000))}b`],
	(draw) => [TYPE, `${"\r\n--".repeat(size(draw, 50_000))}`],
	(draw) => [
		TYPE,
		Buffer.concat([Buffer.from(part("a", "")), draw.bytes(draw.int(300)), Buffer.from("--b--")]),
	],
	(draw) => [
		TYPE,
		`${part("request_param", "{}")}${part("__proto__", "x")}--b--${"e".repeat(size(draw, 90_000))}`,
	],
];

export const MULTIPART: readonly HostileKind[] = [
	{
		name: "bad multipart",
		weight: 24,
		make(draw) {
			const [contentType, body] = draw.pick(BAD)(draw);
			return {
				pieces: [post("/router/rest?format=json", body, { "Content-Type": contentType })],
				allows: /^\d+$/,
				connection: "kept",
			};
		},
	},
];
