// What stands in a reply's body: the gateway's envelopes, as JSON or XML (docs/top-protocol.md §3).

import { XMLBuilder } from "fast-xml-parser";
import type { TopAnswer } from "./status.js";
import type { TopError } from "./top-error.js";

/** How a sender wants its answer. */
export interface ReplyStyle {
	readonly format: "json" | "xml";
	/** JSON only: a success without its envelope; errors stay wrapped. */
	readonly simplify: boolean;
	/** `spi`: the platform calls, and reads another kind of answer. */
	readonly direction: "gateway" | "spi";
}

/** XML is the protocol's default. */
export const GATEWAY_STYLE: ReplyStyle = { format: "xml", simplify: false, direction: "gateway" };
/** The platform's public failure answer is JSON. */
export const SPI_STYLE: ReplyStyle = { format: "json", simplify: true, direction: "spi" };

/** What the gateway's parameters ask for: docs/top-protocol.md §1, `format` and `simplify`. */
export function styleOf(parameters: ReadonlyMap<string, string>): ReplyStyle {
	if (parameters.get("format") !== "json") return GATEWAY_STYLE;
	return { ...GATEWAY_STYLE, format: "json", simplify: parameters.get("simplify") === "true" };
}

/**
 * How a sender is asked to send again.
 * - `isp`: an error whose sub code begins with `isp.`, on which SDKs retry
 * - `consume-state-0`: a success envelope that says `consume_state` 0, for senders that read nothing else
 */
export type FailureAnswer = "isp" | "consume-state-0";

export interface Rendered {
	readonly contentType: string;
	readonly body: string;
}

/** Longer texts than a person reads are cut. */
const MAX_TEXT_CHARACTERS = 512;

/** §3.7: the method with `.` as `_`, plus `_response`; `alibaba.` is kept. */
const ENVELOPE = "alibaba_cgame_avatar_video_record_report_response";

/** *Source*: docs/top-protocol.md, Response. */
const CONSUMED = {
	code: "0",
	data: { message: "Consumer Success", consume_state: 1 },
	message: "SUCCESS",
} as const;

/** What XML 1.0 forbids, with or without an entity: controls, lone surrogates, U+FFFE and U+FFFF. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const xml = new XMLBuilder({ processEntities: true, ignoreAttributes: true });

/**
 * Renders an answer.
 * *Promise*: for the gateway exactly one top-level key; `request_id` inside it; raw UTF-8, and no `\uXXXX` escape,
 * which the Java reader garbles; well-formed whatever the texts hold.
 */
export function renderAnswer(
	answer: TopAnswer,
	style: ReplyStyle,
	requestId: string,
	failureAnswer: FailureAnswer = "isp",
): Rendered {
	if (answer._tag === "Consumed") return renderResult(CONSUMED, style, requestId);
	const { error } = answer;
	if (failureAnswer === "consume-state-0" && asksForRetry(error)) {
		return renderResult(notConsumed(error), style, requestId);
	}
	if (style.direction === "spi") return render(spiFailure(error), style);
	return render({ error_response: errorBody(error, requestId) }, style);
}

function renderResult(result: object, style: ReplyStyle, requestId: string): Rendered {
	// Inferred: what the API's page lists as its response, and nothing else.
	if (style.direction === "spi") return render({ result }, style);
	const inner = { result, request_id: clean(requestId) };
	const bare = style.simplify && style.format === "json";
	return render(bare ? inner : { [ENVELOPE]: inner }, style);
}

function asksForRetry({ subCode }: TopError): boolean {
	return subCode?.startsWith("isp.") ?? false;
}

/** *Source*: docs/top-protocol.md, `consume_state`: 0 is "not consumed". The code is the error's. */
function notConsumed({ code, msg, subMsg }: TopError): object {
	return {
		code: String(code),
		data: { message: clean(subMsg ?? msg), consume_state: 0 },
		message: clean(msg),
	};
}

/** What the platform's own helpers answer to whatever is not authentic. *Source*: docs/top-protocol.md §5. */
const ILLEGAL_REQUEST = { flag: "failure", sub_code: "sign-check-failure", sub_message: "Illegal request" };
/** Nobody has proved who asks. */
const NOT_AUTHENTIC: ReadonlySet<number> = new Set([24, 25, 28, 29, 30, 31]);

/** Of other failures the shape is inferred, and `sub_code` is the gateway's. */
function spiFailure({ code, msg, subCode, subMsg }: TopError): object {
	if (NOT_AUTHENTIC.has(code)) return ILLEGAL_REQUEST;
	return { flag: "failure", sub_code: clean(subCode ?? `isv.${code}`), sub_message: clean(subMsg ?? msg) };
}

/** §3.5: `code` is a number. `sub_*` are left out when there is nothing to say. */
function errorBody(error: TopError, requestId: string): object {
	return {
		code: error.code,
		msg: error.msg,
		...(error.subCode === undefined ? {} : { sub_code: clean(error.subCode) }),
		...(error.subMsg === undefined ? {} : { sub_msg: clean(error.subMsg) }),
		request_id: clean(requestId),
	};
}

function render(document: object, style: ReplyStyle): Rendered {
	return style.format === "json"
		? { contentType: "application/json;charset=UTF-8", body: JSON.stringify(document) }
		: { contentType: "text/xml;charset=UTF-8", body: xml.build(document) };
}

function clean(text: string): string {
	return text.slice(0, MAX_TEXT_CHARACTERS).replace(NOT_XML, "\ufffd");
}
