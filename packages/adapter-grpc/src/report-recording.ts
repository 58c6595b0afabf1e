// `ReportRecording`: one report, one answer.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { handleUnaryCall } from "@grpc/grpc-js";
import { answerCall } from "./answer-call.js";
import { readCall } from "./callers.js";
import type { Received } from "./define-method.js";
import type {
	ReportRecordingRequest,
	ReportRecordingResponseSchema,
} from "./gen/reelkeep/v1/recording_service_pb.js";
import { identifyOrConclude } from "./identify-call.js";
import { parametersOf } from "./read-report.js";
import { reportOne } from "./report-one.js";
import type { ServiceContext } from "./service-context.js";
import { isFailure } from "./status.js";

type Response = MessageInitShape<typeof ReportRecordingResponseSchema>;
type Handler = handleUnaryCall<Received<ReportRecordingRequest>, Response>;

/**
 * *Promise*: OK leaves only after the report is durable. A deadline that passes is answered by @grpc/grpc-js; the append
 * under way is completed all the same.
 */
export function createReportRecording(context: ServiceContext): Handler {
	return answerCall<Parameters<Handler>[0], Response>(context, async (wireCall, requestId) => {
		const call = readCall(wireCall);
		const caller = await identifyOrConclude(call, "report", requestId, context);
		if (isFailure(caller)) return caller;
		const parameters = parametersOf(call.headers);
		const { answer } = await reportOne({ ...wireCall.request, call, caller, parameters, requestId }, context);
		return isFailure(answer) ? answer : { outcome: answer.outcome, stream: answer.stream };
	});
}
