// One real server for each binding, and requests that no parser leaves as they are: what a body-fidelity test needs.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readCapture } from "@reelkeep/testing";
import type { TopReply } from "../src/exchange.js";
import type { FetchHandler } from "../src/fetch-handler.js";

/** Chinese, an emoji, a combining mark, what looks encoded, and spaces that a re-serialised body would lose. */
export const ODD_TEXT =
	'{ "game_id" : "云游戏\u00a0e\u0301🎮", "download_url":"http:\\/\\/h\\/a%2Fb?x=1&y=%2B+%3D" }';

/** Listens on loopback until `close`. */
export async function listen(
	handler: Parameters<typeof createServer>[1],
): Promise<{ readonly address: string; readonly server: Server; close(): Promise<void> }> {
	const server = createServer(handler);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return {
		address: `http://127.0.0.1:${port}`,
		server,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

/** The raw bytes of a request as a fetch `Request`; its body comes in pieces of seven bytes. */
export function toFetchRequest(bytes: Buffer): Request {
	const { method, target, headers, body } = readCapture(bytes);
	const pieces = Array.from({ length: Math.ceil(body.length / 7) }, (_, at) =>
		body.subarray(at * 7, at * 7 + 7),
	);
	const stream = new ReadableStream<Uint8Array>({
		pull(controller) {
			const next = pieces.shift();
			if (next === undefined) controller.close();
			else controller.enqueue(next);
		},
	});
	const hasBody = method === "POST" && body.length > 0;
	const sent = headers.filter(([name]) => !/^(?:host|connection|content-length)$/i.test(name));
	return new Request(`http://127.0.0.1${target}`, {
		method,
		headers: sent.map(([name, value]): [string, string] => [name, value]),
		...(hasBody ? { body: stream, duplex: "half" } : {}),
	});
}

/** What a fetch handler answers to raw bytes, its body decoded. */
export async function fetchBody(handler: FetchHandler, bytes: Buffer): Promise<string> {
	return (await handler(toFetchRequest(bytes))).text();
}

export const textOf = ({ body }: TopReply): string =>
	typeof body === "string" ? body : Buffer.from(body).toString();
