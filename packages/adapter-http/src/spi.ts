// TOP's SPI direction: the platform calls a service's own URL (docs/top-protocol.md §5). The callback stands in a form, as
// in a call of the gateway, or in a JSON body, which is signed as it came.

import { checkParameters } from "./check-parameters.js";
import { SPI_STYLE } from "./envelope.js";
import {
	ALREADY_READ,
	bodyOf,
	createExchange,
	type ExchangeContext,
	NO_BYTES,
	type ParsedForm,
	queryOf,
	type TopHandler,
	type TopHandlerOptions,
	type TopRequest,
} from "./exchange.js";
import { memberSource } from "./object-end.js";
import { decodeUtf8 } from "./parameter-collector.js";
import { isFormType, readParameters } from "./parameters.js";
import type { Conclusion } from "./report.js";
import { reportCallback, withRequestHash } from "./report-callback.js";
import { isJsonDocument } from "./spi-verifier.js";
import { answerNotAuthentic, failed, type TopAnswer } from "./status.js";

/**
 * Makes the handler of a service's own URL; its verifier is `createSpiVerifier`'s. Throws a `RangeError` for limits that
 * are none.
 */
export function createSpiHandler(options: TopHandlerOptions): TopHandler {
	return createExchange(options, SPI_STYLE, conclude);
}

/** `sign` stands in the query, whatever else a form repeats: its grammar, then the signature, then the body's meaning. */
async function conclude(request: TopRequest, context: ExchangeContext): Promise<Conclusion> {
	const { limits, options } = context;
	const { headers } = request;
	const { body, refused } = bodyOf(request, limits);
	if (refused !== undefined) return { ...refused, style: SPI_STYLE };
	const refuse = (tag: string, answer: TopAnswer): Conclusion => ({ tag, style: SPI_STYLE, answer });
	const source = split(body, headers.get("content-type"));
	if (source === undefined) return { ...ALREADY_READ, style: SPI_STYLE };
	const query = queryOf(request.target);
	const contentType = headers.get("content-type");
	const read = await readParameters({ query, contentType, body: source.form }, limits);
	if (read._tag === "Malformed") return refuse("Malformed", failed("invalidRequest", read.message));
	const { parameters } = read;
	const isJson = source.document.length > 0;
	const error = checkParameters(parameters, "spi", isJson ? "json" : "none");
	if (error !== undefined) return refuse("InvalidParameter", { _tag: "Failed", error });
	if (isJson && !isJsonDocument(source.document)) {
		return refuse(
			"Malformed",
			failed("invalidRequest", "a body that is no form must be a JSON object in UTF-8"),
		);
	}
	const verification = await options.verifier.verify({ parameters, headers, body: source.document });
	if (verification._tag === "NotAuthentic") {
		return refuse(verification.reason, answerNotAuthentic(verification.reason, verification.message));
	}
	const { appKey } = verification;
	const requestParam = isJson ? requestParamOf(source.document) : parameters.get("request_param");
	const authentic = withRequestHash(verification, request);
	return { ...(await reportCallback(requestParam, authentic, request, context)), style: SPI_STYLE, appKey };
}

interface Source {
	readonly form: Uint8Array | ParsedForm;
	readonly document: Uint8Array;
}

/** What is signed as parameters, and what as raw bytes. `undefined`: the raw bytes are gone. */
function split(body: Uint8Array | ParsedForm, contentType: string | undefined): Source | undefined {
	if (isFormType(contentType)) return { form: body, document: NO_BYTES };
	return body instanceof Uint8Array ? { form: NO_BYTES, document: body } : undefined;
}

/**
 * The callback in a JSON document: its member `request_param`, an object or JSON text; a document without one is the
 * callback itself (inferred). What cannot be parsed is handed over whole, for the quarantine.
 */
function requestParamOf(document: Uint8Array): string | undefined {
	const text = decodeUtf8(document);
	if (text === undefined) return undefined;
	const member = memberOf(text);
	if (member === undefined) return text;
	return typeof member === "string" ? member : (memberSource(text, "request_param") ?? text);
}

function memberOf(text: string): unknown {
	try {
		return JSON.parse(text).request_param;
	} catch {
		return undefined;
	}
}
