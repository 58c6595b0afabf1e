// What is reported, whichever way it was written: the text that the core decodes, and what may prove it.

import { toJsonString } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import { decodeUtf8 } from "@reelkeep/core";
import {
	type ReportRecordingRequest,
	ScreenRecordCallbackSchema,
} from "./gen/reelkeep/v1/recording_service_pb.js";
import { failed, type GrpcFailure } from "./status.js";

/** TOP's parameters stand in the metadata under their own names behind this. */
const PARAMETER_PREFIX = "top-";
const REQUEST_PARAM = "request_param";

export interface ReadReport {
	readonly _tag: "Report";
	/** Text where the bytes are UTF-8; otherwise the bytes, which go into quarantine. */
	readonly requestParam: string | Uint8Array;
	/** Whether this is what the platform sent, letter by letter, so that its signature can be checked. */
	readonly isRaw: boolean;
}

/** *Shape*: of the callback's fields, those that were set, under the names and in the forms that the platform uses. */
export function readReport({ report }: Pick<ReportRecordingRequest, "report">): ReadReport | GrpcFailure {
	switch (report.case) {
		case "callback": {
			// 64-bit numbers become digits in quotes, which the codec takes as PHP's SDK sends them: no digit is lost.
			const requestParam = toJsonString(ScreenRecordCallbackSchema, report.value, {
				useProtoFieldName: true,
			});
			return { _tag: "Report", requestParam, isRaw: false };
		}
		case "requestParam": {
			const requestParam = decodeUtf8(report.value) ?? report.value;
			if (typeof requestParam === "string" && requestParam.trim() === "") return MISSING;
			return { _tag: "Report", requestParam, isRaw: true };
		}
		case undefined:
			return MISSING;
		default:
			return report satisfies never;
	}
}

const MISSING: GrpcFailure = {
	...failed(Code.INVALID_ARGUMENT, "MISSING_REPORT", "there is no report in the request"),
	issues: [{ field: "report", problem: "is missing: set callback or request_param" }],
};

/** The parameters that stand in a call's metadata. */
export function parametersOf(headers: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
	const own = [...headers].filter(([key]) => key.startsWith(PARAMETER_PREFIX));
	return new Map(own.map(([key, value]) => [key.slice(PARAMETER_PREFIX.length), value]));
}

/** What a verifier is shown of one report; a failure when no signature can be about it. */
export function signedParameters(
	{ requestParam, isRaw }: ReadReport,
	parameters: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> | GrpcFailure {
	if (!isRaw) return unsigned("reports must be signed here, and fields cannot be: send request_param");
	if (typeof requestParam !== "string") {
		return unsigned("request_param is not UTF-8, so nothing can have signed it");
	}
	if (parameters.has(REQUEST_PARAM)) return unsigned("request_param stands twice");
	return new Map([...parameters, [REQUEST_PARAM, requestParam]]);
}

function unsigned(message: string): GrpcFailure {
	return failed(Code.UNAUTHENTICATED, "UNSIGNED", message);
}
