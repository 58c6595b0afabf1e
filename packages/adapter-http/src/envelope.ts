// What stands in a reply's body: the gateway's envelopes, as JSON or XML (docs/top-protocol.md §3).

import { XMLBuilder } from "fast-xml-parser";
import type { TopAnswer } from "./status.js";
import type { TopError } from "./top-error.js";

/** How a sender wants its answer. XML is the protocol's default. */
export interface ReplyStyle {
	readonly format: "json" | "xml";
	/** JSON only: a success without its envelope; errors stay wrapped. */
	readonly simplify: boolean;
}

export interface Rendered {
	readonly contentType: string;
	readonly body: string;
}

/** Longer texts than a person reads are cut. */
const MAX_TEXT_CHARACTERS = 512;

/** §3.7: the method with `.` as `_`, plus `_response`; `alibaba.` is kept. */
const ENVELOPE = "alibaba_cgame_avatar_video_record_report_response";

/** *Source*: docs/top-protocol.md, Response. */
const RESULT = {
	result: { code: "0", data: { message: "Consumer Success", consume_state: 1 }, message: "SUCCESS" },
} as const;

/** What XML 1.0 forbids, with or without an entity: controls, lone surrogates, U+FFFE and U+FFFF. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const xml = new XMLBuilder({ processEntities: true, ignoreAttributes: true });

/**
 * Renders an answer.
 * *Promise*: exactly one top-level key; `request_id` inside it; raw UTF-8, and no `\uXXXX` escape, which the Java
 * reader garbles; well-formed whatever the texts hold.
 */
export function renderAnswer(answer: TopAnswer, style: ReplyStyle, requestId: string): Rendered {
	if (answer._tag === "Failed") return render({ error_response: errorBody(answer.error, requestId) }, style);
	const inner = { ...RESULT, request_id: clean(requestId) };
	const bare = style.simplify && style.format === "json";
	return render(bare ? inner : { [ENVELOPE]: inner }, style);
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
