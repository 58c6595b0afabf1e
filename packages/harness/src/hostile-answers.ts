// What a receiver says on a socket, judged as the TOP protocol wants it, without the product's own code.

import { gunzipSync } from "node:zlib";
import { findLeaks } from "./transcript.js";

/** One HTTP answer, cut out of what was heard. */
export interface HeardAnswer {
	/**
	 * In one word: `success`; an error's code, `41`; `nobody` (404); `health`; `bare` (the head of an answer to HEAD);
	 * `malformed …` for what the protocol forbids. The answers of a batch are joined by `+`.
	 */
	readonly word: string;
	readonly closes: boolean;
	/** How long it was. */
	readonly bytes: number;
}

/** docs/top-protocol.md §4, and no other. */
const CODES = new Set([7, 9, 11, 15, 21, 22, 23, 24, 25, 28, 29, 30, 31, 32, 33, 40, 41, 50]);
const ENVELOPE = "alibaba_cgame_avatar_video_record_report_response";
const TYPES = ["application/json;charset=UTF-8", "text/xml;charset=UTF-8"];
const SEPARATOR = "\r\n-S-\r\n";
const ERROR_XML =
	/^<error_response><code>(\d+)<\/code><msg>[^<]+<\/msg>(?:<sub_code>[^<]*<\/sub_code>)?(?:<sub_msg>[^<]*<\/sub_msg>)?<request_id>[^<]*<\/request_id><\/error_response>$/;
const SUCCESS_XML = new RegExp(
	`^<${ENVELOPE}><result><code>0</code><data><message>[^<]+</message><consume_state>1</consume_state></data><message>SUCCESS</message></result><request_id>[^<]+</request_id></${ENVELOPE}>$`,
);

/** The first whole answer of `heard`; `undefined` while there is none. */
export function nextAnswer(heard: Buffer): HeardAnswer | undefined {
	const end = heard.indexOf("\r\n\r\n");
	if (end === -1) return undefined;
	const head = heard.toString("latin1", 0, end);
	const start = end + 4;
	if (/^HTTP\/1\.1 100 Continue$/i.test(head)) return behind(heard, start);
	const length = Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? Number.NaN);
	const closes = /^connection: *close$/im.test(head);
	if (Number.isNaN(length)) return { word: "malformed: no length", closes, bytes: heard.length };
	// An answer to HEAD states a length and ends here.
	const follows = heard.toString("latin1", start, start + 7);
	const isBare = length > 0 && (follows === "HTTP/1." || (closes && follows === ""));
	if (isBare) return { word: judge(head, undefined), closes, bytes: start };
	if (heard.length < start + length) return undefined;
	return { word: judge(head, heard.subarray(start, start + length)), closes, bytes: start + length };
}

function behind(heard: Buffer, start: number): HeardAnswer | undefined {
	const answer = nextAnswer(heard.subarray(start));
	return answer && { ...answer, bytes: start + answer.bytes };
}

/** What is left of `heard` when nothing comes any more is no whole answer. */
export function allAnswers(heard: Buffer): readonly string[] {
	const words: string[] = [];
	for (let at = 0; at < heard.length; ) {
		const answer = nextAnswer(heard.subarray(at));
		if (answer === undefined) return [...words, "cut"];
		words.push(answer.word);
		at += answer.bytes;
	}
	return words;
}

function judge(head: string, body: Buffer | undefined): string {
	const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
	if (!/^cache-control: *no-store$/im.test(head)) return `malformed: ${status} may be cached`;
	if (status === "404")
		return body === undefined || body.length === 0 ? "nobody" : "malformed: 404 with a body";
	if (status !== "200") return `malformed: status ${status}`;
	const type = /^content-type: *(.+)$/im.exec(head)?.[1] ?? "";
	if (!TYPES.includes(type)) return `malformed: type ${type}`;
	if (body === undefined) return "bare";
	const isGzip = /^content-encoding: *gzip$/im.test(head);
	const text = (isGzip ? gunzipSync(body) : body).toString("utf8");
	if (/[0-9A-F]{32}/.test(text) || findLeaks(text).length > 0) return "malformed: tells what is secret";
	return text
		.split(SEPARATOR)
		.map((one) => (type.startsWith("text/xml") ? judgeXml(one) : judgeJson(one)))
		.join("+");
}

function judgeXml(text: string): string {
	if (SUCCESS_XML.test(text)) return "success";
	return knownCode(Number(ERROR_XML.exec(text)?.[1]));
}

function judgeJson(text: string): string {
	const document = parse(text);
	if (document === undefined) return "malformed: no JSON";
	const { error_response: error, [ENVELOPE]: envelope, result, status } = document;
	const names = Object.keys(document).join();
	// `degraded` is what a receiver says whose archiver finds no videos; it goes on receiving.
	if (/^status(,problems)?$/.test(names)) {
		return ["ok", "ready", "degraded"].includes(String(status)) ? "health" : `malformed: ${status}`;
	}
	if (names === "error_response") return knownCode(error?.code);
	const success = names === ENVELOPE ? envelope?.result : names === "result,request_id" ? result : undefined;
	return success?.data?.consume_state === 1 ? "success" : `malformed: ${names}`;
}

function knownCode(code: unknown): string {
	return typeof code === "number" && CODES.has(code) ? String(code) : `malformed: code ${code}`;
}

interface Result {
	readonly data?: { readonly consume_state?: unknown };
}

interface Document {
	readonly error_response?: { readonly code?: unknown };
	readonly [ENVELOPE]?: { readonly result?: Result };
	readonly result?: Result;
	readonly status?: unknown;
}

function parse(text: string): Document | undefined {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
