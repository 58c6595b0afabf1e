// What an object store does to a download, on request: the faults of the stand-in, one per answered GET.

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** How one GET of an object goes wrong. Bytes count in the body of that answer. */
export type ObjectFault =
	/** An error answer with OSS's XML. */
	| { readonly _tag: "Status"; readonly status: number; readonly code?: string; readonly retryAfter?: string }
	/** The connection breaks after so many bytes. */
	| { readonly _tag: "Drop"; readonly afterBytes: number }
	/** Silence after so many bytes; the connection stays. */
	| { readonly _tag: "Stall"; readonly afterBytes: number }
	/** Few bytes at a time. */
	| { readonly _tag: "Drip"; readonly chunkBytes: number; readonly delayMs: number }
	/** Another `Content-Length`, and as many bytes: a whole answer with the end cut off. */
	| { readonly _tag: "Shorten"; readonly toBytes: number }
	/** No `Content-Length`: chunked. */
	| { readonly _tag: "NoLength" }
	/** One byte of the body is another one; the ETag is the object's. */
	| { readonly _tag: "Corrupt"; readonly atByte: number }
	| { readonly _tag: "Redirect"; readonly location: string; readonly status?: number }
	/** Headers on top of the usual ones, or instead of them. */
	| { readonly _tag: "Headers"; readonly headers: Readonly<Record<string, string>> };

/** Where an object's bytes come from: kept, or made up on the way so that a large one costs no memory. */
export interface ObjectBytes {
	readonly length: number;
	read(start: number, end: number): Uint8Array;
}

const CHUNK_BYTES = 64 * 1024;

/** Sends `start` up to `end`, as slowly and as badly as `fault` wants; waits while the socket is full. */
export async function sendBody(
	response: ServerResponse,
	bytes: ObjectBytes,
	range: { readonly start: number; readonly end: number },
	fault: ObjectFault | undefined,
): Promise<void> {
	const stopAt = stopOf(range, fault);
	const chunkBytes = fault?._tag === "Drip" ? fault.chunkBytes : CHUNK_BYTES;
	for (let at = range.start; at < stopAt && !response.destroyed; at += chunkBytes) {
		const chunk = bytes.read(at, Math.min(at + chunkBytes, stopAt));
		if (!response.write(corrupt(chunk, at, fault))) await drained(response);
		if (fault?._tag === "Drip") await sleep(fault.delayMs);
	}
	if (fault?._tag === "Stall") return;
	if (fault?._tag !== "Drop") {
		response.end();
		return;
	}
	// What was written leaves before the connection breaks, so that a drop comes where it was asked for.
	await new Promise((resolve) => response.write("", resolve));
	response.destroy();
}

function stopOf(
	range: { readonly start: number; readonly end: number },
	fault: ObjectFault | undefined,
): number {
	if (fault?._tag === "Drop" || fault?._tag === "Stall")
		return Math.min(range.start + fault.afterBytes, range.end);
	if (fault?._tag === "Shorten") return Math.min(range.start + fault.toBytes, range.end);
	return range.end;
}

function corrupt(chunk: Uint8Array, start: number, fault: ObjectFault | undefined): Uint8Array {
	if (fault?._tag !== "Corrupt") return chunk;
	const at = fault.atByte - start;
	return chunk.map((byte, index) => (index === at ? byte ^ 0xff : byte));
}

async function drained(response: ServerResponse): Promise<void> {
	const stop = new AbortController();
	const options = { signal: stop.signal };
	await Promise.race([once(response, "drain", options), once(response, "close", options)]).catch(() => []);
	stop.abort();
}
