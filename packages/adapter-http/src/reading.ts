// Of all ways to cut a signed text into a request, those that are accepted mean one and the same.
//
// The signature has no delimiters (docs/top-protocol.md §2): it covers `key1value1key2value2…` and a raw body behind it,
// so text that moves across a boundary keeps the sign. Somebody who saw one signed request must not be able to make
// another of it. What a request means to us is its app, its `timestamp` and its `request_param` (or its raw body); the
// app is bound by its secret. Why the other two are the same in every reading that is accepted (ADR 0012):
//
// A call without other parameters (names that the method does not have). In the order in which they are signed:
//
//   app_key A [format F] method M [partner_id P] [request_param R] [session S]
//   sign_method G [simplify Y] [target_app_key T] timestamp D v 2.0
//
// - A holds neither "format", "method" nor "request_param", P neither "request_param" nor "session", and M is one fixed
//   text: so A, F, M and P end where the next name first appears, and R starts there.
// - From the end, `[simplify …] … v2.0` can be read in one way only: its values are fixed words, digits or times.
// - R is any text, but it does not end like a parameter that may stand directly behind it: a session, and in the SPI
//   direction, where `sign_method` may be absent, that, `simplify` or `target_app_key`. So R ends at the first place where
//   what follows can be read as those.
//
// A call with other parameters, which may stand anywhere and whose values are any text:
//
// - No name or value before R holds "request_param": R starts where it first appears.
// - R is exactly one object, which ends by itself (`object-end.ts`). And when a call has no other parameters, an R that
//   begins with a whole object does not go on like a name: so what the two kinds of reading take for R is the same.
// - Outside R, "timestamp" stands once, and a time is followed by a name, never by a digit: so D is the same.
//
// A raw body behind the parameters (batches; JSON in the SPI direction):
//
// - Of a batch, "timestamp" stands once in the parameters, and only `v2.0` follows it: the body starts there.
// - A JSON body is one object, and no parameter holds a brace: the body starts at the first one.
// - The kinds cannot be taken for each other. No parameter before a raw body holds "request_param", so such a body would
//   start before the R of a call; and what stands there holds no "timestamp" (P does not, and other parameters may not,
//   because it stands behind R). A batch's body holds no brace, a JSON body always does.

import { objectEnd } from "./object-end.js";
import { isOtherName, isParameterName, isParameterValue } from "./public-parameters.js";
import { signedText } from "./signature.js";

/** What stands behind the parameters in the signed text: nothing, a batch's calls, or a JSON document. */
export type RawBody = "none" | "batch" | "json";

const START = "request_param";
const TIME = "timestamp";

/**
 * Why the signed text of this request could be cut into another one that is accepted too; `undefined` when it cannot.
 * The parameters are in their grammar. *Shape*: words for the sender's people, with nothing of what was sent.
 */
export function findOtherReading(
	parameters: ReadonlyMap<string, string>,
	rawBody: RawBody = "none",
): string | undefined {
	if (rawBody !== "none") return findOtherBody(parameters, rawBody);
	if (!hasOthers(parameters)) return undefined;
	const requestParam = parameters.get(START);
	// Without an R, neither an R nor a document may begin anywhere.
	const before = textOf(parameters, (name) => requestParam === undefined || name < START);
	const behind = textOf(parameters, (name) => requestParam !== undefined && name > START);
	if (before.includes(START)) return HIDES_START;
	if (requestParam === undefined && before.includes("{")) return HOLDS_BRACE;
	if (requestParam !== undefined && objectEnd(requestParam) !== requestParam.length) return NO_OBJECT;
	return countOf(TIME, before) + countOf(TIME, behind) === 1 ? undefined : HIDES_TIME;
}

/** Whether every parameter is in its grammar, and no boundary can be moved. */
export function isReading(parameters: ReadonlyMap<string, string>, rawBody: RawBody): boolean {
	for (const [name, value] of parameters) {
		if (isParameterName(name) ? !isParameterValue(name, value) : !isOtherName(name)) return false;
	}
	return findOtherReading(parameters, rawBody) === undefined;
}

const BOTH = 'no parameter beside a signed body may hold the word "request_param"';
const HIDES_START = 'a parameter that this method does not have must not hold the word "request_param"';
const HIDES_TIME = 'a parameter that this method does not have must not hold the word "timestamp"';
const NO_OBJECT = "beside parameters that this method does not have, request_param must be one JSON object";
const BEHIND_TIME = "a parameter that this method does not have must not stand behind timestamp";
const HOLDS_BRACE = "without request_param, no other parameter may hold a brace";

function findOtherBody(
	parameters: ReadonlyMap<string, string>,
	rawBody: "batch" | "json",
): string | undefined {
	const text = signedText(parameters, "signed");
	if (text.includes(START)) return BOTH;
	if (countOf(TIME, text) !== 1) return HIDES_TIME;
	if (rawBody === "json") return text.includes("{") ? HOLDS_BRACE : undefined;
	for (const name of parameters.keys()) if (name > TIME && name !== "v") return BEHIND_TIME;
	return undefined;
}

function hasOthers(parameters: ReadonlyMap<string, string>): boolean {
	for (const name of parameters.keys()) if (!isParameterName(name)) return true;
	return false;
}

function textOf(parameters: ReadonlyMap<string, string>, isIn: (name: string) => boolean): string {
	return signedText(new Map([...parameters].filter(([name]) => isIn(name))), "signed");
}

function countOf(word: string, text: string): number {
	return text.split(word).length - 1;
}
