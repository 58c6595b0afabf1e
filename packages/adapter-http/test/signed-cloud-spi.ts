// Requests as Alibaba Cloud's own SPI is believed to send them, signed by a second implementation of its rule: over bytes,
// with a table of what is not escaped.

import { createHmac } from "node:crypto";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import type { TopRequest } from "../src/exchange.js";
import { NOW_MS } from "./harness.js";

type Changes = Readonly<Record<string, string | undefined>>;

const UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

function escapeBytes(text: string): string {
	let escaped = "";
	for (const byte of Buffer.from(text)) {
		const character = String.fromCharCode(byte);
		escaped += UNRESERVED.includes(character)
			? character
			: `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
	}
	return escaped;
}

/** The rule as Alibaba Cloud's documents word it for RPC calls, with the name that its signature has there or here. */
function signRpc(httpMethod: string, parameters: Readonly<Record<string, string>>, secret: string): string {
	const pairs = Object.entries(parameters)
		.sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
		.map(([name, value]) => `${escapeBytes(name)}=${escapeBytes(value)}`);
	const text = `${httpMethod}&%2F&${escapeBytes(pairs.join("&"))}`;
	return createHmac("sha1", `${secret}&`).update(text).digest("base64");
}

/** All that is sent, `signature` included; `undefined` leaves a parameter out before it is signed. */
export function signedParameters(
	changes: Changes = {},
	{ secret = TEST_SECRET, httpMethod = "POST" } = {},
): Record<string, string> {
	const parameters: Record<string, string> = {
		action: "SCREEN_RECORDING_CALL_BACK",
		version: "1",
		timestamp: isoSeconds(NOW_MS),
		accessKey: TEST_APP_KEY,
		signatureMethod: "HMAC-SHA1",
		signatureVersion: "1.0",
		signatureNonce: "0123456789abcdef0123456789abcdef",
		format: "JSON",
		request_param: "{}",
	};
	for (const [name, value] of Object.entries(changes)) {
		if (value === undefined) delete parameters[name];
		else parameters[name] = value;
	}
	return { ...parameters, signature: signRpc(httpMethod, parameters, secret) };
}

export function isoSeconds(timeMs: number): string {
	return new Date(timeMs).toISOString().replace(".000", "");
}

const FORM = "application/x-www-form-urlencoded";

/** Everything in the query of a GET, or the public parameters there and the callback in a form. */
export function cloudSpiRequest(sent: Readonly<Record<string, string>>, httpMethod = "POST"): TopRequest {
	const isInForm = (name: string): boolean => httpMethod === "POST" && name === "request_param";
	const text = (isWanted: (name: string) => boolean): string =>
		Object.entries(sent)
			.filter(([name]) => isWanted(name))
			.map(([name, value]) => `${escapeBytes(name)}=${escapeBytes(value)}`)
			.join("&");
	return {
		method: httpMethod,
		target: `/spi?${text((name) => !isInForm(name))}`,
		headers: new Map(httpMethod === "POST" ? [["content-type", FORM]] : []),
		body: Buffer.from(text(isInForm)),
	};
}
