// The TOP gateway's signature as a `Verifier`: of calls, and of batches, whose raw body is signed behind the
// parameters. Also usable by another ingress whose senders sign the same way.

import { randomBytes } from "node:crypto";
import type { Clock, NotAuthenticReason, SignedRequest, Verification, Verifier } from "@reelkeep/core/ports";
import { type AppSecret, type Apps, readApps } from "./app-secrets.js";
import { isReading } from "./reading.js";
import { coveredParameters, isSignMethod, type SignMethod } from "./signature.js";
import { checkTimestamp, DEFAULT_CLOCK_TOLERANCE_MS } from "./timestamp.js";

export interface TopVerifierOptions {
	readonly apps: Apps;
	readonly clock: Clock;
	/** How far a timestamp may be off, either way. *Units*: milliseconds; default 10 minutes. */
	readonly clockToleranceMs?: number;
}

/**
 * Verifies what an app signed with its secret: the parameters of a call, or those of a batch and its raw body.
 * *Order*: what is missing (app key, timestamp, sign, sign method), unknown app key, timestamp, signature. The
 * signature is computed whatever the app key is, so that an unknown one costs what a known one does.
 * *Promise*: all accepted readings of a signed text mean the same (`reading.ts`); an identical request is authentic
 * again within the tolerance, because SDKs re-send.
 * *Errors*: throws a `TypeError` at once for weak configuration; `verify` never rejects for what a sender wrote.
 * *Source*: docs/top-protocol.md §2.
 */
export function createTopVerifier(options: TopVerifierOptions): Verifier {
	return createSignatureVerifier(options, {
		readMethod: (parameters) => {
			const method = parameters.get("sign_method");
			return method !== undefined && isSignMethod(method) ? method : undefined;
		},
		coveredBy: ({ parameters }) => parameters,
		isOnlyReading: (parameters, body) =>
			body.length === 0
				? hasAll(parameters, ["method", "v", "sign_method"]) && isReading(parameters, "none")
				: hasAll(parameters, ["v", "sign_method"]) && isReading(parameters, "batch") && !holdsBrace(body),
	});
}

/** What differs between the directions of the protocol. */
export interface SignatureRules {
	/** `undefined`: none that we know. */
	readMethod(parameters: ReadonlyMap<string, string>): SignMethod | undefined;
	/** Everything that is signed before the raw body; `undefined`: two things of one name. */
	coveredBy(request: SignedRequest): ReadonlyMap<string, string> | undefined;
	/** Whether what was signed can be read in this way only. */
	isOnlyReading(covered: ReadonlyMap<string, string>, body: Uint8Array): boolean;
}

/** *Errors*: throws a `TypeError` for weak configuration. */
export function createSignatureVerifier(options: TopVerifierOptions, rules: SignatureRules): Verifier {
	const apps = readApps(options.apps);
	const toleranceMs = readTolerance(options.clockToleranceMs);
	const decoys: readonly AppSecret[] = [{ id: "decoy", secret: randomBytes(32).toString("hex") }];

	return {
		async verify(request: SignedRequest): Promise<Verification> {
			const claim = readClaim(request.parameters, rules);
			if (claim._tag === "NotAuthentic") return claim;
			const { appKey, method, sign, timestamp } = claim;
			const secrets = apps.get(appKey);
			const proof = prove(secrets ?? decoys, method, sign, rules.coveredBy(request), request.body);
			if (secrets === undefined) return refuse("unknown-app-key", "no such app is known here");
			const time = checkTimestamp(timestamp, options.clock.now(), toleranceMs);
			if (time._tag === "OutOfTime") return refuse("invalid-timestamp", time.message);
			if (proof === undefined || !rules.isOnlyReading(proof.covered, request.body)) {
				return refuse("wrong-signature", "sign does not match what was received");
			}
			const receipt = { scheme: method, secretId: proof.secretId, clockSkewMs: time.skewMs };
			return { _tag: "Authentic", appKey, receipt };
		},
	};
}

interface Proof {
	readonly secretId: string;
	readonly covered: ReadonlyMap<string, string>;
}

function prove(
	secrets: readonly AppSecret[],
	method: SignMethod,
	sign: string,
	parameters: ReadonlyMap<string, string> | undefined,
	body: Uint8Array,
): Proof | undefined {
	if (parameters === undefined) return undefined;
	for (const { id, secret } of secrets) {
		const covered = coveredParameters({ parameters, body }, method, secret, sign);
		if (covered !== undefined) return { secretId: id, covered };
	}
	return undefined;
}

/** Urlencoded calls hold none, a JSON document always does: so neither can be taken for the other. */
function holdsBrace(body: Uint8Array): boolean {
	return body.includes(0x7b) || body.includes(0x7d);
}

function hasAll(parameters: ReadonlyMap<string, string>, names: readonly string[]): boolean {
	return names.every((name) => parameters.has(name));
}

interface Claim {
	readonly _tag: "Claim";
	readonly appKey: string;
	readonly timestamp: string;
	readonly method: SignMethod;
	readonly sign: string;
}

type Refusal = Extract<Verification, { readonly _tag: "NotAuthentic" }>;

function readClaim(parameters: ReadonlyMap<string, string>, rules: SignatureRules): Claim | Refusal {
	const appKey = parameters.get("app_key");
	if (!appKey) return refuse("missing-app-key", "app_key is missing");
	const timestamp = parameters.get("timestamp");
	if (!timestamp) return refuse("missing-timestamp", "timestamp is missing");
	const sign = parameters.get("sign");
	if (!sign) return refuse("missing-signature", "sign is missing");
	const method = rules.readMethod(parameters);
	if (method === undefined) {
		return refuse("unknown-signature-method", "sign_method must be md5, hmac or hmac-sha256");
	}
	return { _tag: "Claim", appKey, timestamp, method, sign };
}

function refuse(reason: NotAuthenticReason, message: string): Refusal {
	return { _tag: "NotAuthentic", reason, message };
}

/** Throws a `TypeError`. */
export function readTolerance(toleranceMs: number = DEFAULT_CLOCK_TOLERANCE_MS): number {
	if (Number.isFinite(toleranceMs) && toleranceMs > 0) return toleranceMs;
	throw new TypeError("clockToleranceMs must be a positive number of milliseconds");
}
