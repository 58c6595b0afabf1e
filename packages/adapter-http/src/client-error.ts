// What node:http's parser refuses never becomes a request; its sender gets a TOP error all the same.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { renderAnswer } from "./envelope.js";
import { failed, type TopAnswer } from "./status.js";

/** The request that is being answered on a connection, if one is. */
export interface Exchange {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
}

/** How long a sender that the parser gave up on may take to read its answer. */
const LINGER_MS = 1_000;

/** Answers a `clientError` and closes the connection. A request before it that is complete is answered first. */
export function answerClientError(
	error: Error,
	socket: Duplex,
	exchange: Exchange | undefined,
	requestId: string,
): void {
	if (exchange?.request.complete && !exchange.response.writableFinished) {
		exchange.response.once("close", () => socket.destroy());
		return;
	}
	if (!socket.writable || exchange?.response.headersSent) {
		socket.destroy();
		return;
	}
	socket.on("error", () => {});
	socket.end(rawReply(answerFor((error as NodeJS.ErrnoException).code), requestId));
	socket.resume();
	setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function answerFor(code: string | undefined): TopAnswer {
	if (code === "ERR_HTTP_REQUEST_TIMEOUT") return failed("timeout", "the request did not arrive in time");
	if (code === "HPE_HEADER_OVERFLOW")
		return failed("invalidRequest", "request line and headers are too long");
	return failed("invalidRequest", "this is not an HTTP request");
}

function rawReply(answer: TopAnswer, requestId: string): string {
	const { body, contentType } = renderAnswer(answer, { format: "xml", simplify: false }, requestId);
	return [
		"HTTP/1.1 200 OK",
		`Content-Type: ${contentType}`,
		`Content-Length: ${Buffer.byteLength(body)}`,
		"Cache-Control: no-store",
		"Connection: close",
		"",
		body,
	].join("\r\n");
}
