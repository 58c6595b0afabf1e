// One report, from its message to an answer: proved, handed to `receive`, counted. Control flow of both ways to report.

import { hash } from "node:crypto";
import { observe, readTraceparent } from "@reelkeep/core";
import type { EventMetadata, VerificationReceipt } from "@reelkeep/core/ports";
import { type Call, type Caller, toSignedRequest } from "./callers.js";
import type { Received } from "./define-method.js";
import type {
	ReportRecordingRequest,
	ReportRecordingsRequest,
} from "./gen/reelkeep/v1/recording_service_pb.js";
import { NO_MESSAGE, readReport, signedParameters } from "./read-report.js";
import { type Conclusion, logUnavailable, logUnexpected, reportConclusion } from "./report.js";
import type { ServiceContext } from "./service-context.js";
import { answerNotAuthentic, answerOutcome, INTERNAL_ERROR, OVERLOADED, TOO_LARGE } from "./status.js";

/** One report and what came with it. */
export interface IncomingReport {
	readonly call: Call & { getPeer(): string };
	readonly headers: ReadonlyMap<string, string>;
	readonly caller: Caller;
	readonly received: Received<ReportRecordingRequest | ReportRecordingsRequest>;
	/** TOP's, besides `request_param`. */
	readonly parameters: ReadonlyMap<string, string>;
	readonly requestId: string;
}

/** *Promise*: never rejects; success only when `receive` said that the report is kept. */
export async function reportOne(incoming: IncomingReport, context: ServiceContext): Promise<Conclusion> {
	const startedAt = context.clock.now();
	const conclusion = await concludeBounded(incoming, context);
	reportConclusion(conclusion, incoming.requestId, startedAt, context);
	return conclusion;
}

async function concludeBounded(incoming: IncomingReport, context: ServiceContext): Promise<Conclusion> {
	const leave = context.inFlight.begin(incoming.call.getPeer());
	if (leave === undefined) return { tag: "overloaded", answer: OVERLOADED };
	try {
		return await conclude(incoming, context);
	} catch (error) {
		logUnexpected(error, incoming.requestId, context.logger);
		return { tag: "InternalError", answer: INTERNAL_ERROR };
	} finally {
		leave();
	}
}

async function conclude(incoming: IncomingReport, context: ServiceContext): Promise<Conclusion> {
	const { message, bytes } = incoming.received;
	// On a server of the user's, that server has a limit of its own.
	if (bytes.length > context.limits.maxMessageBytes) return { tag: "too-large", answer: TOO_LARGE };
	if (message === undefined) return { tag: "Malformed", answer: NO_MESSAGE };
	const report = readReport(message);
	if (report._tag === "Failed") return { tag: "Missing", answer: report };
	let { name: appKey, receipt } = incoming.caller;
	if (context.verifier !== undefined) {
		const parameters = signedParameters(report, incoming.parameters);
		if ("_tag" in parameters) return { tag: "unsigned", answer: parameters };
		const verification = await context.verifier.verify(toSignedRequest(incoming.call, parameters));
		if (verification._tag === "NotAuthentic") {
			const { reason } = verification;
			return { tag: reason, answer: answerNotAuthentic(reason, verification.message) };
		}
		({ appKey, receipt } = verification);
	}
	const { requestParam } = report;
	const outcome = await context.receive({
		requestParam,
		appKey,
		metadata: metadataOf(incoming, appKey, receipt, context),
	});
	if (outcome._tag === "Unavailable") logUnavailable(outcome.message, incoming.requestId, context.logger);
	return { tag: outcome._tag, answer: answerOutcome(outcome), appKey };
}

function metadataOf(
	{ requestId, headers, received }: IncomingReport,
	appKey: string,
	receipt: VerificationReceipt | undefined,
	{ telemetry }: ServiceContext,
): EventMetadata {
	const { secretId = "" } = receipt ?? {};
	if (receipt !== undefined) observe(() => telemetry?.count("reelkeep.grpc.verified", { appKey, secretId }));
	const verification = receipt && { ...receipt, requestSha256: hash("sha256", received.bytes, "hex") };
	return {
		ingress: "grpc",
		appKey,
		requestId,
		correlationId: requestId,
		...(verification === undefined ? {} : { verification }),
		...readTraceparent(headers.get("traceparent")),
	};
}
