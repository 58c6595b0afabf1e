// A failure on the wire: gRPC's code and message, and google.rpc's details in the trailer.

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack, type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Metadata, type StatusObject } from "@grpc/grpc-js";
import {
	BadRequestSchema,
	ErrorInfoSchema,
	RequestInfoSchema,
	RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";
import { type Status, StatusSchema } from "./gen/google/rpc/status_pb.js";
import type { GrpcFailure } from "./status.js";

const DETAILS_TRAILER = "grpc-status-details-bin";
const DOMAIN = "reelkeep";

/** *Shape*: with its reason, and a `RequestInfo`, so that what a caller saw can be found in the log. */
export function toRichStatus(failure: GrpcFailure, requestId: string): Status {
	const { code, issues, retryAfterMs } = failure;
	const details = [
		anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: failure.reason, domain: DOMAIN })),
		anyPack(RequestInfoSchema, create(RequestInfoSchema, { requestId })),
	];
	if (issues !== undefined) details.push(anyPack(BadRequestSchema, badRequest(issues)));
	if (retryAfterMs !== undefined) {
		const retryInfo = create(RetryInfoSchema, { retryDelay: toDuration(retryAfterMs) });
		details.push(anyPack(RetryInfoSchema, retryInfo));
	}
	return create(StatusSchema, { code, message: wellFormed(failure.message), details });
}

/** For a handler's callback, or a stream's `error`. */
export function toStatusObject(failure: GrpcFailure, requestId: string): StatusObject {
	const status = toRichStatus(failure, requestId);
	const metadata = new Metadata();
	metadata.set(DETAILS_TRAILER, Buffer.from(toBinary(StatusSchema, status)));
	return { code: failure.code, details: status.message, metadata };
}

function badRequest(issues: NonNullable<GrpcFailure["issues"]>) {
	return create(BadRequestSchema, {
		fieldViolations: issues.map(({ field, problem }) => ({
			field: wellFormed(field === "" ? "request_param" : field),
			description: wellFormed(problem),
		})),
	});
}

function toDuration(ms: number): Duration {
	const whole = Math.ceil(ms);
	return create(DurationSchema, {
		seconds: BigInt(Math.floor(whole / 1000)),
		nanos: (whole % 1000) * 1_000_000,
	} satisfies MessageInitShape<typeof DurationSchema>);
}

/** Half a character, which a verifier of yours may have quoted, can be written neither as UTF-8 nor in a trailer. */
function wellFormed(text: string): string {
	return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
