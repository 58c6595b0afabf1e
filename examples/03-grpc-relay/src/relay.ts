// `receive`, but by another Reelkeep: one gRPC call for each report, and its status back as an outcome.

import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ChannelCredentials, Client, status as Code, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
	BadRequestSchema,
	ReportOutcome,
	type ReportRecordingResponse,
	recordingService,
	StatusSchema,
} from "@reelkeep/adapter-grpc/v1";
import type { Receive, ReceiveOutcome, Report } from "@reelkeep/core/ports";

/** Below the 15 s that senders wait. */
const DEADLINE_MS = 10_000;

export function createRelay(target: string, channel: ChannelCredentials, token: string) {
	const client = new Client(target, channel);
	const { path, requestSerialize, responseDeserialize } = recordingService.ReportRecording;
	const receive: Receive = ({ requestParam, metadata }) =>
		new Promise((resolve) => {
			const request = { report: { case: "requestParam" as const, value: Buffer.from(requestParam) } };
			const options = { deadline: Date.now() + DEADLINE_MS };
			const headers = headersOf(token, metadata);
			client.makeUnaryRequest(
				path,
				requestSerialize,
				responseDeserialize,
				request,
				headers,
				options,
				(error, response) => resolve(response === undefined ? fromError(error) : fromResponse(response)),
			);
		});
	return { receive, close: () => client.close() };
}

function headersOf(token: string, { traceparent }: Report["metadata"]): Metadata {
	const headers = new Metadata();
	if (token !== "") headers.set("authorization", `Bearer ${token}`);
	if (traceparent !== undefined) headers.set("traceparent", traceparent);
	return headers;
}

const OUTCOMES: Readonly<Record<ReportOutcome, ReceiveOutcome["_tag"] | undefined>> = {
	[ReportOutcome.UNSPECIFIED]: undefined,
	[ReportOutcome.REPORTED]: "Reported",
	[ReportOutcome.ALREADY_REPORTED]: "AlreadyReported",
	[ReportOutcome.LINK_RENEWED]: "LinkRenewed",
	[ReportOutcome.CONTRADICTED]: "Contradicted",
};

/** An OK that this release does not know is a success all the same: the report is kept. */
function fromResponse({ outcome, stream }: ReportRecordingResponse): ReceiveOutcome {
	return { _tag: OUTCOMES[outcome] ?? "Reported", stream } as ReceiveOutcome;
}

function fromError(error: ServiceError | null): ReceiveOutcome {
	switch (error?.code) {
		case Code.INVALID_ARGUMENT:
			return { _tag: "Quarantined", stream: "", issues: issuesOf(error) };
		case Code.PERMISSION_DENIED:
			return { _tag: "Refused", message: error.details };
		case Code.RESOURCE_EXHAUSTED:
			return { _tag: "Unavailable", reason: "overloaded", message: error.details };
		case Code.DEADLINE_EXCEEDED:
			return { _tag: "Unavailable", reason: "timeout", message: error.details };
		default:
			// UNAUTHENTICATED is among them: that the relay's token is wrong is no sender's fault, who is to try again.
			return { _tag: "Unavailable", reason: "fault", message: error?.details ?? "no answer" };
	}
}

function issuesOf({ metadata }: ServiceError): readonly { field: string; problem: string }[] {
	const [bytes] = metadata.get("grpc-status-details-bin");
	if (!Buffer.isBuffer(bytes)) return [];
	const details = fromBinary(StatusSchema, bytes).details.map((any) => anyUnpack(any, BadRequestSchema));
	const violations = details.flatMap((badRequest) => badRequest?.fieldViolations ?? []);
	return violations.map(({ field, description }) => ({ field, problem: description }));
}
