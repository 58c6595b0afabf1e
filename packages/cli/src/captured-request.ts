// Reads one captured HTTP request out of raw bytes, with Node's own parser: so that a capture is read as a server reads
// what comes from a socket.

import { createServer, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import type { RawRequest } from "@reelkeep/adapter-http/explain";
import { UsageError } from "./flags.js";

/** Four times the longest body that is accepted. */
export const MAX_CAPTURE_BYTES: number = 1024 * 1024;
/** More than the longest query that is accepted, so that the explanation says what is wrong with a longer one. */
const MAX_HEAD_BYTES = 64 * 1024;
/** All bytes are in memory: this ends what no parser would. */
const PARSE_TIME_MS = 5_000;

const EXAMPLE = `for example, as a proxy or \`tcpdump -A\` shows it:

  POST /router/rest?app_key=12345678&method=…&sign=… HTTP/1.1
  Content-Type: application/x-www-form-urlencoded;charset=UTF-8
  Content-Length: 561

  request_param=%7B%22game_id%22…`;
const EXPECTED = `expected one HTTP request: request line, headers, an empty line, the body as it was sent; ${EXAMPLE}`;

/**
 * The request in `capture`. Line ends of its head may be bare line feeds, and one line end may follow its body.
 * *Errors*: rejects with a `UsageError` that says what is wrong, without anything that the capture holds.
 */
export async function readCapturedRequest(capture: Uint8Array): Promise<RawRequest> {
	const { request, body } = await parse(splitHead(Buffer.from(capture)));
	return { method: request.method ?? "", target: request.url ?? "", headers: headersOf(request), body };
}

interface Split {
	readonly head: string;
	readonly rest: Buffer;
}

/** *Shape*: the head ends with its empty line, and each of its lines with CR and LF. */
function splitHead(capture: Buffer): Split {
	const text = capture.toString("latin1").replace(/^[\r\n]+/, "");
	// A request without a body may have lost the empty line behind its head.
	const [, end] = /\r?\n\r?\n/d.exec(text)?.indices?.[0] ?? [0, text.length];
	const lines = text.slice(0, end).trimEnd().split(/\r?\n/);
	return { head: [...lines, "", ""].join("\r\n"), rest: Buffer.from(text.slice(end), "latin1") };
}

interface Parsed {
	readonly request: IncomingMessage;
	readonly body: Buffer;
}

/** The first request that the parser finds. */
function parse({ head, rest }: Split): Promise<Parsed> {
	return new Promise((resolve, reject) => {
		const server = createServer({ maxHeaderSize: MAX_HEAD_BYTES, requireHostHeader: false });
		const connection = connectionOf(Buffer.concat([Buffer.from(head, "latin1"), rest]));
		let isHeadRead = false;
		const settle = (outcome: Parsed | UsageError): void => {
			clearTimeout(timer);
			if (outcome instanceof UsageError) reject(outcome);
			else resolve(outcome);
			connection.destroy();
		};
		const fail = (): void => settle(new UsageError(isHeadRead ? CHUNKS : EXPECTED));
		const timer = setTimeout(fail, PARSE_TIME_MS);
		server.on("request", (request) => {
			// A second one, behind the end of a chunked body.
			if (isHeadRead) return;
			isHeadRead = true;
			const wrong = describeLength(request, rest);
			if (wrong !== undefined) return settle(new UsageError(wrong));
			const chunks: Buffer[] = [];
			request.on("data", (chunk: Buffer) => chunks.push(chunk));
			request.on("end", () => settle({ request, body: Buffer.concat(chunks) }));
			request.on("error", fail);
			request.on("close", fail);
		});
		server.on("clientError", fail);
		connection.on("close", fail);
		server.emit("connection", connection);
	});
}

/** A connection whose other end sends `bytes` and closes; what is answered goes nowhere. */
function connectionOf(bytes: Buffer): Duplex {
	const connection = new Duplex({
		read() {
			this.push(bytes);
			this.push(null);
		},
		write: (_chunk, _encoding, done) => done(),
	});
	return connection.on("error", () => {});
}

const CHANGED =
	"the capture was cut, or a program changed it (an editor its line ends, a proxy its encoding); the signature " +
	"covers the body as it was sent, byte for byte";
const CHUNKS = `the head says that the body is chunked, but it is not, or its end is missing: ${CHANGED}`;
const NO_LENGTH =
	"a body follows, but the head has no Content-Length: add the one that was sent, or the body's length in bytes";

/** Why the bytes behind the head are not the body that it announces; a chunked body says so itself. */
function describeLength({ headers }: IncomingMessage, rest: Buffer): string | undefined {
	if (headers["transfer-encoding"] !== undefined) return undefined;
	const stated = headers["content-length"];
	const length = Number(stated ?? 0);
	if (rest.length < length) return `the body is shorter than Content-Length says: ${CHANGED}`;
	if (/^(?:\r?\n)*$/.test(rest.toString("latin1", length))) return undefined;
	return stated === undefined
		? NO_LENGTH
		: `the body is longer than Content-Length says: ${CHANGED}, and one request a file`;
}

function headersOf({ headers }: IncomingMessage): ReadonlyMap<string, string> {
	return new Map(
		Object.entries(headers).map(([name, value = ""]) => [
			name,
			typeof value === "string" ? value : value.join(", "),
		]),
	);
}
