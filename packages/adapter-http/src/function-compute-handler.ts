// Alibaba Cloud's Function Compute 3.0: an HTTP trigger of a function in a built-in runtime.

import type { RouteOptions } from "./routes.js";
import {
	createEventExchange,
	encodeText,
	joinTarget,
	type QueryFields,
	queryText,
	type ServerlessResponse,
} from "./serverless-exchange.js";

/** What is read of the event of an HTTP trigger, version `v1`. */
export interface FunctionComputeEvent {
	readonly rawPath: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** Decoded; values of one name are joined by commas. */
	readonly queryParameters?: QueryFields;
	readonly body?: string;
	readonly isBase64Encoded?: boolean;
	readonly requestContext: { readonly http: { readonly method: string } };
}

/**
 * Makes the function to export as `handler`; it takes the event as the runtime hands it over, as bytes of JSON, or read.
 * The event has no query as it was sent: it is put together again, and the receipt has no `requestSha256`.
 * *Errors*: throws a `RangeError` for limits that are none, a `TypeError` for a path; the handler rejects with a
 * `TypeError` for an event that is no HTTP request.
 */
export function createFunctionComputeHandler(
	options: RouteOptions,
): (event: Uint8Array | string | FunctionComputeEvent) => Promise<ServerlessResponse> {
	const exchange = createEventExchange(options);
	return async (given) => {
		const event = readEvent(given);
		const { rawPath, headers = {}, queryParameters = {}, body, isBase64Encoded = false } = event;
		return exchange({
			method: event.requestContext.http.method,
			path: rawPath,
			target: joinTarget(rawPath, queryText(queryParameters, encodeText)),
			isTargetRebuilt: true,
			headers,
			body,
			isBase64Encoded,
		});
	};
}

function readEvent(given: Uint8Array | string | FunctionComputeEvent): FunctionComputeEvent {
	const event = given instanceof Uint8Array || typeof given === "string" ? parse(given) : given;
	if (!isHttpEvent(event))
		throw new TypeError("the event is no HTTP request of Function Compute's HTTP trigger");
	return event;
}

/** What does not parse is no event of an HTTP trigger; its text stays out of the error. */
function parse(given: Uint8Array | string): unknown {
	try {
		return JSON.parse(typeof given === "string" ? given : Buffer.from(given).toString());
	} catch {
		return undefined;
	}
}

function isHttpEvent(event: unknown): event is FunctionComputeEvent {
	const { rawPath, requestContext } = (event ?? {}) as Partial<FunctionComputeEvent>;
	return typeof rawPath === "string" && typeof requestContext?.http?.method === "string";
}
