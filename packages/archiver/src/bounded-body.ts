// Reads an answer's body within its limits.

import type { IncomingMessage } from "node:http";
import { isSourceFault, sourceFault } from "@reelkeep/core/ports";
import type { ByteRange } from "./resume.js";
import type { AnswerBody } from "./tapped-connection.js";
import { measureThroughput, type ThroughputLimit } from "./throughput.js";

export interface BodyLimits extends ThroughputLimit {
	/** The longest silence; the time that our own reader takes does not count. */
	readonly idleTimeoutMs: number;
	readonly maxBytes: number;
}

/**
 * Yields the body as it comes; the socket waits while the reader does. Closes the connection. A chunk is overwritten once
 * the next one is asked for.
 * *Errors*: throws a `SourceFault`; with a `range`, also when another number of bytes comes than it holds.
 */
export async function* boundedBody(
	body: AnswerBody,
	{ idleTimeoutMs, maxBytes, ...limit }: BodyLimits,
	range?: ByteRange,
): AsyncGenerator<Uint8Array, void, void> {
	// Of the object, those before the range included.
	let bytes = range?.start ?? 0;
	const stall = (): void => {
		body.destroy(sourceFault("stalled", `the origin fell silent after ${bytes} bytes`));
	};
	const throughput = measureThroughput(limit);
	let waitingSince = performance.now();
	let timer = setTimeout(stall, idleTimeoutMs);
	try {
		for await (const chunk of body) {
			clearTimeout(timer);
			bytes += chunk.length;
			if (bytes > maxBytes) throw tooLarge(maxBytes);
			if (range !== undefined && bytes > range.end) throw otherLength("more", range);
			// A byte now and then is no silence, and would hold a slot for ever.
			if (throughput.isTooSlow(chunk.length, performance.now() - waitingSince)) {
				throw tooSlow(bytes, limit.minBytesPerSecond);
			}
			yield chunk;
			waitingSince = performance.now();
			timer = setTimeout(stall, idleTimeoutMs);
		}
		if (range !== undefined && bytes < range.end) throw otherLength("less", range);
	} catch (error) {
		throw isSourceFault(error)
			? error
			: sourceFault("broke-off", `the connection ended after ${bytes} bytes`);
	} finally {
		clearTimeout(timer);
		body.destroy();
	}
}

/** The start of a short answer as text, within `timeoutMs` as a whole; what breaks off is taken as it is. */
export async function readStart(
	response: IncomingMessage,
	{ maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<string> {
	const chunks: Uint8Array[] = [];
	let bytes = 0;
	const timer = setTimeout(() => response.destroy(), timeoutMs);
	try {
		for await (const chunk of response as AsyncIterable<Uint8Array>) {
			chunks.push(chunk);
			bytes += chunk.length;
			if (bytes >= maxBytes) break;
		}
	} catch {
		// The status alone says enough.
	} finally {
		clearTimeout(timer);
		response.destroy();
	}
	return Buffer.concat(chunks).subarray(0, maxBytes).toString("utf8");
}

/** A fault of passing kind, like silence: the next try may find the origin quicker. */
function tooSlow(bytes: number, minBytesPerSecond: number): Error {
	const message = `the origin sends less than ${minBytesPerSecond} bytes a second (minBytesPerSecond); ${bytes} bytes came`;
	return sourceFault("stalled", message);
}

/** More bytes came than anyone allowed. */
function tooLarge(maxBytes: number): Error {
	return sourceFault("too-large", `the video is larger than ${maxBytes} bytes (maxBytes)`);
}

function otherLength(than: "more" | "less", { start, end }: ByteRange): Error {
	return sourceFault("broke-off", `the origin sent ${than} than the ${end - start} bytes of its range`);
}
