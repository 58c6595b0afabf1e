// What a request of Alibaba Cloud's cloud-gaming SPI says of itself: the grammar of its public parameters.
// Source: the platform's page "SPI参考" (document 209977), and no more than it says (ADR 0036).

import type { NotAuthenticReason, Verification } from "@reelkeep/core/ports";
import { decodeSignature } from "./cloud-spi-signature.js";
import { isAppKey, isOtherName } from "./public-parameters.js";
import { type TopError, topError } from "./top-error.js";

/** Who says to have signed, when, and with what. Nothing of it is proved. */
export interface CloudSpiClaim {
	readonly _tag: "Claim";
	readonly accessKey: string;
	readonly timestamp: string;
	readonly nonce: string;
	readonly signature: string;
	/** The signature's 20 bytes. */
	readonly digest: Buffer;
}

export type Refusal = Extract<Verification, { readonly _tag: "NotAuthentic" }>;

const ACTION = /^[0-9A-Za-z._-]{1,64}$/;
/** An integer, 1 by default. */
const VERSION = /^[1-9][0-9]{0,8}$/;
/** "8 to 32 characters, made as the sender likes". */
const NONCE = /^[\x21-\x7e]{8,32}$/;

/** *Order*: what is missing (access key, timestamp, signature, method), then what is malformed. */
export function readCloudSpiClaim(parameters: ReadonlyMap<string, string>): CloudSpiClaim | Refusal {
	const accessKey = parameters.get("accessKey");
	if (!accessKey) return notAuthentic("missing-app-key", "accessKey is missing");
	const timestamp = parameters.get("timestamp");
	if (!timestamp) return notAuthentic("missing-timestamp", "timestamp is missing");
	const signature = parameters.get("signature");
	if (!signature) return notAuthentic("missing-signature", "signature is missing");
	if (parameters.get("signatureMethod") !== "HMAC-SHA1" || parameters.get("signatureVersion") !== "1.0") {
		return notAuthentic("unknown-signature-method", METHOD);
	}
	const nonce = parameters.get("signatureNonce");
	if (!nonce) return notAuthentic("missing-signature", "signatureNonce is missing");
	if (!isAppKey(accessKey)) return notAuthentic("unknown-app-key", "no such app is known here");
	if (!NONCE.test(nonce)) return notAuthentic("wrong-signature", "signatureNonce must be 8 to 32 characters");
	const digest = decodeSignature(signature);
	if (digest === undefined) return notAuthentic("wrong-signature", SHAPE);
	return { _tag: "Claim", accessKey, timestamp, nonce, signature, digest };
}

const METHOD = "signatureMethod must be HMAC-SHA1, and signatureVersion 1.0";
const SHAPE =
	"signature must be 28 characters of base64, percent-encoded: a + that is not escaped arrives as a space";

export function notAuthentic(reason: NotAuthenticReason, message: string): Refusal {
	return { _tag: "NotAuthentic", reason, message };
}

/** What is wrong with the parameters that say nothing of the signature; `undefined` when nothing is. */
export function checkCloudSpiParameters(parameters: ReadonlyMap<string, string>): TopError | undefined {
	const action = parameters.get("action");
	if (!action) return topError("missingMethod", "action is missing");
	if (!ACTION.test(action)) return topError("invalidMethod", "action holds characters that no action has");
	const version = parameters.get("version");
	if (!version) return topError("missingVersion", "version is missing");
	if (!VERSION.test(version)) return topError("invalidVersion", "version must be a positive whole number");
	if (parameters.get("format") !== "JSON") return topError("invalidFormat", "format must be JSON");
	return hasPlainNames(parameters) ? undefined : topError("invalidRequest", ODD_NAME);
}

const ODD_NAME = "a parameter's name must be a letter or _, followed by letters, digits and ._-";

/** What is the protocol's own, and no member of a callback; `action` and `version` are both. */
const NO_MEMBERS: ReadonlySet<string> = new Set([
	"accessKey",
	"format",
	"signature",
	"signatureMethod",
	"signatureNonce",
	"signatureVersion",
	"timestamp",
]);

/**
 * The callback in signed parameters: `request_param`, as everywhere else; where there is none, the parameters are its
 * members (inferred: a callback has `action` and `version`, which are the SPI's own public parameters).
 * *Shape*: JSON text; of members always the same for the same parameters, their values texts as they came.
 */
export function callbackIn(parameters: ReadonlyMap<string, string>): string {
	const requestParam = parameters.get("request_param");
	if (requestParam !== undefined) return requestParam;
	const members = [...parameters].filter(([name]) => !NO_MEMBERS.has(name));
	const pairs = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
	return `{${pairs.sort().join(",")}}`;
}

/** Names in which percent-encoding changes nothing: they have one order, whoever sorts them. */
export function hasPlainNames(parameters: ReadonlyMap<string, string>): boolean {
	for (const name of parameters.keys()) if (!isOtherName(name)) return false;
	return true;
}
