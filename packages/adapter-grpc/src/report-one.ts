// One report, from its message to an answer: proved, handed to `receive`, counted. Control flow of both ways to report.

import { hash } from "node:crypto";
import { observe, readTraceparent } from "@reelkeep/core";
import type { EventMetadata, VerificationReceipt } from "@reelkeep/core/ports";
import { type Call, type Caller, toSignedRequest } from "./callers.js";
import type { ReportRecordingRequest } from "./gen/reelkeep/v1/recording_service_pb.js";
import { readReport, signedParameters } from "./read-report.js";
import { type Conclusion, logUnavailable, logUnexpected, refused, reportConclusion } from "./report.js";
import type { ServiceContext } from "./service-context.js";
import {
	answerNotAuthentic,
	answerOutcome,
	INTERNAL_ERROR,
	isFailure,
	MALFORMED,
	OVERLOADED,
	TOO_LARGE,
} from "./status.js";

/** One report and what came with it. */
export interface IncomingReport {
	readonly call: Call;
	readonly caller: Caller;
	/** `undefined`: the bytes are no message. */
	readonly message: ReportRecordingRequest | undefined;
	/** Of the whole request message. */
	readonly bytes: Uint8Array;
	/** TOP's, besides `request_param`. */
	readonly parameters: ReadonlyMap<string, string>;
	readonly requestId: string;
}

/** *Promise*: never rejects; success only when `receive` said that the report is kept. */
export async function reportOne(incoming: IncomingReport, context: ServiceContext): Promise<Conclusion> {
	try {
		const startedAt = context.clock.now();
		const conclusion = await concludeBounded(incoming, context);
		reportConclusion(conclusion, incoming.requestId, startedAt, context);
		return conclusion;
	} catch (error) {
		return unexpected(error, incoming, context);
	}
}

async function concludeBounded(incoming: IncomingReport, context: ServiceContext): Promise<Conclusion> {
	const leave = context.takePlace(incoming.call.connection);
	if (leave === undefined) return refused(OVERLOADED);
	try {
		return await conclude(incoming, context);
	} catch (error) {
		return unexpected(error, incoming, context);
	} finally {
		leave();
	}
}

function unexpected(error: unknown, { requestId }: IncomingReport, { logger }: ServiceContext): Conclusion {
	logUnexpected(error, requestId, logger);
	return refused(INTERNAL_ERROR);
}

async function conclude(incoming: IncomingReport, context: ServiceContext): Promise<Conclusion> {
	const { message, bytes } = incoming;
	// On a server of the user's, that server has a limit of its own.
	if (bytes.length > context.limits.maxMessageBytes) return refused(TOO_LARGE);
	if (message === undefined) return refused(MALFORMED);
	const report = readReport(message);
	if (isFailure(report)) return refused(report);
	let { name: appKey, receipt } = incoming.caller;
	if (context.verifier !== undefined) {
		const parameters = signedParameters(report, incoming.parameters);
		if (isFailure(parameters)) return refused(parameters);
		const verification = await context.verifier.verify(toSignedRequest(incoming.call, parameters));
		if (verification._tag === "NotAuthentic") {
			return refused(answerNotAuthentic(verification.reason, verification.message));
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
	{ requestId, call, bytes }: IncomingReport,
	appKey: string,
	receipt: VerificationReceipt | undefined,
	{ telemetry }: ServiceContext,
): EventMetadata {
	const { secretId = "" } = receipt ?? {};
	if (receipt !== undefined) observe(() => telemetry?.count("reelkeep.grpc.verified", { appKey, secretId }));
	const verification = receipt && { ...receipt, requestSha256: hash("sha256", bytes, "hex") };
	return {
		ingress: "grpc",
		appKey,
		requestId,
		correlationId: requestId,
		...(verification === undefined ? {} : { verification }),
		...readTraceparent(call.headers.get("traceparent")),
	};
}
