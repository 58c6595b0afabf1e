// The one parser: query, urlencoded body and multipart text parts become one parameter map, for GET as for POST.
// What is not in this map is not signed, and nothing else of the request is ever used as a parameter.
//
// Strict where parsers disagree with each other: each name once, percent-decoded once, `+` is a space, UTF-8 must be
// valid, and a pair is `name=value` with every further `=` escaped, as all SDKs send it.

import type { ParsedForm } from "./exchange.js";
import type { HttpLimits } from "./limits.js";
import { readMultipart } from "./multipart.js";
import { type AddParameter, collectInto, decodeUtf8, NOT_UTF8 } from "./parameter-collector.js";

/** *Shape*: decoded once; names and values are valid Unicode; file parts are left out. */
export type ParametersResult =
	| { readonly _tag: "Parameters"; readonly parameters: ReadonlyMap<string, string> }
	| {
			readonly _tag: "Malformed";
			/** For the sender's people; holds nothing of what was sent but a known name. */
			readonly message: string;
			/** What was read before, so that the reply can have the format that was asked for. */
			readonly parameters: ReadonlyMap<string, string>;
	  };

/** What was sent, as far as parameters go. */
export interface ParameterSource {
	/** What stands behind the `?`; empty when there is none. */
	readonly query: string;
	readonly contentType: string | undefined;
	readonly body: Uint8Array | ParsedForm;
}

const FORM = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
/** Node hands over other bytes as Latin-1: decoding them would be a guess. */
const NOT_A_QUERY = /[^\x21-\x7e]/;
const MULTIPART = /^multipart\/form-data\s*;/i;

/** Reads all parameters of a request, or says why they make no sense. Never rejects for what was sent. */
export async function readParameters(source: ParameterSource, limits: HttpLimits): Promise<ParametersResult> {
	const parameters = new Map<string, string>();
	const add = collectInto(parameters, limits);
	const malformed = readQuery(source.query, add, limits) ?? (await readBody(source, add, limits));
	return malformed === undefined
		? { _tag: "Parameters", parameters }
		: { _tag: "Malformed", message: malformed, parameters };
}

/** Whether a body of this type holds parameters: urlencoded or multipart. */
export function isFormType(contentType: string = ""): boolean {
	return FORM.test(contentType) || MULTIPART.test(contentType);
}

export function isUrlencodedType(contentType: string = ""): boolean {
	return FORM.test(contentType);
}

/** The parameters of an urlencoded text that stands in a body: a call of a batch. */
export function readForm(text: string, limits: HttpLimits): ParametersResult {
	const parameters = new Map<string, string>();
	const malformed = readPairs(text, collectInto(parameters, limits));
	return malformed === undefined
		? { _tag: "Parameters", parameters }
		: { _tag: "Malformed", message: malformed, parameters };
}

function readQuery(query: string, add: AddParameter, limits: HttpLimits): string | undefined {
	if (query.length > limits.maxQueryBytes) return `the query is longer than ${limits.maxQueryBytes} bytes`;
	if (NOT_A_QUERY.test(query)) return "the query is not percent-encoded";
	return readPairs(query, add);
}

/** A body of another kind is refused, not ignored: its sender believes that it was read. */
function readBody(
	source: ParameterSource,
	add: AddParameter,
	limits: HttpLimits,
): string | undefined | Promise<string | undefined> {
	const { body, contentType = "" } = source;
	if (!(body instanceof Uint8Array)) return readFields(body, add);
	if (body.length === 0) return undefined;
	if (FORM.test(contentType)) {
		const text = decodeUtf8(body);
		return text === undefined ? NOT_UTF8 : readPairs(text, add);
	}
	if (MULTIPART.test(contentType)) return readMultipart(body, contentType, add, limits);
	return "a body must be application/x-www-form-urlencoded or multipart/form-data";
}

/** Lists and nested fields are a parser's reading of names that no TOP parameter has, or of one name twice. */
function readFields({ fields }: ParsedForm, add: AddParameter): string | undefined {
	for (const [name, value] of Object.entries(fields)) {
		const wrong = typeof value === "string" ? add(name, value) : "a parameter is no text, or stands twice";
		if (wrong !== undefined) return wrong;
	}
	return undefined;
}

/** Splitting by hand costs half of what `querystring.parse` does, which would also accept all that is refused here. */
function readPairs(text: string, add: AddParameter): string | undefined {
	if (text === "") return undefined;
	for (const pair of text.split("&")) {
		if (pair === "") continue; // `a=1&` and `?&a=1`: SDKs that glue strings together
		const equals = pair.indexOf("=");
		if (equals === -1) return "a parameter has no = sign";
		if (pair.indexOf("=", equals + 1) !== -1)
			return "a parameter holds an = sign that is not percent-encoded";
		const name = decode(pair.slice(0, equals));
		const value = decode(pair.slice(equals + 1));
		if (name === undefined || value === undefined) return "a parameter is not percent-encoded UTF-8";
		const wrong = add(name, value);
		if (wrong !== undefined) return wrong;
	}
	return undefined;
}

function decode(text: string): string | undefined {
	const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
	if (!spaced.includes("%")) return spaced;
	try {
		return decodeURIComponent(spaced);
	} catch {
		return undefined;
	}
}
