// `ReportRecordings`: a stream of reports, and one answer with a result for each.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { status as Code, type handleClientStreamingCall } from "@grpc/grpc-js";
import { answerCall } from "./answer-call.js";
import { readCall } from "./callers.js";
import type { Received } from "./define-method.js";
import {
	ReportRecordingRequestSchema,
	type ReportRecordingsRequest,
	type ReportRecordingsResponseSchema,
	type ReportResultSchema,
} from "./gen/reelkeep/v1/recording_service_pb.js";
import { identifyOrConclude } from "./identify-call.js";
import { logUnexpected, refused, reportConclusion } from "./report.js";
import { type IncomingReport, reportOne } from "./report-one.js";
import { toRichStatus } from "./rich-status.js";
import type { ServiceContext } from "./service-context.js";
import { failed, type GrpcAnswer, type GrpcFailure, INTERNAL_ERROR, isFailure, STOPPING } from "./status.js";

/** Reports of one stream that are being stored at once: they share syncs, and one stream leaves room for others. */
const REPORTS_AT_ONCE = 32;

/** When the service stops, so long a stream may go on until its sender ends it. */
const DRAIN_TIME_MS = 1_000;

type Result = MessageInitShape<typeof ReportResultSchema>;
type Response = MessageInitShape<typeof ReportRecordingsResponseSchema>;
type Handler = handleClientStreamingCall<Received<ReportRecordingsRequest>, Response>;
type Stream = Parameters<Handler>[0];

export function createReportRecordings(context: ServiceContext): Handler {
	return answerCall<Stream, Response>(context, async (stream, callId) => {
		const call = readCall(stream);
		const caller = await identifyOrConclude(call, "report", callId, context);
		if (isFailure(caller)) return caller;
		const startedAt = context.clock.now();
		const taken = await takeAll(stream, context, (received) =>
			takeOne({ ...received, call, caller }, context),
		);
		if (!isFailure(taken)) return { results: [...taken] };
		reportConclusion({ ...refused(taken), appKey: caller.name }, callId, startedAt, context);
		return taken;
	});
}

/** *Promise*: never rejects. */
async function takeOne(
	{ message, ...others }: Received<ReportRecordingsRequest> & Pick<IncomingReport, "call" | "caller">,
	context: ServiceContext,
): Promise<Result> {
	let requestId = "";
	try {
		requestId = context.ids.next();
	} catch (error) {
		logUnexpected(error, requestId, context.logger);
		return toResult(INTERNAL_ERROR, requestId);
	}
	const parameters = new Map(Object.entries(message?.topParameters ?? {}));
	const report = message && (message.report ?? create(ReportRecordingRequestSchema));
	const { answer } = await reportOne({ ...others, message: report, parameters, requestId }, context);
	return toResult(answer, requestId);
}

/** The results in the order of the reports; a failure of the whole stream. Reads no faster than reports are stored. */
async function takeAll(
	call: Stream,
	context: ServiceContext,
	take: (received: Received<ReportRecordingsRequest>) => Promise<Result>,
): Promise<readonly Result[] | GrpcFailure> {
	const results: Promise<Result>[] = [];
	const failure = await readAll(call, context, async (received) => {
		const taking = take(received);
		results.push(taking);
		await taking;
	});
	return failure ?? Promise.all(results);
}

/** `undefined`: the stream has ended, and all of it is taken or being taken. */
async function readAll(
	call: Stream,
	{ limits, stopping, clock }: ServiceContext,
	take: (received: Received<ReportRecordingsRequest>) => Promise<void>,
): Promise<GrpcFailure | undefined> {
	const underWay = new Set<Promise<void>>();
	let count = 0;
	const over = new AbortController();
	const leave = (): void => void call.destroy();
	const stop = (): void => void clock.sleep(DRAIN_TIME_MS, over.signal).then(leave);
	stopping.addEventListener("abort", stop, { once: true });
	call.once("cancelled", leave);
	try {
		if (stopping.aborted) return STOPPING;
		for await (const received of call) {
			if (count >= limits.maxReportsPerStream) return TOO_MANY;
			count += 1;
			const taking = take(received).finally(() => underWay.delete(taking));
			underWay.add(taking);
			if (underWay.size >= REPORTS_AT_ONCE) await Promise.race(underWay);
		}
		return undefined;
	} catch {
		// Destroyed: by its sender, or because the service stops. What is under way is completed.
		return STOPPING;
	} finally {
		over.abort("over");
		stopping.removeEventListener("abort", stop);
	}
}

const TOO_MANY: GrpcFailure = failed(
	Code.RESOURCE_EXHAUSTED,
	"TOO_MANY_REPORTS",
	"too many reports on one stream; its reports may be stored: send all again on several",
);

function toResult(answer: GrpcAnswer, requestId: string): Result {
	return answer._tag === "Kept"
		? { result: { case: "response", value: { outcome: answer.outcome, stream: answer.stream } } }
		: { result: { case: "error", value: toRichStatus(answer, requestId) } };
}
