// What senders, proxies and SDKs are known to sign instead of what they send: each as the bytes that would then have
// been signed, and as words for the people who run them. Pure; names are told, values never.

import { NO_BYTES } from "../exchange.js";
import { type BlankValues, signedText } from "../signature.js";
import type { SignedBytes } from "./signature-search.js";
import { VALUE_FORMS, type ValueFormTag } from "./value-forms.js";

/** A request, as far as signatures go. */
export interface SignedParts {
	/** What is signed as names and values, `sign` among them; in the order received. */
	readonly parameters: ReadonlyMap<string, string>;
	/** Those that stand in the query. */
	readonly query: ReadonlyMap<string, string>;
	/** The raw body that is signed as it came; empty when there is none. */
	readonly body: Uint8Array;
	/** The bytes of a form, of which only the parameters are signed; empty when there is none. */
	readonly form: Uint8Array;
	/** File parts that are text; they are not signed. */
	readonly files: ReadonlyMap<string, string>;
	/** Headers that `top-sign-list` names but that may not be signed. */
	readonly foreignHeaders: ReadonlyMap<string, string>;
	/** A name as it may be told. */
	show(name: string): string;
}

export interface Suspicion extends SignedBytes {
	readonly _tag: SuspicionTag;
	/** What is wrong, when the sign turns out to be that of these bytes. */
	readonly message: string;
}

export type SuspicionTag =
	| "body-changed"
	| "body-not-signed"
	| "body-signed"
	| "delimiters-signed"
	| "empty-value-signed"
	| "file-signed"
	| "header-not-allowed"
	| "parameter-not-signed"
	| "sign-signed"
	| "wrong-order"
	| ValueFormTag;

/** The names that SDKs send, and some sign though they send nothing: `session` of PHP. */
const PUBLIC_NAMES = [
	"session",
	"format",
	"partner_id",
	"simplify",
	"target_app_key",
	"app_key",
	"method",
	"request_param",
	"sign_method",
	"timestamp",
	"v",
];
const BLANKS: readonly BlankValues[] = ["signed", "left-out"];

/** Everything that is suspected, the simplest first; pairs of parameters, which are many, last. */
export function* suspect(parts: SignedParts): Generator<Suspicion> {
	yield* suspectText(parts);
	yield* suspectBody(parts);
	yield* suspectParameters(parts, 1);
	yield* suspectValues(parts);
	yield* suspectParameters(parts, 2);
}

/** The texts of these parameters, with blank values and without. */
export function textsOf(parameters: ReadonlyMap<string, string>): readonly string[] {
	return [...new Set(BLANKS.map((blankValues) => signedText(parameters, blankValues)))];
}

/** How names and values were put together. */
function* suspectText({ parameters, body }: SignedParts): Generator<Suspicion> {
	const names = [...parameters.keys()].filter((name) => name !== "sign");
	const textIn = (order: readonly string[]): readonly string[] =>
		BLANKS.map((blanks) => order.map((name) => signedText(pick(parameters, [name]), blanks)).join(""));
	const orders = [
		names.toSorted((a, b) => compare(a.toLowerCase(), b.toLowerCase())),
		names.toSorted((a, b) => compare(a.toUpperCase(), b.toUpperCase())),
		names.toSorted((a, b) => a.localeCompare(b, "en")),
	];
	yield { _tag: "wrong-order", message: LETTER_CASE, texts: orders.flatMap(textIn), body };
	yield { _tag: "wrong-order", message: UNSORTED, texts: textIn(names), body };
	const before = names.filter((name) => name < "sign");
	const behind = names.filter((name) => name > "sign");
	const texts = BLANKS.map((b) => `${textOf(parameters, before, b)}sign${textOf(parameters, behind, b)}`);
	yield { _tag: "sign-signed", message: SIGN_SIGNED, texts, body };
	const pairs = names.toSorted().map((name) => `${name}=${parameters.get(name)}`);
	yield { _tag: "delimiters-signed", message: DELIMITERS, texts: [pairs.join("&")], body };
}

const LETTER_CASE =
	"names were sorted without regard to letter case; they must be signed in the order of their bytes (ASCII)";
const UNSORTED = "names were signed in the order in which they are sent; they must be sorted";
const SIGN_SIGNED = "an empty sign was signed with the other parameters; sign itself must be left out";
const DELIMITERS = "= and & were signed between names and values; nothing may stand between them";

