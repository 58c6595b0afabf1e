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

/** A node:http request as a framework hands it on. */
export interface MountedRequest {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	/** The path that the framework routed by, its own prefix taken away. */
	readonly path: string;
	/** Path and query as they came. */
	readonly target: string;
	/** What there is of a body that another part has read; `undefined`: nobody has, or nothing is left of it. */
	takenBody(): Uint8Array | ParsedForm | undefined;
}

/** *Shape*: `undefined`, and nothing touched, for a path of others. *Promise*: resolves when the answer is given; never rejects. */
export type ServeMounted = (mounted: MountedRequest) => Promise<void> | undefined;

/** Makes the handler to mount. Throws a `RangeError` for limits that are none, a `TypeError` for a path. */
export function createNodeHandler(options: NodeHandlerOptions): NodeHandler {
	const takenBody = (): undefined => undefined;
	return mountHandler(options, (request) => ({ target: request.url ?? "", takenBody }));
}

/** The same in a framework whose handlers are called as node:http's are; `describe` tells what it makes of a request. */
export function mountHandler(
	options: NodeHandlerOptions,
	describe: (request: IncomingMessage) => Pick<MountedRequest, "target" | "takenBody">,
): NodeHandler {
	const serve = createMountedServe(options);
	const handler = (request: IncomingMessage, response: ServerResponse, next?: () => void): boolean => {
		const path = pathOf(request.url ?? "");
		const served = serve({ request, response, path, ...describe(request) });
		if (served === undefined) next?.();
		return served !== undefined;
	};
	return Object.assign(handler, { supports: { getBody: true } } as const);
}

/** What every framework on node:http shares. Throws as `createNodeHandler` does. */
export function createMountedServe(options: NodeHandlerOptions): ServeMounted {
	const routes = createRoutes(options);
	const limits = resolveLimits(options.limits);
	const readBody = createBodyReader(limits);
	return (mounted) => {
		const handle = routes(mounted.path);
		return handle && serve(mounted, { handle, limits, readBody });
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
async function serve(mounted: MountedRequest, { handle, limits, readBody }: Serving): Promise<void> {
	const { request, response, target } = mounted;
	ignoreConnectionErrors(request, response);
	const body = await bodyOf(mounted, readBody);
	if (body === "aborted") return;
	const reply = await handle({ method: request.method ?? "", target, headers: headersOf(request), body });
	send(request, response, reply, limits);
}

/** A request that is refused whatever its body says is answered without reading it. */
async function bodyOf(
	{ request, takenBody }: MountedRequest,
	readBody: ReadBody,
): Promise<TopRequest["body"] | "aborted"> {
	if (request.method !== "POST" && request.method !== "GET") return new Uint8Array();
	return takenBody() ?? (await readBody(request));
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
	// A text goes out together with the head, in one write.
	const { body } = reply;
	const headers = { ...reply.headers, "Content-Length": Buffer.byteLength(body) };
	if (request.readableEnded) {
		response.writeHead(reply.status, headers).end(body);
		return;
	}
	// The answer is complete before the request is: the connection cannot be used again.
	response.writeHead(reply.status, { ...headers, Connection: "close" }).write(body);
	drain(request, limits, () => response.end());
}
