// EXPERIMENTAL. The signature of Alibaba Cloud's own cloud-gaming SPI as a `Verifier`. The platform's page names the
// parameters; how the text that is signed is built, is inferred (ADR 0036).

import { randomBytes } from "node:crypto";
import type { SignedRequest, Verification, Verifier } from "@reelkeep/core/ports";
import { type AppSecret, readApps } from "./app-secrets.js";
import { hasPlainNames, notAuthentic, readCloudSpiClaim } from "./cloud-spi-claim.js";
import { isSignatureOf, stringToSign } from "./cloud-spi-signature.js";
import { checkUtcTimestamp } from "./timestamp.js";
import { readTolerance, type TopVerifierOptions } from "./verifier.js";

/** Under which name among the headers the HTTP method is handed to the verifier, which is signed; no sender's header can have it. */
export const METHOD_HEADER = ":method";

/**
 * Verifies what an access key of `apps` signed: the HTTP method and every parameter. Experimental: see ADR 0036.
 * *Shape*: the request's `headers` hold the HTTP method as `:method`, as HTTP/2 names it; without it nothing is authentic.
 * A body is not signed, so a request that has one is not authentic.
 * *Order*: what is missing, unknown access key, timestamp, signature, which is computed whatever the access key is.
 * *Promise*: what is signed can be read in one way only. An identical request is authentic again within the tolerance;
 * nonces are remembered by `createCloudSpiHandler`, not here.
 * *Errors*: throws a `TypeError` at once for weak configuration; `verify` never rejects for what a sender wrote.
 */
export function createCloudSpiVerifier(options: TopVerifierOptions): Verifier {
	const apps = readApps(options.apps);
	const toleranceMs = readTolerance(options.clockToleranceMs);
	const decoys: readonly AppSecret[] = [{ id: "decoy", secret: randomBytes(32).toString("hex") }];

	return {
		async verify(request: SignedRequest): Promise<Verification> {
			const claim = readCloudSpiClaim(request.parameters);
			if (claim._tag === "NotAuthentic") return claim;
			const { accessKey, digest, timestamp } = claim;
			const text = signedTextOf(request);
			const secrets = apps.get(accessKey);
			const signer = (secrets ?? decoys).find(({ secret }) => isSignatureOf(digest, secret, text ?? ""));
			if (secrets === undefined) return notAuthentic("unknown-app-key", "no such app is known here");
			const time = checkUtcTimestamp(timestamp, options.clock.now(), toleranceMs);
			if (time._tag === "OutOfTime") return notAuthentic("invalid-timestamp", time.message);
			if (text === undefined || signer === undefined) {
				return notAuthentic("wrong-signature", "signature does not match what was received");
			}
			const receipt = { scheme: "hmac-sha1", secretId: signer.id, clockSkewMs: time.skewMs };
			return { _tag: "Authentic", appKey: accessKey, receipt };
		},
	};
}

/** `undefined`: there is something that the signature does not cover, or that has no one order. */
function signedTextOf({ parameters, headers, body }: SignedRequest): string | undefined {
	const httpMethod = headers.get(METHOD_HEADER);
	if (httpMethod !== "GET" && httpMethod !== "POST") return undefined;
	if (body.length > 0 || !hasPlainNames(parameters)) return undefined;
	return stringToSign(httpMethod, parameters);
}
