// The binding to node:http: mounts on a server that the user has, or on the one that `http-ingress.ts` makes.

import type { IncomingMessage, ServerResponse } from "node:http";
import {
	type BodyFault,
	createTopHandler,
	type TopHandler,
	type TopHandlerOptions,
	type TopReply,
} from "./handle.js";
import { type HttpLimits, resolveLimits } from "./limits.js";
import { drain, ignoreConnectionErrors, readBody } from "./read-body.js";

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
	const handle = createTopHandler(options);
	let inFlight = 0;
	return (request, response, next) => {
		if (pathOf(request.url ?? "") !== path) {
			next?.();
			return false;
		}
		const isOverloaded = inFlight >= limits.maxInFlight;
		inFlight += 1;
		void serve(request, response, { handle, limits, isOverloaded }).finally(() => {
			inFlight -= 1;
		});
		return true;
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
	readonly isOverloaded: boolean;
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
function bodyOf(
	request: IncomingMessage,
	{ limits, isOverloaded }: Serving,
): Uint8Array | BodyFault | Promise<Uint8Array | BodyFault | "aborted"> {
	if (isOverloaded) return "overloaded";
	if (request.method !== "POST" && request.method !== "GET") return new Uint8Array();
	return readBody(request, limits);
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
