// What hostile requests are written with.

import type { HostileRequest } from "./hostile-kind.js";

const FORM = "application/x-www-form-urlencoded";

export const MAX_BODY_BYTES: number = 256 * 1024;

export const UPGRADES: readonly string[] = [
	"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGVzdA==",
	"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
];

/** A request on a connection of its own. */
export const alone = (
	text: string | Uint8Array,
	allows: RegExp,
	connection: HostileRequest["connection"] = "half-closed",
): HostileRequest => ({
	pieces: [typeof text === "string" ? Buffer.from(text, "latin1") : text],
	allows,
	connection,
});

/** A POST head with these lines, which say how long it is. */
export const head = (...lines: readonly string[]): string =>
	["POST /router/rest?format=json HTTP/1.1", "Host: x", ...lines, "", ""].join("\r\n");

/** A POST with the right length. */
export function post(
	target: string,
	body: string | Uint8Array,
	headers: Readonly<Record<string, string>> = {},
): Buffer {
	const bytes = Buffer.from(body);
	const all = { Host: "x", "Content-Type": FORM, "Content-Length": String(bytes.length), ...headers };
	const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
	return Buffer.concat([Buffer.from(`POST ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"), bytes]);
}

/** Target and body of a request's bytes. */
export function targetOf(bytes: Buffer): { readonly target: string; readonly body: Buffer } {
	const end = bytes.indexOf("\r\n\r\n");
	return { target: bytes.toString("latin1", 0, end).split(" ")[1] ?? "", body: bytes.subarray(end + 4) };
}

/** The same request with one more header line, or several. */
export function withLine(bytes: Buffer, line: string): string {
	return bytes.toString("latin1").replace("\r\n", `\r\n${line}\r\n`);
}
