// Many calls in one request: `/router/batch` of the gateway. The signature covers the raw body.

import { type BatchCall, divideBatch } from "./batch-calls.js";
import { checkParameters } from "./check-parameters.js";
import { GATEWAY_STYLE, styleOf } from "./envelope.js";
import {
	ALREADY_READ,
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
import { REPORT_METHOD } from "./public-parameters.js";
import type { Conclusion, Verdict } from "./report.js";
import { type Authentic, reportCallback, withRequestHash } from "./report-callback.js";
import { answerNotAuthentic, failed, type TopAnswer } from "./status.js";

/** Makes the handler of `/router/batch`. Throws a `RangeError` for limits that are none. */
export function createBatchHandler(options: TopHandlerOptions): TopHandler {
	return createExchange(options, GATEWAY_STYLE, conclude);
}

/** What concerns all of it — verb, size, public parameters, signature, division into calls — is answered once. */
async function conclude(request: TopRequest, context: ExchangeContext): Promise<Conclusion> {
	const { limits, options, requestId } = context;
	const query = { query: queryOf(request.target), contentType: undefined, body: NO_BYTES };
	const read = await readParameters(query, limits);
	const { parameters } = read;
	const style = styleOf(parameters);
	const refuse = (tag: string, answer: TopAnswer): Conclusion => ({ tag, style, answer });
	const { body, refused } = bodyOf(request, limits);
	if (refused !== undefined) return { ...refused, style };
	if (!(body instanceof Uint8Array)) return { ...ALREADY_READ, style };
	if (read._tag === "Malformed") return refuse("Malformed", failed("invalidRequest", read.message));
	const error = checkParameters(parameters, "batch", "batch");
	if (error !== undefined) return refuse("InvalidParameter", { _tag: "Failed", error });
	if (body.length === 0) return refuse("EmptyBatch", failed("missingRequestParam", "the batch has no calls"));
	try {
		const { headers } = request;
		const verification = await options.verifier.verify({ parameters, headers, body });
		if (verification._tag === "NotAuthentic") {
			return refuse(verification.reason, answerNotAuthentic(verification.reason, verification.message));
		}
		const { appKey } = verification;
		const divided = divideBatch(body, headers, parameters.get("method"), limits);
		if (divided._tag === "Malformed") {
			return { ...refuse("Malformed", failed("invalidRequest", divided.message)), appKey };
		}
		const authentic = withRequestHash(verification, request);
		const calls = await Promise.all(
			divided.calls.map((call) => concludeCall(call, authentic, request, context)),
		);
		const firstFailure = calls.find(({ answer }) => answer._tag === "Failed");
		const answer = firstFailure?.answer ?? { _tag: "Consumed" };
		return { tag: "Batch", answer, style, appKey, batch: { separator: divided.separator, calls } };
	} catch (fault) {
		return unexpected(fault, style, requestId, options.logger);
	}
}

async function concludeCall(
	{ parameters, malformed }: BatchCall,
	verification: Authentic,
	request: TopRequest,
	context: ExchangeContext,
): Promise<Verdict> {
	if (malformed !== undefined) return { tag: "Malformed", answer: failed("invalidRequest", malformed) };
	const method = parameters.get("method");
	if (!method) return { tag: "InvalidParameter", answer: failed("missingMethod", "method is missing") };
	if (method !== REPORT_METHOD) {
		return { tag: "InvalidParameter", answer: failed("invalidMethod", `method must be ${REPORT_METHOD}`) };
	}
	try {
		return await reportCallback(parameters.get("request_param"), verification, request, context);
	} catch (fault) {
		return unexpected(fault, GATEWAY_STYLE, context.requestId, context.options.logger);
	}
}
