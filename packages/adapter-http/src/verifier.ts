// The TOP gateway's signature as a `Verifier`: also usable by another ingress whose senders sign the same way.

import { randomBytes } from "node:crypto";
import type { Clock, NotAuthenticReason, SignedRequest, Verification, Verifier } from "@reelkeep/core/ports";
import { type Apps, type KnownSecret, readApps } from "./app-secrets.js";
import { isOnlyReading } from "./public-parameters.js";
import { isSignMethod, matchesSignature, type SignMethod } from "./signature.js";
import { checkTimestamp, DEFAULT_CLOCK_TOLERANCE_MS } from "./timestamp.js";

export interface TopVerifierOptions {
	readonly apps: Apps;
	readonly clock: Clock;
	/** How far a timestamp may be off, either way. *Units*: milliseconds; default 10 minutes. */
	readonly clockToleranceMs?: number;
}

/**
 * Verifies what an app signed with its secret.
 * *Order*: what is missing (app key, timestamp, sign, sign method), unknown app key, timestamp, signature. The
 * signature is computed whatever the app key is, so that an unknown one costs what a known one does.
 * *Promise*: only the one reading of a signed text is authentic (`public-parameters.ts`); an identical request is
 * authentic again within the tolerance, because SDKs re-send.
 * *Errors*: throws a `TypeError` at once for weak configuration; `verify` never rejects for what a sender wrote.
 * *Source*: docs/top-protocol.md §2.
 */
export function createTopVerifier(options: TopVerifierOptions): Verifier {
	const apps = readApps(options.apps);
	const toleranceMs = readTolerance(options.clockToleranceMs);
	const decoys: readonly KnownSecret[] = [{ secret: randomBytes(32).toString("hex") }];

	return {
		async verify(request: SignedRequest): Promise<Verification> {
			const claim = readClaim(request.parameters);
			if (claim._tag === "NotAuthentic") return claim;
			const { appKey, method, sign, timestamp } = claim;
			const secrets = apps.get(appKey);
			const secret = (secrets ?? decoys).find((one) => matchesSignature(request, method, one.secret, sign));
			if (secrets === undefined) return refuse("unknown-app-key", "no such app is known here");
			const time = checkTimestamp(timestamp, options.clock.now(), toleranceMs);
			if (time._tag === "OutOfTime") return refuse("invalid-timestamp", time.message);
			if (secret === undefined || !isCallback(request)) {
				return refuse("wrong-signature", "sign does not match what was received");
			}
			const named = secret.id === undefined ? {} : { secretId: secret.id };
			return { _tag: "Authentic", appKey, receipt: { scheme: method, ...named, clockSkewMs: time.skewMs } };
		},
	};
}

/** A signed raw body belongs to batches: behind a callback's parameters it would be one more boundary to move. */
function isCallback({ parameters, body }: SignedRequest): boolean {
	return body.length === 0 && isOnlyReading(parameters);
}

interface Claim {
	readonly _tag: "Claim";
	readonly appKey: string;
	readonly timestamp: string;
	readonly method: SignMethod;
	readonly sign: string;
}

type Refusal = Extract<Verification, { readonly _tag: "NotAuthentic" }>;

function readClaim(parameters: ReadonlyMap<string, string>): Claim | Refusal {
	const appKey = parameters.get("app_key");
	if (!appKey) return refuse("missing-app-key", "app_key is missing");
	const timestamp = parameters.get("timestamp");
	if (!timestamp) return refuse("missing-timestamp", "timestamp is missing");
	const sign = parameters.get("sign");
	if (!sign) return refuse("missing-signature", "sign is missing");
	const method = parameters.get("sign_method");
	if (method === undefined || !isSignMethod(method)) {
		return refuse("unknown-signature-method", "sign_method must be md5, hmac or hmac-sha256");
	}
	return { _tag: "Claim", appKey, timestamp, method, sign };
}

function refuse(reason: NotAuthenticReason, message: string): Refusal {
	return { _tag: "NotAuthentic", reason, message };
}

function readTolerance(toleranceMs: number = DEFAULT_CLOCK_TOLERANCE_MS): number {
	if (Number.isFinite(toleranceMs) && toleranceMs > 0) return toleranceMs;
	throw new TypeError("clockToleranceMs must be a positive number of milliseconds");
}
