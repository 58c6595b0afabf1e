// What query, form and multipart readers share: how a parameter gets into the map, and what text is.

import { isAscii, isUtf8 } from "node:buffer";
import type { HttpLimits } from "./limits.js";

/** Adds one parameter; returns what is wrong with it, if anything is. */
export type AddParameter = (name: string, value: string) => string | undefined;

export const NOT_UTF8 = "a parameter is not valid UTF-8";

/** Fills `parameters`, each name once and within the limits. */
export function collectInto(parameters: Map<string, string>, limits: HttpLimits): AddParameter {
	return (name, value) => {
		if (name === "") return "a parameter has no name";
		if (name.length > limits.maxNameCharacters) return "a parameter's name is too long";
		if (parameters.has(name)) return "a parameter stands twice";
		if (parameters.size >= limits.maxParameters) return `more than ${limits.maxParameters} parameters`;
		parameters.set(name, value);
		return undefined;
	};
}

/** The text of UTF-8 bytes, a byte order mark included; `undefined` when they are none. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (isAscii(buffer)) return buffer.toString("latin1");
	return isUtf8(buffer) ? buffer.toString("utf8") : undefined;
}
