// What node:http's parser refuses never becomes a request; its sender gets a TOP error all the same.

import type { Duplex } from "node:stream";
import type { TopReply } from "./exchange.js";
import { failed, type TopAnswer } from "./status.js";

/** How long a sender that the parser gave up on may take to read its answer. */
const LINGER_MS = 1_000;

/** Answers on the bare connection and closes it; leaves one alone that is closing already. */
export function answerRaw(socket: Duplex, reply: TopReply): void {
	if (!socket.writable) return;
	socket.end(rawReply(reply));
	socket.resume();
	setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** The answer to a `clientError`. */
export function answerClientError(error: Error): TopAnswer {
	switch ((error as NodeJS.ErrnoException).code) {
		case "ERR_HTTP_REQUEST_TIMEOUT":
			return failed("timeout", "the request did not arrive in time");
		case "HPE_HEADER_OVERFLOW":
			return failed("invalidRequest", "request line and headers are too long");
		default:
			return failed("invalidRequest", "this is not an HTTP request");
	}
}

function rawReply({ headers, body }: TopReply): Buffer {
	const bytes = Buffer.from(body);
	const all = { ...headers, "Content-Length": bytes.length, Connection: "close" };
	const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
	return Buffer.concat([Buffer.from(["HTTP/1.1 200 OK", ...lines, "", ""].join("\r\n")), bytes]);
}