/** Which bytes stood behind the parameters, or beside them. */
function* suspectBody(parts: SignedParts): Generator<Suspicion> {
	const { parameters, query, body, form, files, foreignHeaders, show } = parts;
	const texts = textsOf(parameters);
	if (body.length > 0) {
		yield { _tag: "body-not-signed", message: BODY_NOT_SIGNED, texts, body: NO_BYTES };
		for (const changed of rewriteBody(Buffer.from(body).toString("latin1"))) {
			yield { _tag: "body-changed", message: BODY_CHANGED, texts, body: Buffer.from(changed, "latin1") };
		}
	}
	if (form.length > 0) {
		const all = [...texts, ...textsOf(query)];
		yield { _tag: "body-signed", message: FORM_SIGNED, texts: all, body: form };
		yield { _tag: "parameter-not-signed", message: FORM_NOT_SIGNED, texts: textsOf(query), body };
		const others = new Map([...parameters].filter(([name]) => !query.has(name)));
		yield { _tag: "parameter-not-signed", message: QUERY_NOT_SIGNED, texts: textsOf(others), body };
	}
	const filed = (some: Iterable<readonly [string, string]>) => textsOf(new Map([...parameters, ...some]));
	for (const file of files) {
		const message = `the file ${show(file[0])} was signed; files must be left out`;
		yield { _tag: "file-signed", message, texts: filed([file]), body };
	}
	if (files.size > 1) yield { _tag: "file-signed", message: FILES_SIGNED, texts: filed(files), body };
	if (foreignHeaders.size === 0) return;
	const message = `${[...foreignHeaders.keys()].map(show).join(", ")} of top-sign-list is signed, but ${FOREIGN}`;
	yield { _tag: "header-not-allowed", message, texts: filed(foreignHeaders), body };
}

const BODY_NOT_SIGNED = "the body is not signed; its bytes must be signed behind the parameters";
const BODY_CHANGED =
	"the body's line ends, or white space around it, were changed after it was signed (or when it was captured)";
const FORM_SIGNED = "the form's bytes were signed as a raw body; only its decoded parameters must be signed";
const FORM_NOT_SIGNED =
	"the body's parameters are not signed; those of query and body must be signed together";
const QUERY_NOT_SIGNED =
	"the query's parameters are not signed; those of query and body must be signed together";
const FILES_SIGNED = "all files were signed; files must be left out";
const FOREIGN = "no header that the receiver lets be signed: name it with --signed-header (signedHeaders)";

function rewriteBody(text: string): readonly string[] {
	const withLineFeeds = text.replaceAll("\r\n", "\n");
	const changed = [text.trim(), `${text}\n`, `${text}\r\n`, withLineFeeds];
	return [...changed, withLineFeeds.replaceAll("\n", "\r\n")].filter((one) => one !== text);
}

/** Which parameters were signed: without `count` of those received, or with as many empty ones that were not. */
function* suspectParameters(parts: SignedParts, count: 1 | 2): Generator<Suspicion> {
	const { parameters, body, show } = parts;
	const names = [...parameters.keys()].filter((name) => name !== "sign");
	for (const chosen of choose(names, count)) {
		const rest = new Map([...parameters].filter(([name]) => !chosen.includes(name)));
		const isBlank = chosen.every((name) => parameters.get(name)?.trim() === "");
		const shown = chosen.map(show).join(" and ");
		const message = `${shown} not signed: sign matches without; ${isBlank ? BLANK : ADDED}`;
		yield { _tag: "parameter-not-signed", message, texts: textsOf(rest), body };
	}
	const absent = PUBLIC_NAMES.filter((name) => !parameters.has(name));
	for (const chosen of choose(absent, count)) {
		const more = new Map([...parameters, ...chosen.map((name): [string, string] => [name, ""])]);
		const shown = chosen.join(" and of ");
		const message = `an empty value of ${shown} was signed, but not sent`;
		yield { _tag: "empty-value-signed", message, texts: [signedText(more, "signed")], body };
	}
}

const BLANK = "of the empty values either all must be signed or none";
const ADDED = "it was added on the way, or the sender left it out of the signed text";

function choose(names: readonly string[], count: 1 | 2): readonly (readonly string[])[] {
	if (count === 1) return names.map((name) => [name]);
	return names.flatMap((first, at) => names.slice(at + 1).map((second) => [first, second]));
}

/** In which form values were signed: all of them, then one alone. */
function* suspectValues({ parameters, body, show }: SignedParts): Generator<Suspicion> {
	for (const { _tag, apply, says } of VALUE_FORMS) {
		const changed = [...parameters].filter(
			([name, value]) => name !== "sign" && apply(value, name) !== value,
		);
		const sets = changed.length > 1 ? [changed, ...changed.map((one) => [one])] : [changed];
		for (const set of sets) {
			if (set.length === 0) continue;
			const others = set.map(([name, value]): [string, string] => [name, apply(value, name)]);
			const texts = textsOf(new Map([...parameters, ...others]));
			const shown = set.map(([name]) => show(name)).join(", ");
			yield { _tag, message: `${shown}: ${says}`, texts, body };
		}
	}
}

function textOf(
	parameters: ReadonlyMap<string, string>,
	names: readonly string[],
	blankValues: BlankValues,
): string {
	return signedText(pick(parameters, names), blankValues);
}

function pick(
	parameters: ReadonlyMap<string, string>,
	names: readonly string[],
): ReadonlyMap<string, string> {
	return new Map([...parameters].filter(([name]) => names.includes(name)));
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
