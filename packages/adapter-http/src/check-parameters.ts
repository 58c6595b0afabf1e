// What is wrong with a request before its signature is looked at, in the order of the gateway's table.

import { isParameterName, isParameterValue, type ParameterName } from "./public-parameters.js";
import { type TopError, type TopErrorName, topError } from "./top-error.js";

interface Check {
	readonly name: ParameterName;
	/** The error for an absent or empty parameter; none: it may be absent. */
	readonly missing?: TopErrorName;
	readonly invalid: TopErrorName;
	/** What is expected, for people. */
	readonly expected: string;
}

const CHECKS: readonly Check[] = [
	{
		name: "method",
		missing: "missingMethod",
		invalid: "invalidMethod",
		expected: "method must be alibaba.cgame.avatar.video.record.report",
	},
	{
		name: "app_key",
		missing: "missingAppKey",
		invalid: "invalidAppKey",
		expected: "no such app is known here",
	},
	{
		name: "timestamp",
		missing: "missingTimestamp",
		invalid: "invalidTimestamp",
		expected: "timestamp must be yyyy-MM-dd HH:mm:ss in GMT+8, or 13 or 10 digits",
	},
	{ name: "v", missing: "missingVersion", invalid: "invalidVersion", expected: "v must be 2.0" },
	{ name: "format", invalid: "invalidFormat", expected: "format must be json or xml" },
	{
		name: "sign_method",
		missing: "invalidSignature",
		invalid: "invalidSignature",
		expected: "sign_method must be md5, hmac or hmac-sha256",
	},
	{
		name: "sign",
		missing: "missingSignature",
		invalid: "invalidSignature",
		expected: "sign must be 32 or 64 hexadecimal digits in upper case",
	},
	{ name: "simplify", invalid: "invalidRequest", expected: "simplify must be true or false" },
	{ name: "session", invalid: "invalidRequest", expected: "session holds characters that no session has" },
	{
		name: "partner_id",
		invalid: "invalidRequest",
		expected: "partner_id holds characters that no partner id has",
	},
	{ name: "target_app_key", invalid: "invalidRequest", expected: "target_app_key must be digits" },
	{
		name: "request_param",
		invalid: "invalidRequestText",
		expected: "request_param must not end like a session parameter, from which its signature cannot tell it",
	},
];

/** Only a plain word is repeated to the sender: anything else may be a piece of a link. */
const PLAIN_WORD = /^[a-z_]{1,32}$/;

/** The first error of the table that the parameters' grammar shows; `undefined` when there is none. */
export function checkParameters(parameters: ReadonlyMap<string, string>): TopError | undefined {
	for (const { name, missing, invalid, expected } of CHECKS) {
		const value = parameters.get(name);
		if (missing !== undefined && !value) return topError(missing, `${name} is missing`);
		if (value !== undefined && !isParameterValue(name, value)) return topError(invalid, expected);
	}
	for (const name of parameters.keys()) if (!isParameterName(name)) return unknownParameter(name);
	return undefined;
}

function unknownParameter(name: string): TopError {
	const known = PLAIN_WORD.test(name) ? `the parameter ${name}` : "one of the parameters";
	return topError("invalidRequest", `${known} is not one that this method has`);
}
