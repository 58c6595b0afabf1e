// A node:http request's body: counted while it streams, and not waited for without end.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createByteCollector } from "./byte-collector.js";
import type { BodyFault } from "./exchange.js";
import type { HttpLimits } from "./limits.js";
import { createReadingPlaces } from "./reading-places.js";

/** *Errors*: a fault instead of bytes, with the rest of the body unread; `aborted` when the sender went away. */
export type ReadBody = (request: IncomingMessage) => Promise<Uint8Array | BodyFault | "aborted">;

/** Makes a reader of bodies, `maxReading` at once. */
export function createBodyReader(limits: HttpLimits): ReadBody {
	const takePlace = createReadingPlaces(limits.maxReading);
	return (request) => {
		const stated = Number(request.headers["content-length"] ?? 0);
		if (stated > limits.maxBodyBytes) return Promise.resolve("too-large");
		// A framework's body parser was faster; what was signed is gone.
		if (request.readableEnded) return Promise.resolve(hasBody(request) ? "already-read" : new Uint8Array());
		return new Promise((resolve) => {
			let leave = (): void => {};
			const giveUp = readStream(request, limits, (result) => {
				leave();
				resolve(result);
			});
			leave = takePlace(giveUp);
		});
	};
}

/** Calls `done` once and never at once; returns what ends the reading as too slow. */
function readStream(
	request: IncomingMessage,
	limits: HttpLimits,
	done: (result: Uint8Array | BodyFault | "aborted") => void,
): () => void {
	const held = createByteCollector(limits.maxBodyBytes);
	const settle = (result: Uint8Array | BodyFault | "aborted"): void => {
		clearTimeout(timer);
		request.off("data", onData).off("end", onEnd).off("close", onClose);
		done(result);
	};
	const onData = (chunk: Buffer): void => {
		if (!held.add(chunk)) settle("too-large");
	};
	const onEnd = (): void => settle(held.bytes());
	const onClose = (): void => settle("aborted");
	const giveUp = (): void => settle("too-slow");
	const timer = setTimeout(giveUp, limits.bodyTimeMs);
	request.on("data", onData).on("end", onEnd).on("close", onClose);
	return giveUp;
}

function hasBody({ headers }: IncomingMessage): boolean {
	return Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] !== undefined;
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
