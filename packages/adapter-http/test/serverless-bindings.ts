// Events of serverless platforms, in the shapes that their documents show, made of the raw bytes of a request.

import { takeApart } from "@reelkeep/harness/signed-body";
import { createFunctionComputeHandler } from "../src/function-compute-handler.js";
import { createLambdaHandler, type LambdaEvent } from "../src/lambda-handler.js";
import { type StartBinding, withoutServer } from "./running-binding.js";

export type Encoding = "utf8" | "base64";

interface Parts {
	readonly method: string;
	readonly path: string;
	readonly query: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	readonly isBase64Encoded: boolean;
}

export function partsOf(bytes: Buffer, encoding: Encoding): Parts {
	const { method, target, headers, body } = takeApart(bytes);
	const [path = "", query = ""] = target.split("?");
	return {
		...{ method, path, query, headers: Object.fromEntries(headers) },
		...{ body: body.toString(encoding), isBase64Encoded: encoding === "base64" },
	};
}

/** An HTTP API of API Gateway with a stage, or a function URL. */
export function payload2Event(parts: Parts, stage = "$default"): LambdaEvent {
	const { method, path, query, headers, body, isBase64Encoded } = parts;
	const rawPath = stage === "$default" ? path : `/${stage}${path}`;
	const http = { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "sdk" };
	return {
		...{ version: "2.0", routeKey: "$default", rawPath, rawQueryString: query, headers },
		queryStringParameters: Object.fromEntries(new URLSearchParams(query)),
		requestContext: { http, stage },
		...(body === "" ? {} : { body }),
		isBase64Encoded,
	};
}

/** A REST API of API Gateway: names as they were written, the query decoded. */
export function payload1Event({ method, path, query, headers, body, isBase64Encoded }: Parts): LambdaEvent {
	const parameters = new URLSearchParams(query);
	const named = Object.entries(headers).map(([name, value]) => [titleCase(name), value] as const);
	return {
		...{ resource: "/{proxy+}", path, httpMethod: method },
		headers: Object.fromEntries(named),
		multiValueHeaders: Object.fromEntries(named.map(([name, value]) => [name, [value]])),
		queryStringParameters: query === "" ? null : Object.fromEntries(parameters),
		multiValueQueryStringParameters:
			query === ""
				? null
				: Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name)])),
		requestContext: { stage: "prod" },
		body: body === "" ? null : body,
		isBase64Encoded,
	};
}

/** A load balancer: the query in pieces, as it was written. */
export function loadBalancerEvent(parts: Parts, isInLists: boolean): LambdaEvent {
	const { method, path, query, headers, body, isBase64Encoded } = parts;
	const pairs = query === "" ? [] : query.split("&").map((pair) => pair.split("="));
	const lists = (fields: readonly (readonly (string | undefined)[])[]) =>
		Object.fromEntries(fields.map(([name, value = ""]) => [name, [value]]));
	return {
		requestContext: { elb: { targetGroupArn: "arn:aws:elasticloadbalancing:region:1:targetgroup/t/1" } },
		...{ httpMethod: method, path, body, isBase64Encoded },
		...(isInLists
			? { multiValueHeaders: lists(Object.entries(headers)), multiValueQueryStringParameters: lists(pairs) }
			: { headers, queryStringParameters: Object.fromEntries(pairs) }),
	};
}

/** An HTTP trigger of Function Compute 3.0, as the bytes that the runtime hands over. */
export function functionComputeEvent(parts: Parts): Buffer {
	const { method, path, query, headers, body, isBase64Encoded } = parts;
	const http = { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "sdk" };
	const event = {
		...{ version: "v1", rawPath: path, body, isBase64Encoded, headers },
		queryParameters: Object.fromEntries(new URLSearchParams(query)),
		requestContext: { http, requestId: "1-64f6cd87", timeEpoch: "1693896071895" },
	};
	return Buffer.from(JSON.stringify(event));
}

export function lambdaBinding(encoding: Encoding, eventOf: (parts: Parts) => LambdaEvent): StartBinding {
	return async (options) => {
		const handler = createLambdaHandler(options);
		return withoutServer(async (bytes) => (await handler(eventOf(partsOf(bytes, encoding)))).body);
	};
}

export function functionComputeBinding(encoding: Encoding): StartBinding {
	return async (options) => {
		const handler = createFunctionComputeHandler(options);
		return withoutServer(
			async (bytes) => (await handler(functionComputeEvent(partsOf(bytes, encoding)))).body,
		);
	};
}

function titleCase(name: string): string {
	return name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
