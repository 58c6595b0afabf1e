// A single call: `/router/rest` of the gateway. One request in, one reply out, without a socket.

import { checkParameters } from "./check-parameters.js";
import { GATEWAY_STYLE, type ReplyStyle, styleOf } from "./envelope.js";
import {
	bodyOf,
	createExchange,
	type ExchangeContext,
	NO_BYTES,
	queryOf,
	type TopHandler,
	type TopHandlerOptions,
	type TopRequest,
	unexpected,
} from "./exchange.js";
import { readParameters } from "./parameters.js";
import type { Conclusion } from "./report.js";
import { reportCallback, withRequestHash } from "./report-callback.js";
import { answerNotAuthentic, failed } from "./status.js";

/** Makes the handler of `/router/rest`. Throws a `RangeError` for limits that are none. */
export function createTopHandler(options: TopHandlerOptions): TopHandler {
	return createExchange(options, GATEWAY_STYLE, conclude);
}

/** The order of checks: verb, size and syntax, grammar, signature, then what the core says. */
async function conclude(request: TopRequest, context: ExchangeContext): Promise<Conclusion> {
	const { limits, requestId, options } = context;
	const { headers } = request;
	const { body, refused } = bodyOf(request, limits);
	const read = await readParameters(
		{ query: queryOf(request.target), contentType: headers.get("content-type"), body },
		limits,
	);
	const { parameters } = read;
	const style = styleOf(parameters);
	if (refused !== undefined) return { ...refused, style };
	if (read._tag === "Malformed") {
		return { tag: "Malformed", style, answer: failed("invalidRequest", read.message) };
	}
	const error = checkParameters(parameters);
	if (error !== undefined) return { tag: "InvalidParameter", style, answer: { _tag: "Failed", error } };
	try {
		return await concludeSigned(request, parameters, style, context);
	} catch (fault) {
		return unexpected(fault, style, requestId, options.logger);
	}
}

async function concludeSigned(
	request: TopRequest,
	parameters: ReadonlyMap<string, string>,
	style: ReplyStyle,
	context: ExchangeContext,
): Promise<Conclusion> {
	const { headers } = request;
	const verification = await context.options.verifier.verify({ parameters, headers, body: NO_BYTES });
	if (verification._tag === "NotAuthentic") {
		const { reason, message } = verification;
		return { tag: reason, style, answer: answerNotAuthentic(reason, message) };
	}
	const { appKey } = verification;
	const requestParam = parameters.get("request_param");
	const authentic = withRequestHash(verification, request);
	return { ...(await reportCallback(requestParam, authentic, request, context)), style, appKey };
}
