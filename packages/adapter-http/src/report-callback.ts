// From an authentic request to `receive`, and back: what is told of the request with each callback in it.

import { observe, readTraceparent } from "@reelkeep/core";
import type { EventMetadata, Verification } from "@reelkeep/core/ports";
import { type ExchangeContext, requestSha256, type TopRequest } from "./exchange.js";
import { logUnavailable, type Verdict } from "./report.js";
import { answerOutcome, failed } from "./status.js";

export type Authentic = Extract<Verification, { readonly _tag: "Authentic" }>;

/** White space alone is none. */
export function hasRequestParam(requestParam: string | undefined): requestParam is string {
	return requestParam !== undefined && requestParam.trim() !== "";
}

/** Adds to the receipt which raw bytes were proved. */
export function withRequestHash(authentic: Authentic, request: TopRequest): Authentic {
	const sha256 = requestSha256(request);
	if (sha256 === undefined) return authentic;
	return { ...authentic, receipt: { ...authentic.receipt, requestSha256: sha256 } };
}

/** Without a `request_param` nothing is reported. *Errors*: rejects when `receive` breaks its promise. */
export async function reportCallback(
	requestParam: string | undefined,
	{ appKey, receipt }: Authentic,
	{ headers }: TopRequest,
	{ requestId, options }: ExchangeContext,
): Promise<Verdict> {
	if (!hasRequestParam(requestParam)) {
		return { tag: "MissingRequestParam", answer: failed("missingRequestParam", "request_param is missing") };
	}
	const { secretId = "" } = receipt;
	observe(() => options.telemetry?.count("reelkeep.http.verified", { appKey, secretId }));
	const metadata: EventMetadata = {
		ingress: "http",
		appKey,
		requestId,
		correlationId: requestId,
		verification: receipt,
		...readTraceparent(headers.get("traceparent")),
	};
	const outcome = await options.receive({ requestParam, appKey, metadata });
	if (outcome._tag === "Unavailable") logUnavailable(outcome.message, requestId, options.logger);
	return { tag: outcome._tag, answer: answerOutcome(outcome) };
}
