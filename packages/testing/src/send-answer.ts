// Sends an answer of the stand-in, as slowly and as badly as was planned.

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { ObjectBytes } from "./held-object.js";
import type { ObjectAnswer } from "./object-answer.js";

const CHUNK_BYTES = 64 * 1024;

/** Waits while the socket is full. `sent` is called with the length of each piece of the body that was written. */
export async function sendAnswer(
	response: ServerResponse,
	bytes: ObjectBytes,
	answer: ObjectAnswer,
	sent: (bytes: number) => void,
): Promise<void> {
	const { status, headers, start, end, ending, pace } = answer;
	const { chunkBytes, delayMs } = pace ?? { chunkBytes: CHUNK_BYTES, delayMs: 0 };
	response.writeHead(status, headers);
	const stopAt = end + (answer.paddingBytes ?? 0);
	const closed = new AbortController();
	response.once("close", () => closed.abort());
	for (let at = start; at < stopAt && !response.destroyed; at += chunkBytes) {
		const piece = pieceOf(bytes, answer, at, Math.min(at + chunkBytes, stopAt));
		const isTaken = response.write(piece);
		sent(piece.length);
		if (!isTaken) await drained(response);
		// Nobody waits for the next piece any more once the connection is gone.
		if (pace !== undefined) await sleep(delayMs, undefined, { signal: closed.signal }).catch(() => undefined);
	}
	if (ending === "silence") {
		// The headers at least, where the silence is to begin with the first byte.
		response.flushHeaders();
		return;
	}
	if (ending !== "break") {
		response.end();
		return;
	}
	// What was written leaves before the connection breaks, so that a drop comes where it was asked for.
	await new Promise((resolve) => response.write("", resolve));
	response.destroy();
}

function pieceOf(
	bytes: ObjectBytes,
	{ start, end, flippedAt = -1 }: ObjectAnswer,
	from: number,
	to: number,
): Uint8Array {
	const piece = new Uint8Array(to - from);
	if (from < end) piece.set(bytes.read(from, Math.min(to, end)));
	const at = start + flippedAt - from;
	if (flippedAt >= 0 && at >= 0 && at < piece.length) piece[at] = (piece[at] ?? 0) ^ 0xff;
	return piece;
}

async function drained(response: ServerResponse): Promise<void> {
	const stop = new AbortController();
	const options = { signal: stop.signal };
	await Promise.race([once(response, "drain", options), once(response, "close", options)]).catch(() => []);
	stop.abort();
}
