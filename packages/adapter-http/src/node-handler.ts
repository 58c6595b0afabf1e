// The binding to node:http: mounts on a server that the user has, or on the one that `http-ingress.ts` makes.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createTopHandler, type TopHandler, type TopHandlerOptions, type TopReply } from "./handle.js";
import { type HttpLimits, resolveLimits } from "./limits.js";
import { createBodyReader, drain, ignoreConnectionErrors, type ReadBody } from "./read-body.js";

export interface NodeHandlerOptions extends TopHandlerOptions {
	/** The one path that is answered. Default `/router/rest`. */
	readonly path?: string;
}

/**
 * Answers requests to its path; for any other it touches nothing, calls `next` and returns false.
 * Mount it before anything that reads bodies: the signature covers what was sent, not what a parser made of it.
 */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => boolean;

export const REST_PATH = "/router/rest";

/** Makes the handler to mount. Throws a `RangeError` for limits that are none. */
export function createNodeHandler(options: NodeHandlerOptions): NodeHandler {
	const { path = REST_PATH } = options;
	const limits = resolveLimits(options.limits);
	const handle = boundInFlight(createTopHandler(options), limits.maxInFlight);
	const serving = { handle, limits, readBody: createBodyReader(limits) };
	return (request, response, next) => {
		if (pathOf(request.url ?? "") !== path) {
			next?.();
			return false;
		}
		void serve(request, response, serving);
		return true;
	};
}

/** Past the bound a complete request is answered without a look at its body. */
function boundInFlight(handle: TopHandler, maxInFlight: number): TopHandler {
	let inFlight = 0;
	return async (request) => {
		if (typeof request.body === "string") return handle(request);
		if (inFlight >= maxInFlight) return handle({ ...request, body: "overloaded" });
		inFlight += 1;
		const reply = await handle(request);
		inFlight -= 1;
		return reply;
	};
}

/** The path of a request target in origin form (`/path?query`) or absolute form, as a proxy sends it. */
export function pathOf(target: string): string {
	const path = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
	const end = path.search(/[?#]/);
	return end === -1 ? path : path.slice(0, end);
}

interface Serving {
	readonly handle: TopHandler;
	readonly limits: HttpLimits;
	readonly readBody: ReadBody;
}

/** Never rejects: reading, handling and sending each turn their failures into values. */
async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
	ignoreConnectionErrors(request, response);
	const body = await bodyOf(request, serving);
	if (body === "aborted") return;
	const reply = await serving.handle({
		method: request.method ?? "",
		target: request.url ?? "",
		headers: headersOf(request),
		body,
	});
	send(request, response, reply, serving.limits);
}

/** A request that is refused whatever its body says is answered without reading it. */
function bodyOf(request: IncomingMessage, { readBody }: Serving): Uint8Array | ReturnType<ReadBody> {
	if (request.method !== "POST" && request.method !== "GET") return new Uint8Array();
	return readBody(request);
}

function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
	const headers = new Map<string, string>();
	for (const [name, value] of Object.entries(request.headers)) {
		if (value !== undefined) headers.set(name, typeof value === "string" ? value : value.join(", "));
	}
	return headers;
}

function send(request: IncomingMessage, response: ServerResponse, reply: TopReply, limits: HttpLimits): void {
	if (response.headersSent || response.destroyed) return; // the sender went away, or somebody else answered
	const body = Buffer.from(reply.body);
	const headers = { ...reply.headers, "Content-Length": body.length };
	if (request.readableEnded) {
		response.writeHead(reply.status, headers).end(body);
		return;
	}
	// The answer is complete before the request is: the connection cannot be used again.
	response.writeHead(reply.status, { ...headers, Connection: "close" }).write(body);
	drain(request, limits, () => response.end());
}
