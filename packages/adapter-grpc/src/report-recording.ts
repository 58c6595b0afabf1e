// `ReportRecording`: one report, one answer.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { handleUnaryCall } from "@grpc/grpc-js";
import { headersOf } from "./callers.js";
import type { Received } from "./define-method.js";
import type {
	ReportRecordingRequest,
	ReportRecordingResponseSchema,
} from "./gen/reelkeep/v1/recording_service_pb.js";
import { identifyOrConclude } from "./identify-call.js";
import { parametersOf } from "./read-report.js";
import { reportOne } from "./report-one.js";
import { toStatusObject } from "./rich-status.js";
import type { ServiceContext } from "./service-context.js";

/**
 * *Promise*: OK leaves only after the report is durable. A deadline that passes is answered by @grpc/grpc-js; the append
 * under way is completed all the same.
 */
export function createReportRecording(
	context: ServiceContext,
): handleUnaryCall<Received<ReportRecordingRequest>, MessageInitShape<typeof ReportRecordingResponseSchema>> {
	return async (call, callback) => {
		if (call.cancelled) return;
		const requestId = context.ids.next();
		const caller = await identifyOrConclude(call, "report", requestId, context);
		if (caller._tag === "Failed") return callback(toStatusObject(caller, requestId));
		const headers = headersOf(call);
		const { answer } = await reportOne(
			{ call, headers, caller, received: call.request, parameters: parametersOf(headers), requestId },
			context,
		);
		if (answer._tag === "Failed") return callback(toStatusObject(answer, requestId));
		callback(null, { outcome: answer.outcome, stream: answer.stream });
	};
}
