// EXPERIMENTAL. Alibaba Cloud's own cloud-gaming SPI: the platform calls a service's URL with parameters that are signed
// as its RPC calls are. What is known of it, and what is inferred, tells ADR 0036.

import { callbackIn, checkCloudSpiParameters, readCloudSpiClaim } from "./cloud-spi-claim.js";
import { METHOD_HEADER } from "./cloud-spi-verifier.js";
import { SPI_STYLE } from "./envelope.js";
import {
	bodyOf,
	createExchange,
	type ExchangeContext,
	NO_BYTES,
	type ParsedForm,
	queryOf,
	type TopHandler,
	type TopHandlerOptions,
	type TopRequest,
} from "./exchange.js";
import { resolveLimits } from "./limits.js";
import { createNonceMemory, type NonceMemory, type NonceVerdict, type UsedNonce } from "./nonce-memory.js";
import { isUrlencodedType, readParameters } from "./parameters.js";
import type { Conclusion, Verdict } from "./report.js";
import { reportCallback, withRequestHash } from "./report-callback.js";
import { answerNotAuthentic, failed, type TopAnswer } from "./status.js";
import { parseUtcTimestamp } from "./timestamp.js";
import { readTolerance } from "./verifier.js";

export interface CloudSpiHandlerOptions extends TopHandlerOptions {
	/**
	 * How long nonces are remembered; give the verifier's, for older requests are refused. *Units*: milliseconds; default
	 * 10 minutes.
	 */
	readonly clockToleranceMs?: number;
}

/**
 * Makes the handler of a service's own URL; its verifier is `createCloudSpiVerifier`'s. Nonces are remembered in this
 * handler alone: another one, another process or a restart knows nothing of them. Throws a `RangeError` for limits that
 * are none, a `TypeError` for such a tolerance.
 */
export function createCloudSpiHandler(options: CloudSpiHandlerOptions): TopHandler {
	const { maxNonces } = resolveLimits(options.limits);
	const nonces = createNonceMemory({ toleranceMs: readTolerance(options.clockToleranceMs), maxNonces });
	return createExchange(options, SPI_STYLE, (request, context) => conclude(request, context, nonces));
}

/** Verb, size and syntax, grammar, signature, nonce, then what the core says. */
async function conclude(
	request: TopRequest,
	context: ExchangeContext,
	nonces: NonceMemory,
): Promise<Conclusion> {
	const { limits, options } = context;
	const { headers } = request;
	const { body, refused: unread } = bodyOf(request, limits);
	if (unread !== undefined) return { ...unread, style: SPI_STYLE };
	const contentType = headers.get("content-type");
	if (!isCovered(body, contentType)) return { ...UNCOVERED_BODY, style: SPI_STYLE };
	const read = await readParameters({ query: queryOf(request.target), contentType, body }, limits);
	if (read._tag === "Malformed") return refuse("Malformed", failed("invalidRequest", read.message));
	const { parameters } = read;
	const error = checkCloudSpiParameters(parameters);
	if (error !== undefined) return refuse("InvalidParameter", { _tag: "Failed", error });
	const signed = { parameters, headers: new Map([...headers, [METHOD_HEADER, request.method]]) };
	const verification = await options.verifier.verify({ ...signed, body: NO_BYTES });
	if (verification._tag === "NotAuthentic") {
		return refuse(verification.reason, answerNotAuthentic(verification.reason, verification.message));
	}
	const { appKey } = verification;
	const nonce = readNonce(parameters, appKey);
	if (nonce === undefined) return { ...NO_NONCE, style: SPI_STYLE, appKey };
	const refused = NONCES[nonces.use(nonce, options.clock.now())];
	if (refused !== undefined) return { ...refused, style: SPI_STYLE, appKey };
	const authentic = withRequestHash(verification, request);
	const report = () => reportCallback(callbackIn(parameters), authentic, request, context);
	const verdict = await settleNonce(nonces, nonce, report);
	return { ...verdict, style: SPI_STYLE, appKey };
}

function refuse(tag: string, answer: TopAnswer): Conclusion {
	return { tag, style: SPI_STYLE, answer };
}

/** Only an urlencoded form is signed, as parameters. What a framework made of another body was not signed either. */
function isCovered(body: Uint8Array | ParsedForm, contentType: string | undefined): boolean {
	return (body instanceof Uint8Array && body.length === 0) || isUrlencodedType(contentType);
}

const UNCOVERED_BODY: Verdict = {
	tag: "UncoveredBody",
	answer: failed(
		"invalidRequest",
		"the signature does not cover this body, so anybody could have written it: " +
			"the callback must be a parameter, in the query or in an urlencoded form",
	),
};

/** A verifier of another kind may let a request pass that has no nonce, or none of ours. */
function readNonce(parameters: ReadonlyMap<string, string>, appKey: string): UsedNonce | undefined {
	const claim = readCloudSpiClaim(parameters);
	const sentAtMs = claim._tag === "Claim" ? parseUtcTimestamp(claim.timestamp) : undefined;
	if (claim._tag !== "Claim" || sentAtMs === undefined) return undefined;
	return { appKey, nonce: claim.nonce, signature: claim.signature, sentAtMs };
}

/** Outcomes that ask for the callback once more. */
const NOT_KEPT: ReadonlySet<string> = new Set(["Unavailable", "RateLimited"]);

/** A sender that signs anew what we did not keep may do so with the nonce that it had. */
async function settleNonce(
	nonces: NonceMemory,
	nonce: UsedNonce,
	report: () => Promise<Verdict>,
): Promise<Verdict> {
	let isKept = false;
	try {
		const verdict = await report();
		isKept = !NOT_KEPT.has(verdict.tag);
		return verdict;
	} finally {
		nonces.settle(nonce, isKept);
	}
}

/** `undefined`: nothing stands in the way. */
const NONCES = {
	first: undefined,
	// The first answer may have been lost on its way; `receive` knows what is kept.
	again: undefined,
	replayed: {
		tag: "ReplayedNonce",
		answer: failed("invalidSignature", "another request had this signatureNonce"),
	},
	full: {
		tag: "NonceMemoryFull",
		answer: failed("unavailable", "too many callbacks within the clock tolerance; send it again"),
	},
	"out-of-time": {
		tag: "invalid-timestamp",
		answer: failed("invalidTimestamp", "timestamp is older than the nonces that are remembered"),
	},
} as const satisfies Record<NonceVerdict, Verdict | undefined>;

const NO_NONCE: Verdict = {
	tag: "wrong-signature",
	answer: failed("invalidSignature", "the request has no signatureNonce that can be remembered"),
};
