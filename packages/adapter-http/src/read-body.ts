// A node:http request's body: counted while it streams, and not waited for without end.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyFault } from "./handle.js";
import type { HttpLimits } from "./limits.js";

/**
 * Reads the body.
 * *Errors*: a fault instead of bytes, with the rest of the body unread; `aborted` when the sender went away.
 */
export function readBody(
	request: IncomingMessage,
	limits: HttpLimits,
): Promise<Uint8Array | BodyFault | "aborted"> {
	const stated = Number(request.headers["content-length"] ?? 0);
	if (stated > limits.maxBodyBytes) return Promise.resolve("too-large");
	// A framework's body parser was faster; what was signed is gone.
	if (request.readableEnded) return Promise.resolve(stated > 0 ? "already-read" : new Uint8Array());
	return new Promise((resolve) => {
		const chunks: Buffer[] = [];
		let bytes = 0;
		const settle = (result: Uint8Array | BodyFault | "aborted"): void => {
			clearTimeout(timer);
			request.off("data", onData).off("end", onEnd).off("close", onClose);
			resolve(result);
		};
		const onData = (chunk: Buffer): void => {
			bytes += chunk.length;
			chunks.push(chunk);
			if (bytes > limits.maxBodyBytes) settle("too-large");
		};
		const onEnd = (): void =>
			settle(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
		const onClose = (): void => settle("aborted");
		const timer = setTimeout(() => settle("too-slow"), limits.bodyTimeMs);
		request.on("data", onData).on("end", onEnd).on("close", onClose);
	});
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
