// Many calls in one request: `/router/batch` of the gateway. The signature covers the raw body, so the calls are cut out
// of bytes that were proved before.

import { checkParameters } from "./check-parameters.js";
import { GATEWAY_STYLE, styleOf } from "./envelope.js";
import {
	createExchange,
	type ExchangeContext,
	queryOf,
	refuseUnread,
	type TopHandler,
	type TopHandlerOptions,
	type TopRequest,
	unexpected,
} from "./exchange.js";
import { objectEnd } from "./object-end.js";
import { decodeUtf8 } from "./parameter-collector.js";
import { readForm, readParameters } from "./parameters.js";
import { REPORT_METHOD } from "./public-parameters.js";
import type { Conclusion } from "./report.js";
import { type Authentic, hasRequestParam, reportCallback, withRequestHash } from "./report-callback.js";
import { answerNotAuthentic, failed, type TopAnswer } from "./status.js";

const NO_BYTES = new Uint8Array();
/** Stands in no urlencoded text. */
const SEPARATOR = "\r\n-S-\r\n";
const SEPARATOR_HEADER = "top-api-separator";
const MAX_SEPARATOR_CHARACTERS = 64;
const PUBLIC = "#PUBLIC#";
/** A call without parameters. */
const NOTHING = "N";

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
	const unread = refuseUnread(request, style, limits);
	if (unread !== undefined) return unread;
	const { body } = request;
	if (!(body instanceof Uint8Array)) return refuse("already-read", failed("unavailable", BYTES_NEEDED));
	if (read._tag === "Malformed") return refuse("Malformed", failed("invalidRequest", read.message));
	const error = checkParameters(parameters, "batch", "batch");
	if (error !== undefined) return refuse("InvalidParameter", { _tag: "Failed", error });
	if (body.length === 0) return refuse("EmptyBatch", failed("missingRequestParam", "the batch has no calls"));
	try {
		const { verifier } = options;
		const verification = await verifier.verify({ parameters, headers: request.headers, body });
		if (verification._tag === "NotAuthentic") {
			return refuse(verification.reason, answerNotAuthentic(verification.reason, verification.message));
		}
		const { appKey } = verification;
		const divided = divide(body, request.headers.get(SEPARATOR_HEADER), parameters.get("method"), context);
		if (divided._tag === "Undivided") {
			return { ...refuse("Malformed", failed("invalidRequest", divided.message)), appKey };
		}
		const authentic = withRequestHash(verification, request);
		const concluded = await Promise.all(
			divided.calls.map((call) => concludeCall(call, authentic, request, context)),
		);
		return {
			...refuse(
				"Batch",
				concluded.find(({ answer }) => answer._tag === "Failed")?.answer ?? { _tag: "Consumed" },
			),
			appKey,
			batch: {
				separator: divided.separator,
				tags: concluded.map(({ tag }) => tag),
				answers: concluded.map(({ answer }) => answer),
			},
		};
	} catch (fault) {
		return unexpected(fault, style, requestId, options.logger);
	}
}

const BYTES_NEEDED = "another part of the receiver took the batch's bytes; its operator must mount it first";

/** What one call says; `malformed`: in words for its sender. */
interface Call {
	readonly parameters: ReadonlyMap<string, string>;
	readonly malformed?: string;
}

type Divided =
	| { readonly _tag: "Divided"; readonly separator: string; readonly calls: readonly Call[] }
	| { readonly _tag: "Undivided"; readonly message: string };

function divide(
	body: Uint8Array,
	header: string | undefined,
	sharedMethod: string | undefined,
	{ limits }: ExchangeContext,
): Divided {
	const text = decodeUtf8(body);
	if (text === undefined) return { _tag: "Undivided", message: "the batch is not valid UTF-8" };
	const separator = header ?? SEPARATOR;
	if (separator === "" || separator.length > MAX_SEPARATOR_CHARACTERS) {
		return {
			_tag: "Undivided",
			message: `${SEPARATOR_HEADER} must have 1 to ${MAX_SEPARATOR_CHARACTERS} characters`,
		};
	}
	const pieces = text.split(separator, limits.maxBatchCalls + 2);
	const shared = new Map(sharedMethod === undefined ? [] : [["method", sharedMethod]]);
	if (pieces[0]?.startsWith(PUBLIC)) {
		const read = readForm(pieces.shift()?.slice(PUBLIC.length) ?? "", limits);
		if (read._tag === "Malformed") return { _tag: "Undivided", message: read.message };
		for (const [name, value] of read.parameters) shared.set(name, value);
	}
	if (pieces.length === 0) return { _tag: "Undivided", message: "the batch has no calls" };
	if (pieces.length > limits.maxBatchCalls) {
		return { _tag: "Undivided", message: `a batch may have at most ${limits.maxBatchCalls} calls` };
	}
	const calls = pieces.map((piece) => readCall(piece, shared, limits));
	if (header !== undefined && !calls.every(isWhole)) return { _tag: "Undivided", message: UNSAFE_SEPARATOR };
	return { _tag: "Divided", separator, calls };
}

const UNSAFE_SEPARATOR = `every call between two ${SEPARATOR_HEADER}s must be complete, with a JSON object as its request_param`;

function readCall(
	piece: string,
	shared: ReadonlyMap<string, string>,
	limits: ExchangeContext["limits"],
): Call {
	if (piece === NOTHING) return { parameters: shared };
	const read = readForm(piece, limits);
	if (read._tag === "Malformed") return { parameters: shared, malformed: read.message };
	if (read.parameters.size === 0) return { parameters: shared, malformed: "a call of the batch is empty" };
	return { parameters: new Map([...shared, ...read.parameters]) };
}

/**
 * The separator in the header is not signed: whoever changes it cuts the signed body at other places. A piece of a call
 * is never whole: its `request_param` is no object any more, or it is no parameter at all.
 */
function isWhole({ parameters, malformed }: Call): boolean {
	const requestParam = parameters.get("request_param");
	return malformed === undefined && (!requestParam || objectEnd(requestParam) === requestParam.length);
}

async function concludeCall(
	{ parameters, malformed }: Call,
	verification: Authentic,
	request: TopRequest,
	context: ExchangeContext,
): Promise<{ readonly tag: string; readonly answer: TopAnswer }> {
	if (malformed !== undefined) return { tag: "Malformed", answer: failed("invalidRequest", malformed) };
	const method = parameters.get("method");
	if (!method) return { tag: "InvalidParameter", answer: failed("missingMethod", "method is missing") };
	if (method !== REPORT_METHOD) {
		return { tag: "InvalidParameter", answer: failed("invalidMethod", `method must be ${REPORT_METHOD}`) };
	}
	const requestParam = parameters.get("request_param");
	if (!hasRequestParam(requestParam)) {
		return { tag: "MissingRequestParam", answer: failed("missingRequestParam", "request_param is missing") };
	}
	try {
		return await reportCallback(requestParam, verification, request, context);
	} catch (fault) {
		return unexpected(fault, GATEWAY_STYLE, context.requestId, context.options.logger);
	}
}
