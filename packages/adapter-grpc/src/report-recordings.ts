// `ReportRecordings`: a stream of reports, and one answer with a result for each.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { status as Code, type handleClientStreamingCall } from "@grpc/grpc-js";
import { headersOf } from "./callers.js";
import type { Received } from "./define-method.js";
import type {
	ReportRecordingsRequest,
	ReportRecordingsResponseSchema,
	ReportResultSchema,
} from "./gen/reelkeep/v1/recording_service_pb.js";
import { identifyOrConclude } from "./identify-call.js";
import { reportOne } from "./report-one.js";
import { toRichStatus, toStatusObject } from "./rich-status.js";
import type { ServiceContext } from "./service-context.js";
import { failed, type GrpcAnswer, type GrpcFailure, STOPPING } from "./status.js";

/** Reports of one stream that are being stored at once: they share syncs, and one stream leaves room for others. */
const REPORTS_AT_ONCE = 32;

/** When the service stops, so long a stream may go on until its sender ends it. */
const DRAIN_TIME_MS = 1_000;

type Result = MessageInitShape<typeof ReportResultSchema>;
type Stream = Parameters<
	handleClientStreamingCall<
		Received<ReportRecordingsRequest>,
		MessageInitShape<typeof ReportRecordingsResponseSchema>
	>
>[0];

export function createReportRecordings(
	context: ServiceContext,
): handleClientStreamingCall<
	Received<ReportRecordingsRequest>,
	MessageInitShape<typeof ReportRecordingsResponseSchema>
> {
	return async (call, callback) => {
		const callId = context.ids.next();
		const caller = await identifyOrConclude(call, "report", callId, context);
		if (caller._tag === "Failed") return callback(toStatusObject(caller, callId));
		const headers = headersOf(call);
		const taken = await takeAll(call, context, async (received) => {
			const requestId = context.ids.next();
			const parameters = new Map(Object.entries(received.message?.topParameters ?? {}));
			const report = { call, headers, caller, received, parameters, requestId };
			const { answer } = await reportOne(report, context);
			return toResult(answer, requestId);
		});
		if ("_tag" in taken) return callback(toStatusObject(taken, callId));
		callback(null, { results: [...taken] });
	};
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
	"too many reports on one stream; its reports may be stored: send all again on several",
);

function toResult(answer: GrpcAnswer, requestId: string): Result {
	return answer._tag === "Kept"
		? { result: { case: "response", value: { outcome: answer.outcome, stream: answer.stream } } }
		: { result: { case: "error", value: toRichStatus(answer, requestId) } };
}
