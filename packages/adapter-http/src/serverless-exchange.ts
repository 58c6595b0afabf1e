// What serverless platforms share: a request that comes whole in an event, and a response that leaves as a value.

import type { TopRequest } from "./exchange.js";
import { resolveLimits } from "./limits.js";
import { createRoutes, type RouteOptions } from "./routes.js";

/** *Shape*: 200 with TOP's answer as text, or 404 for a path that is none of its own. */
export interface ServerlessResponse {
	readonly statusCode: number;
	readonly headers: Readonly<Record<string, string>>;
	/** The same headers, for a load balancer that is set to lists. */
	readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
	readonly body: string;
	readonly isBase64Encoded: false;
}

/** A request as an event tells of it. */
export interface EventRequest extends Pick<TopRequest, "method" | "target" | "isTargetRebuilt"> {
	/** What the routes are asked for. */
	readonly path: string;
	readonly headers: HeaderFields;
	readonly body: string | null | undefined;
	readonly isBase64Encoded: boolean;
}

type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** *Promise*: never rejects. Throws a `RangeError` for limits that are none, a `TypeError` for a path. */
export function createEventExchange(
	options: RouteOptions,
): (request: EventRequest) => Promise<ServerlessResponse> {
	// Some platforms hand a base64 body on as it stands, so that gzip would reach no sender.
	const routes = createRoutes({ ...options, gzip: false });
	const { maxBodyBytes } = resolveLimits(options.limits);
	return async ({ path, method, target, isTargetRebuilt = false, headers, ...sent }) => {
		const handle = routes(path);
		if (handle === undefined) return respond(404, { "Cache-Control": "no-store" }, "");
		const reply = await handle({
			method,
			target,
			isTargetRebuilt,
			headers: readHeaders(headers),
			body: bytesOf(sent, maxBodyBytes),
		});
		return respond(reply.status, reply.headers, Buffer.from(reply.body).toString());
	};
}

function respond(
	statusCode: number,
	headers: Readonly<Record<string, string>>,
	body: string,
): ServerlessResponse {
	return { statusCode, headers, body, isBase64Encoded: false };
}

/** Counted before it is decoded. */
function bytesOf(
	{ body, isBase64Encoded }: Pick<EventRequest, "body" | "isBase64Encoded">,
	maxBodyBytes: number,
): TopRequest["body"] {
	const encoding = isBase64Encoded ? "base64" : "utf8";
	const text = body ?? "";
	return Buffer.byteLength(text, encoding) > maxBodyBytes ? "too-large" : Buffer.from(text, encoding);
}

function readHeaders(fields: HeaderFields): ReadonlyMap<string, string> {
	const headers = new Map<string, string>();
	for (const [name, value] of Object.entries(fields)) {
		if (value !== undefined)
			headers.set(name.toLowerCase(), typeof value === "string" ? value : value.join(", "));
	}
	return headers;
}

/** Parameters of a query as a platform hands them on: decoded, or as they came. */
export type QueryFields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A query of fields; each value of a list stands by itself. */
export function queryText(fields: QueryFields, encode: (text: string) => string): string {
	return Object.entries(fields)
		.flatMap(([name, value]) =>
			(typeof value === "string" ? [value] : (value ?? [])).map((one) => [name, one]),
		)
		.map((pair) => pair.map(encode).join("="))
		.join("&");
}

/** As `encodeURIComponent`; half a surrogate pair, at which that throws, becomes U+FFFD, which nobody has signed. */
export function encodeText(text: string): string {
	return encodeURIComponent(Buffer.from(text).toString());
}

export function joinTarget(path: string, query: string): string {
	return query === "" ? path : `${path}?${query}`;
}
