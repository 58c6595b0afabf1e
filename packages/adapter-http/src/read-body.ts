// A node:http request's body: counted while it streams, and not waited for without end.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyFault } from "./handle.js";
import type { HttpLimits } from "./limits.js";

/** *Errors*: a fault instead of bytes, with the rest of the body unread; `aborted` when the sender went away. */
export type ReadBody = (request: IncomingMessage) => Promise<Uint8Array | BodyFault | "aborted">;

/** Makes a reader of bodies, `maxReading` at once: a new one is never refused for the sake of slow ones. */
export function createBodyReader(limits: HttpLimits): ReadBody {
	/** In the order in which they began; each gives its body up. */
	const reading = new Set<() => void>();
	return (request) => {
		const stated = Number(request.headers["content-length"] ?? 0);
		if (stated > limits.maxBodyBytes) return Promise.resolve("too-large");
		// A framework's body parser was faster; what was signed is gone.
		if (request.readableEnded) return Promise.resolve(stated > 0 ? "already-read" : new Uint8Array());
		return new Promise((resolve) => {
			const giveUp = readStream(request, limits, (result) => {
				reading.delete(giveUp);
				resolve(result);
			});
			reading.add(giveUp);
			const [oldest] = reading;
			if (reading.size > limits.maxReading) oldest?.();
		});
	};
}

/** Calls `done` once and never at once; returns what ends the reading as too slow. */
function readStream(
	request: IncomingMessage,
	limits: HttpLimits,
	done: (result: Uint8Array | BodyFault | "aborted") => void,
): () => void {
	let held: Uint8Array = new Uint8Array();
	let bytes = 0;
	const settle = (result: Uint8Array | BodyFault | "aborted"): void => {
		clearTimeout(timer);
		request.off("data", onData).off("end", onEnd).off("close", onClose);
		done(result);
	};
	const onData = (chunk: Buffer): void => {
		const needed = bytes + chunk.length;
		if (needed > limits.maxBodyBytes) {
			settle("too-large");
			return;
		}
		if (bytes === 0) held = chunk;
		else {
			held = roomFor(needed, held, limits.maxBodyBytes);
			held.set(chunk, bytes);
		}
		bytes = needed;
	};
	const onEnd = (): void => settle(held.subarray(0, bytes));
	const onClose = (): void => settle("aborted");
	const giveUp = (): void => settle("too-slow");
	const timer = setTimeout(giveUp, limits.bodyTimeMs);
	request.on("data", onData).on("end", onEnd).on("close", onClose);
	return giveUp;
}

/**
 * The same bytes with room for `needed`, doubled up to the limit. One growing buffer, because a list of chunks costs a
 * hundred times its bytes when a sender makes each chunk one byte long.
 */
function roomFor(needed: number, held: Uint8Array, maxBytes: number): Uint8Array {
	if (needed <= held.length) return held;
	const roomy = new Uint8Array(Math.min(2 * needed, maxBytes));
	roomy.set(held);
	return roomy;
}

/**
 * Goes on reading for a bounded while and throws away what comes, then calls `done` once. A socket that is closed with
 * unread bytes is reset, and the reset may overtake the answer.
 */
export function drain(request: IncomingMessage, limits: HttpLimits, done: () => void): void {
	let bytes = 0;
	let isDone = false;
	const finish = (): void => {
		if (isDone) return;
		isDone = true;
		clearTimeout(timer);
		done();
	};
	const timer = setTimeout(finish, limits.drainTimeMs);
	request.on("data", (chunk: Buffer) => {
		bytes += chunk.length;
		if (bytes > limits.maxDrainBytes) finish();
	});
	request.on("end", finish).on("close", finish).resume();
	if (request.readableEnded || request.destroyed) finish();
}

/** Errors of a connection that is gone anyway: without a listener they would end the process. */
export function ignoreConnectionErrors(request: IncomingMessage, response: ServerResponse): void {
	request.on("error", () => {});
	response.on("error", () => {});
}
