// Reads a request into what signatures are made of, with the product's own parser; for people who look for a fault.

import type { RequestKind } from "../check-parameters.js";
import { NO_BYTES, queryOf, type TopRequest } from "../exchange.js";
import { DEFAULT_HTTP_LIMITS } from "../limits.js";
import { isFormType, readParameters } from "../parameters.js";
import { isOtherName, isParameterName } from "../public-parameters.js";
import type { RawBody } from "../reading.js";
import { readSignList } from "../spi-verifier.js";
import type { SignedParts } from "./signature-suspicions.js";

/** A request of which every byte is there: what parsers make of a body is not what was signed. */
export type RawRequest = TopRequest & { readonly body: Uint8Array };

export interface ReceivedRequest extends SignedParts {
	readonly _tag: "Received";
	/** Without headers: what the grammar is checked on. */
	readonly sent: ReadonlyMap<string, string>;
	readonly rawBody: RawBody;
}

export interface ReadingOptions {
	readonly kind: RequestKind;
	/** Headers that may be signed, in any case. */
	readonly signedHeaders: readonly string[];
	/** Texts that no name may give away; values of the request need not be among them. */
	readonly secrets: readonly string[];
}

/** Shorter values are words that names may hold by chance. */
const MIN_HIDDEN_CHARACTERS = 8;
/** What makes a multipart text part a file. */
const FILE_NAME = /^(content-disposition:[^\r\n]*?);[ \t]*filename\*?=(?:"[^"\r\n]*"|[^;\r\n]*)/gim;

/** Reads `request`, or says why it makes no sense, as the parser words it; its verb and size were accepted before. */
export async function readReceivedRequest(
	request: RawRequest,
	options: ReadingOptions,
): Promise<ReceivedRequest | { readonly _tag: "Malformed"; readonly message: string }> {
	const { headers, target } = request;
	const { kind } = options;
	const signedHeaders = options.signedHeaders.map((name) => name.toLowerCase());
	const contentType = headers.get("content-type");
	const isForm = kind === "call" || (kind === "spi" && isFormType(contentType));
	const [form, body] = isForm ? [request.body, NO_BYTES] : [NO_BYTES, request.body];
	const read = await readParameters({ query: queryOf(target), contentType, body: form }, DEFAULT_HTTP_LIMITS);
	if (read._tag === "Malformed") return { _tag: "Malformed", message: read.message };
	const query = await readParameters(
		{ query: queryOf(target), contentType: undefined, body: NO_BYTES },
		DEFAULT_HTTP_LIMITS,
	);
	const sent = read.parameters;
	const listed = kind === "spi" ? listedHeaders(headers) : new Map<string, string>();
	const headersOf = (isOurs: boolean): Map<string, string> =>
		new Map([...listed].filter(([name]) => signedHeaders.includes(name.toLowerCase()) === isOurs));
	return {
		_tag: "Received",
		sent,
		parameters: new Map([...sent, ...headersOf(true)]),
		query: query.parameters,
		body,
		form,
		rawBody: body.length === 0 ? "none" : kind === "batch" ? "batch" : "json",
		files: await readFiles(request, form, sent),
		foreignHeaders: headersOf(false),
		show: createShow(sent, listed, options.secrets),
	};
}

/** One that cannot be decoded as it stands. */
function listedHeaders(headers: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
	return new Map(
		readSignList(headers).map(({ name, value }) => [name, value ?? headers.get(name.toLowerCase()) ?? ""]),
	);
}

/** File parts, read as if they were text parts; none when one of them is no text. */
async function readFiles(
	{ headers }: RawRequest,
	form: Uint8Array,
	sent: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
	const contentType = headers.get("content-type") ?? "";
	if (!/^multipart\//i.test(contentType)) return new Map();
	const renamed = Buffer.from(form).toString("latin1").replace(FILE_NAME, "$1");
	const source = { query: "", contentType, body: Buffer.from(renamed, "latin1") };
	const read = await readParameters(source, DEFAULT_HTTP_LIMITS);
	if (read._tag === "Malformed") return new Map();
	return new Map([...read.parameters].filter(([name]) => !sent.has(name)));
}

/** Names are text of the sender: one that is no plain name, or that holds a value or a secret, is not told. */
function createShow(
	sent: ReadonlyMap<string, string>,
	listed: ReadonlyMap<string, string>,
	secrets: readonly string[],
): (name: string) => string {
	const values = [...sent.values(), ...listed.values()].filter(
		(value) => value.length >= MIN_HIDDEN_CHARACTERS,
	);
	const hidden = [...values, ...secrets].map((text) => text.toLowerCase());
	return (name) => {
		const isPlain = isOtherName(name) && !hidden.some((text) => name.toLowerCase().includes(text));
		const what = listed.has(name) && !sent.has(name) ? "header" : "parameter";
		if (!isParameterName(name) && !isPlain) return `a ${what} whose name is not told`;
		return what === "header" ? `header ${name}` : name;
	};
}
