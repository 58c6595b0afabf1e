// The binding to fetch (`Request → Response`): Hono, Deno, Bun, edge workers, or any framework that speaks it.

import type { TopReply, TopRequest } from "./exchange.js";
import { type HttpLimits, resolveLimits } from "./limits.js";
import { readStream } from "./read-stream.js";
import { createReadingPlaces, type TakePlace } from "./reading-places.js";
import { createRoutes, type RouteOptions } from "./routes.js";

/** *Shape*: 404 for a path that is none of its own. *Promise*: never rejects. */
export interface FetchHandler {
	(request: Request): Promise<Response>;
	/** A fetch `Request` has no body with GET: a sender that sends one there is not understood. */
	readonly supports: { readonly getBody: false };
}

/**
 * Makes the handler; `gzip` is off unless it is asked for. The path that counts is the request's own, whatever it is mounted under. Hand over the request
 * before anything reads its body.
 * *Errors*: throws a `RangeError` for limits that are none, a `TypeError` for a path.
 */
export function createFetchHandler(options: RouteOptions): FetchHandler {
	// Who serves a `Response` packs it, and Next takes away the header of one that is packed.
	const routes = createRoutes({ gzip: false, ...options });
	const limits = resolveLimits(options.limits);
	const takePlace = createReadingPlaces(limits.maxReading);
	const handler = async (request: Request): Promise<Response> => {
		const url = new URL(request.url);
		const handle = routes(url.pathname);
		if (handle === undefined)
			return new Response(null, { status: 404, headers: { "Cache-Control": "no-store" } });
		const { method } = request;
		return toResponse(
			await handle({
				method,
				target: url.pathname + url.search,
				headers: new Map(request.headers),
				body: await bodyOf(request, limits, takePlace),
			}),
		);
	};
	return Object.assign(handler, { supports: { getBody: false } } as const);
}

/** A request that is refused whatever its body says is answered without reading it. */
async function bodyOf(
	request: Request,
	limits: HttpLimits,
	takePlace: TakePlace,
): Promise<TopRequest["body"]> {
	if (request.bodyUsed || request.body?.locked) return "already-read";
	if (request.method !== "POST" || request.body === null) return new Uint8Array();
	if (Number(request.headers.get("content-length") ?? 0) > limits.maxBodyBytes) {
		void request.body.cancel().catch(() => undefined);
		return "too-large";
	}
	return readStream(request.body, limits, takePlace);
}

function toResponse({ status, headers, body }: TopReply): Response {
	return new Response(body, { status, headers });
}
