// What a framework's body parser left of a body: the fields of a form, or its text.

import type { IncomingMessage } from "node:http";
import type { ParsedForm } from "./exchange.js";
import { isFormType } from "./parameters.js";

/** `body` as the fields of a form; `undefined`: it is none, or nobody has parsed this request's body yet (ADR 0014). */
export function parsedForm(request: IncomingMessage, body: unknown): ParsedForm | undefined {
	// Until a parser has read the stream to its end, what stands in `body` is not this body; nor is an empty object.
	if (!request.readableEnded || typeof body !== "object" || body === null) return undefined;
	// A JSON object is no form: its text was signed, not its members.
	const isForm = isFormType(request.headers["content-type"]) && Object.keys(body).length > 0;
	return isForm ? { fields: body as ParsedForm["fields"] } : undefined;
}

/**
 * The bytes of a body that a parser kept as text. `undefined` unless they are as many as the sender said: decoding may
 * have dropped a byte order mark, or replaced what is no UTF-8.
 */
export function bytesOfText(request: IncomingMessage, text: unknown): Uint8Array | undefined {
	if (typeof text !== "string" || text === "") return undefined;
	const bytes = Buffer.from(text);
	return bytes.length === Number(request.headers["content-length"]) ? bytes : undefined;
}
