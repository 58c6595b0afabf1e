// The signature of TOP's SPI direction, in which the platform calls a service's own URL: headers that `top-sign-list`
// names, query and form, then the raw body (docs/top-protocol.md §5).

import type { SignedRequest, Verifier } from "@reelkeep/core/ports";
import { objectEnd } from "./object-end.js";
import { decodeUtf8 } from "./parameter-collector.js";
import { isParameterName } from "./public-parameters.js";
import { isReading } from "./reading.js";
import { isSignMethod } from "./signature.js";
import { createSignatureVerifier, type TopVerifierOptions } from "./verifier.js";

export interface SpiVerifierOptions extends TopVerifierOptions {
	/**
	 * Headers that may take part in the signature; of those that `top-sign-list` names, others are left out, so that a
	 * request that signs them is refused. Default: `x-top-trace`, the only one that was seen.
	 */
	readonly signedHeaders?: readonly string[];
}

export const DEFAULT_SIGNED_HEADERS: readonly string[] = ["x-top-trace"];
/** Names in `top-sign-list`; more are not read. */
const MAX_SIGNED_HEADERS = 16;

/**
 * As `createTopVerifier`, for the SPI direction: MD5 unless `sign_method` says otherwise. A body that is not a form is
 * JSON, one object, and signed as it came.
 * *Source*: docs/top-protocol.md §5; what is inferred there is inferred here.
 */
export function createSpiVerifier(options: SpiVerifierOptions): Verifier {
	const ours = readSignedHeaders(options.signedHeaders);
	return createSignatureVerifier(options, {
		readMethod: (parameters) => {
			const method = parameters.get("sign_method") || "md5";
			return isSignMethod(method) ? method : undefined;
		},
		coveredBy: (request) => withHeaders(request, ours),
		isOnlyReading: (covered, body) =>
			covered.has("method") &&
			(body.length === 0 ? isReading(covered, "none") : isJsonDocument(body) && isReading(covered, "json")),
	});
}

/** The names in lower case. Throws a `TypeError` for one that a parameter has. */
export function readSignedHeaders(names: readonly string[] = DEFAULT_SIGNED_HEADERS): ReadonlySet<string> {
	const ours = new Set(names.map((name) => name.toLowerCase()));
	for (const name of ours) {
		if (isParameterName(name))
			throw new TypeError(`${name} is a parameter; a header of that name cannot be signed`);
	}
	return ours;
}

/** Names are signed as the list writes them; of those that are not ours, nothing. `undefined`: two things of one name. */
function withHeaders(
	{ parameters, headers }: SignedRequest,
	ours: ReadonlySet<string>,
): ReadonlyMap<string, string> | undefined {
	const listed = readSignList(headers);
	if (listed.length === 0) return parameters;
	const covered = new Map(parameters);
	for (const { name, value } of listed) {
		if (!ours.has(name.toLowerCase())) continue;
		if (value === undefined || covered.has(name)) return undefined;
		covered.set(name, value);
	}
	return covered;
}

/** A header that `top-sign-list` names, as it writes it. */
export interface ListedHeader {
	readonly name: string;
	/** Url-decoded; empty when there is no such header; `undefined` when it cannot be decoded. */
	readonly value: string | undefined;
}

/** What the platform says that it signed besides query and form; whether we believe it is another matter. */
export function readSignList(headers: ReadonlyMap<string, string>): readonly ListedHeader[] {
	const list = headers.get("top-sign-list") ?? "";
	return list
		.split(",", MAX_SIGNED_HEADERS)
		.map((listed) => listed.trim())
		.filter((name) => name !== "")
		.map((name) => ({ name, value: decodeHeader(headers.get(name.toLowerCase()) ?? "") }));
}

function decodeHeader(value: string): string | undefined {
	try {
		return decodeURIComponent(value.replaceAll("+", " "));
	} catch {
		return undefined;
	}
}

/** Whether a raw body is one JSON object in UTF-8, as far as its braces tell, and white space. */
export function isJsonDocument(body: Uint8Array): boolean {
	const text = decodeUtf8(body);
	const end = text === undefined ? undefined : objectEnd(text);
	return end !== undefined && text?.slice(end).trim() === "";
}
