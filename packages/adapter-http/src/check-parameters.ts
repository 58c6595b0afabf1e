// What is wrong with a request before its signature is looked at, in the order of the gateway's table.

import { isOtherName, isParameterName, isParameterValue, type ParameterName } from "./public-parameters.js";
import { findOtherReading, type RawBody } from "./reading.js";
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
		expected: "request_param must not end like another parameter, from which its signature cannot tell it",
	},
];

/** The public parameters that a kind of request may lack, though others must have them. */
const MAY_LACK: Readonly<Record<RequestKind, readonly ParameterName[]>> = {
	call: [],
	// Each of its calls names its own, or all share one.
	batch: ["method"],
	spi: ["v", "sign_method"],
};

/** What a request is, by the path that it came to. */
export type RequestKind = "call" | "batch" | "spi";

/** The first error of the table that the parameters' grammar shows; `undefined` when there is none. */
export function checkParameters(
	parameters: ReadonlyMap<string, string>,
	kind: RequestKind = "call",
	rawBody: RawBody = "none",
): TopError | undefined {
	for (const { name, missing, invalid, expected } of CHECKS) {
		const value = parameters.get(name);
		const isRequired = missing !== undefined && !MAY_LACK[kind].includes(name);
		if (isRequired && !value) return topError(missing, `${name} is missing`);
		if (value && !isParameterValue(name, value)) return topError(invalid, expected);
	}
	for (const name of parameters.keys()) {
		if (!isParameterName(name) && !isOtherName(name)) return topError("invalidRequest", ODD_NAME);
	}
	const other = findOtherReading(parameters, rawBody);
	return other === undefined ? undefined : topError("invalidRequest", other);
}

const ODD_NAME = "a parameter's name must be a letter or _, followed by letters, digits and ._-";
