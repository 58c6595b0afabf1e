// The binding to node:http: mounts on a server that the user has, or on the one that `http-ingress.ts` makes.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { ParsedForm, TopHandler, TopReply, TopRequest } from "./exchange.js";
import { type HttpLimits, resolveLimits } from "./limits.js";
import { createBodyReader, drain, ignoreConnectionErrors, type ReadBody } from "./read-body.js";
import { createRoutes, type RouteOptions } from "./routes.js";

export type NodeHandlerOptions = RouteOptions;

/**
 * Answers requests to its paths; for any other it touches nothing, calls `next` and returns false.
 * Mount it before anything that reads bodies: the signature covers what was sent, not what a parser made of it.
 */
export interface NodeHandler {
	(request: IncomingMessage, response: ServerResponse, next?: () => void): boolean;
	/** What this binding can do that others cannot. */
	readonly supports: { readonly getBody: true };
}

/** What a framework changes in a node:http request. */
export interface Framework {
	/** What is there of a body that another part has read; `undefined`: nobody has, or nothing is left of it. */
	takenBody(request: IncomingMessage): Uint8Array | ParsedForm | undefined;
	/** Path and query as they came. */
	targetOf(request: IncomingMessage): string;
}

const NONE: Framework = { takenBody: () => undefined, targetOf: ({ url = "" }) => url };

/** Makes the handler to mount. Throws a `RangeError` for limits that are none, a `TypeError` for a path. */
export function createNodeHandler(options: NodeHandlerOptions): NodeHandler {
	return createHandler(options, NONE);
}

/** The same, in a framework. */
export function createHandler(options: NodeHandlerOptions, framework: Framework): NodeHandler {
	const routes = createRoutes(options);
	const limits = resolveLimits(options.limits);
	const readBody = createBodyReader(limits);
	const handler = (request: IncomingMessage, response: ServerResponse, next?: () => void): boolean => {
		const handle = routes(pathOf(request.url ?? ""));
		if (handle === undefined) {
			next?.();
			return false;
		}
		void serve(request, response, { handle, limits, readBody, framework });
		return true;
	};
	return Object.assign(handler, { supports: { getBody: true } } as const);
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
	readonly framework: Framework;
}

/** Never rejects: reading, handling and sending each turn their failures into values. */
async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
	ignoreConnectionErrors(request, response);
	const body = await bodyOf(request, serving);
	if (body === "aborted") return;
	const reply = await serving.handle({
		method: request.method ?? "",
		target: serving.framework.targetOf(request),
		headers: headersOf(request),
		body,
	});
	send(request, response, reply, serving.limits);
}

/** A request that is refused whatever its body says is answered without reading it. */
async function bodyOf(
	request: IncomingMessage,
	{ readBody, framework }: Serving,
): Promise<TopRequest["body"] | "aborted"> {
	if (request.method !== "POST" && request.method !== "GET") return new Uint8Array();
	return framework.takenBody(request) ?? (await readBody(request));
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
	const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
	const headers = { ...reply.headers, "Content-Length": body.length };
	if (request.readableEnded) {
		response.writeHead(reply.status, headers).end(body);
		return;
	}
	// The answer is complete before the request is: the connection cannot be used again.
	response.writeHead(reply.status, { ...headers, Connection: "close" }).write(body);
	drain(request, limits, () => response.end());
}
