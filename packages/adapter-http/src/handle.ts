// One request in, one reply out: the whole protocol, without a socket. Every binding (node:http, fetch, a framework)
// hands its request to this function.

import type { Clock, EventMetadata, Ids, Logger, Receive, Telemetry, Verifier } from "@reelkeep/core/ports";
import { checkParameters } from "./check-parameters.js";
import { type ReplyStyle, renderAnswer } from "./envelope.js";
import { type HttpLimits, resolveLimits } from "./limits.js";
import { readParameters } from "./parameters.js";
import { type Conclusion, logUnavailable, logUnexpected, reportConclusion } from "./report.js";
import { answerNotAuthentic, answerOutcome, failed, type TopAnswer } from "./status.js";

/** Why a binding has no body to hand over: the handler words the error in the format that the query asks for. */
export type BodyFault = "too-large" | "too-slow" | "overloaded" | "already-read";

export interface TopRequest {
	/** As it stands in the request line: `POST`. */
	readonly method: string;
	/** Path and query as they stand in the request line, nothing decoded. */
	readonly target: string;
	/** Names in lower case. */
	readonly headers: ReadonlyMap<string, string>;
	/** The body's bytes as received; empty when there is none. */
	readonly body: Uint8Array | BodyFault;
}

/** *Shape*: the status is 200 whatever happened, because the SDKs throw other bodies away (docs/top-protocol.md §3). */
export interface TopReply {
	readonly status: 200;
	readonly headers: Readonly<Record<string, string>>;
	/** To be sent as UTF-8. */
	readonly body: string;
}

/** *Promise*: never rejects and never throws; success only when `receive` said that the callback is kept. */
export type TopHandler = (request: TopRequest) => Promise<TopReply>;

export interface TopHandlerOptions {
	readonly receive: Receive;
	readonly verifier: Verifier;
	readonly ids: Ids;
	readonly clock: Clock;
	readonly logger?: Logger;
	readonly telemetry?: Telemetry;
	readonly limits?: Partial<HttpLimits>;
	/** What error replies name as the answering host; Python's SDK copies it into its exception. Default `reelkeep`. */
	readonly hostLabel?: string;
}

const XML_STYLE: ReplyStyle = { format: "xml", simplify: false };
const NO_BYTES = new Uint8Array();
/** W3C trace context, version 00. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Makes the handler of `/router/rest`. Throws a `RangeError` for limits that are none. */
export function createTopHandler(options: TopHandlerOptions): TopHandler {
	const limits = resolveLimits(options.limits);
	const host = options.hostLabel ?? "reelkeep";
	return async (request) => {
		let requestId = "";
		try {
			requestId = options.ids.next();
			const startedAt = options.clock.now();
			const conclusion = await conclude(request, requestId, options, limits);
			reportConclusion(conclusion, requestId, startedAt, options);
			return reply(conclusion, requestId, host);
		} catch (error) {
			return reply(unexpected(error, XML_STYLE, requestId, options.logger), requestId, host);
		}
	};
}

/** The order of checks: verb, size and syntax, grammar, signature, then what the core says. */
async function conclude(
	request: TopRequest,
	requestId: string,
	options: TopHandlerOptions,
	limits: HttpLimits,
): Promise<Conclusion> {
	const body = withinLimit(request.body, limits);
	const query = queryOf(request.target);
	const contentType = request.headers.get("content-type");
	const isFault = typeof body === "string";
	const read = await readParameters({ query, contentType, body: isFault ? NO_BYTES : body }, limits);
	const { parameters } = read;
	const style = styleOf(parameters);
	if (request.method !== "POST" && request.method !== "GET") {
		return { tag: "VerbNotAllowed", style, answer: failed("verbNotAllowed", "only POST and GET are served") };
	}
	if (isFault) return { tag: body, style, answer: answerFault(body, limits) };
	if (read._tag === "Malformed") {
		return { tag: "Malformed", style, answer: failed("invalidRequest", read.message) };
	}
	const error = checkParameters(parameters);
	if (error !== undefined) return { tag: "InvalidParameter", style, answer: { _tag: "Failed", error } };
	try {
		return await concludeSigned(request, parameters, style, requestId, options);
	} catch (error) {
		return unexpected(error, style, requestId, options.logger);
	}
}

/** A verifier or a `receive` that breaks its promise; whether the callback is kept is unknown, and a retry finds out. */
function unexpected(error: unknown, style: ReplyStyle, requestId: string, logger?: Logger): Conclusion {
	logUnexpected(error, requestId, logger);
	return { tag: "InternalError", style, answer: failed("unavailable", "internal error; send it again") };
}

async function concludeSigned(
	request: TopRequest,
	parameters: ReadonlyMap<string, string>,
	style: ReplyStyle,
	requestId: string,
	options: TopHandlerOptions,
): Promise<Conclusion> {
	const { headers } = request;
	const verification = await options.verifier.verify({ parameters, headers, body: NO_BYTES });
	if (verification._tag === "NotAuthentic") {
		const { reason, message } = verification;
		return { tag: reason, style, answer: answerNotAuthentic(reason, message) };
	}
	const { appKey, receipt } = verification;
	const requestParam = parameters.get("request_param");
	if (requestParam === undefined || requestParam.trim() === "") {
		const answer = failed("missingRequestParam", "request_param is missing");
		return { tag: "MissingRequestParam", style, answer, appKey };
	}
	const traceparent = headers.get("traceparent");
	const metadata: EventMetadata = {
		ingress: "http",
		appKey,
		requestId,
		correlationId: requestId,
		verification: receipt,
		...(traceparent !== undefined && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
	};
	const outcome = await options.receive({ requestParam, appKey, metadata });
	if (outcome._tag === "Unavailable") logUnavailable(outcome.message, requestId, options.logger);
	return { tag: outcome._tag, style, answer: answerOutcome(outcome), appKey };
}

/** Bindings count while they read; this is for one that does not. */
function withinLimit(body: Uint8Array | BodyFault, limits: HttpLimits): Uint8Array | BodyFault {
	return typeof body !== "string" && body.length > limits.maxBodyBytes ? "too-large" : body;
}

function queryOf(target: string): string {
	const start = target.indexOf("?");
	return start === -1 ? "" : target.slice(start + 1);
}

/** XML unless JSON is asked for: docs/top-protocol.md §1, `format`. */
function styleOf(parameters: ReadonlyMap<string, string>): ReplyStyle {
	if (parameters.get("format") !== "json") return XML_STYLE;
	return { format: "json", simplify: parameters.get("simplify") === "true" };
}

function answerFault(fault: BodyFault, limits: HttpLimits): TopAnswer {
	switch (fault) {
		case "too-large":
			return failed("invalidRequestText", `the body is longer than ${limits.maxBodyBytes} bytes`);
		case "too-slow":
			return failed("timeout", "the body did not arrive in time; send it again");
		case "overloaded":
			return failed("unavailable", "too many requests at once; send it again");
		case "already-read":
			return failed(
				"unavailable",
				"another part of the receiver took the body; its operator must mount it first",
			);
		default:
			return fault satisfies never;
	}
}

function reply({ answer, style }: Conclusion, requestId: string, host: string): TopReply {
	const { contentType, body } = renderAnswer(answer, style, requestId);
	const headers = { "Content-Type": contentType, "Cache-Control": "no-store" };
	if (answer._tag === "Consumed") return { status: 200, headers, body };
	return { status: 200, headers: { ...headers, "Application-Host": host, "Location-Host": host }, body };
}
