// What is found out about one request's signature.

import type { SuspicionTag } from "./signature-suspicions.js";

/** *Shape*: the message is one line for people; it holds no secret, no sign and nothing that a parameter holds. */
export interface SignatureFinding {
	readonly _tag: SignatureFindingTag;
	/** `problem`: because of this the request is refused, whatever else is right. */
	readonly severity: "ok" | "note" | "problem";
	readonly message: string;
}

/** Stable within a major version. */
export type SignatureFindingTag =
	| "signature-matches"
	| "signature-matches-once-mended"
	| "timestamp-in-time"
	| "sender-zone"
	| "unreadable-request"
	| "malformed-request"
	| "missing-app-key"
	| "unknown-app-key"
	| "missing-sign"
	| "sign-not-hexadecimal"
	| "sign-not-upper-case"
	| "missing-sign-method"
	| "unknown-sign-method"
	| "other-sign-method"
	| "missing-timestamp"
	| "malformed-timestamp"
	| "timestamp-off"
	| "invalid-parameter"
	| "missing-request-param"
	| "other-reading"
	| "other-secret"
	| "wrapped-secret"
	| "unexplained"
	| SuspicionTag;

export function problem(_tag: SignatureFindingTag, message: string): SignatureFinding {
	return { _tag, severity: "problem", message };
}

export function note(_tag: SignatureFindingTag, message: string): SignatureFinding {
	return { _tag, severity: "note", message };
}

export function ok(_tag: SignatureFindingTag, message: string): SignatureFinding {
	return { _tag, severity: "ok", message };
}
