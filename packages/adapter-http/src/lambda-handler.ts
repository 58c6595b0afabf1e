// AWS Lambda behind an API Gateway (payload 1.0 and 2.0), a function URL, or an Application Load Balancer.

import type { RouteOptions } from "./routes.js";
import {
	createEventExchange,
	type EventRequest,
	encodeText,
	joinTarget,
	type QueryFields,
	queryText,
	type ServerlessResponse,
} from "./serverless-exchange.js";

/** What is read of the events; the types of `@types/aws-lambda` are assignable. Which event it is, its members tell. */
export interface LambdaEvent {
	readonly headers?: Readonly<Record<string, string | undefined>> | null;
	readonly body?: string | null;
	readonly isBase64Encoded?: boolean;
	readonly requestContext?: {
		/** Payload 2.0 and function URLs. */
		readonly http?: { readonly method: string };
		readonly stage?: string;
		/** A load balancer. */
		readonly elb?: unknown;
	};
	/** Payload 2.0 and function URLs. */
	readonly rawPath?: string;
	readonly rawQueryString?: string;
	/** Payload 1.0 and load balancers. */
	readonly httpMethod?: string;
	readonly path?: string;
	readonly queryStringParameters?: QueryFields | null;
	readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
	readonly multiValueQueryStringParameters?: QueryFields | null;
}

/**
 * Makes the function to export as `handler`. Where the event has no query as it was sent (payload 1.0, load balancers)
 * it is put together again, and the receipt has no `requestSha256`. Answers are never compressed: the platform does that.
 * *Errors*: throws a `RangeError` for limits that are none, a `TypeError` for a path; the handler rejects with a
 * `TypeError` for an event that is no HTTP request.
 */
export function createLambdaHandler(
	options: RouteOptions,
): (event: LambdaEvent) => Promise<ServerlessResponse> {
	const exchange = createEventExchange(options);
	return async (event) => {
		const response = await exchange(requestOf(event));
		// A load balancer that sends lists reads nothing else.
		const wantsLists = event.requestContext?.elb !== undefined && event.multiValueHeaders != null;
		return wantsLists ? { ...response, multiValueHeaders: asLists(response.headers) } : response;
	};
}

function requestOf(event: LambdaEvent): EventRequest {
	const { rawPath, rawQueryString = "", requestContext = {}, httpMethod, path } = event;
	const sent = { body: event.body, isBase64Encoded: event.isBase64Encoded === true };
	const headers = { ...event.headers, ...event.multiValueHeaders };
	if (requestContext.http !== undefined && rawPath !== undefined) {
		const target = joinTarget(rawPath, rawQueryString);
		const { method } = requestContext.http;
		return { ...sent, headers, method, path: withoutStage(rawPath, requestContext.stage), target };
	}
	if (httpMethod === undefined || path === undefined) {
		throw new TypeError("the event is no HTTP request of an API Gateway, a function URL or a load balancer");
	}
	const fields = event.multiValueQueryStringParameters ?? event.queryStringParameters ?? {};
	// A load balancer hands the query on as it came, piece by piece; an API Gateway decodes it.
	const query = queryText(fields, requestContext.elb === undefined ? encodeText : (text) => text);
	return {
		...sent,
		headers,
		method: httpMethod,
		path,
		target: joinTarget(path, query),
		isTargetRebuilt: true,
	};
}

/** Payload 2.0 has the stage in its path, unless that is `$default`; senders and `path` need not know of it. */
function withoutStage(path: string, stage: string | undefined): string {
	return stage !== undefined && path.startsWith(`/${stage}/`) ? path.slice(stage.length + 1) : path;
}

function asLists(headers: ServerlessResponse["headers"]): Readonly<Record<string, readonly string[]>> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
}
