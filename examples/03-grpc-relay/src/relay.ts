// `receive`, but by another Reelkeep: one gRPC call for each report, and its status back as an outcome.

import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ChannelCredentials, Client, status as Code, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
	BadRequestSchema,
	ErrorInfoSchema,
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

/** Final is only what the Reelkeep inside says of the report itself; all else is not its sender's fault, who is to try again. */
function fromError(error: ServiceError | null): ReceiveOutcome {
	const message = error?.details ?? "no answer";
	const details = detailsOf(error);
	switch (find(ErrorInfoSchema, details)?.reason) {
		case "QUARANTINED":
			return { _tag: "Quarantined", stream: "", issues: issuesOf(details) };
		case "NOT_ADMITTED":
			return { _tag: "Refused", message };
		case "OVERLOADED":
		case "RATE_LIMITED":
			return { _tag: "Unavailable", reason: "overloaded", message };
		default: {
			const isLate = error?.code === Code.DEADLINE_EXCEEDED;
			return { _tag: "Unavailable", reason: isLate ? "timeout" : "fault", message };
		}
	}
}

type Details = readonly Any[];

function detailsOf(error: ServiceError | null): Details {
	const [bytes] = error?.metadata.get("grpc-status-details-bin") ?? [];
	return Buffer.isBuffer(bytes) ? fromBinary(StatusSchema, bytes).details : [];
}

function find<Schema extends DescMessage>(
	schema: Schema,
	details: Details,
): MessageShape<Schema> | undefined {
	return details.map((any) => anyUnpack(any, schema)).find((one) => one !== undefined);
}

function issuesOf(details: Details): readonly { field: string; problem: string }[] {
	const violations = find(BadRequestSchema, details)?.fieldViolations ?? [];
	return violations.map(({ field, description }) => ({ field, problem: description }));
}
