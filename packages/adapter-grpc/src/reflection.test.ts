import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status as Code } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { answer } from "./reflection.js";

const CONTRACT = "reelkeep/v1/recording_service.proto";

/** The names of the files that are handed out. */
function files(request: Parameters<typeof answer>[0]): readonly string[] {
	const response = answer(request);
	if (response.case !== "fileDescriptorResponse") throw new Error(`there are no files, but ${response.case}`);
	return (response.value.fileDescriptorProto ?? []).map(
		(bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name,
	);
}

describe("reflection", () => {
	it("lists the services that are served", () => {
		expect(answer({ case: "listServices", value: "" })).toEqual({
			case: "listServicesResponse",
			value: {
				service: [
					{ name: "reelkeep.v1.RecordingService" },
					{ name: "grpc.health.v1.Health" },
					{ name: "grpc.reflection.v1.ServerReflection" },
				],
			},
		});
	});

	it.each([
		"reelkeep.v1.RecordingService",
		"reelkeep.v1.RecordingService.SubscribeEvents",
		"reelkeep.v1.ScreenRecordCallback",
		"reelkeep.v1.ScreenRecordCallback.track_info",
		"reelkeep.v1.ReportOutcome",
		"reelkeep.v1.ReportOutcome.REPORT_OUTCOME_REPORTED",
	])("hands out the contract for %s, each file behind what it imports", (value) => {
		expect(files({ case: "fileContainingSymbol", value })).toEqual([
			"google/protobuf/duration.proto",
			"google/protobuf/any.proto",
			"google/rpc/status.proto",
			CONTRACT,
		]);
	});

	it("finds details of errors, which no service mentions, and files by their names", () => {
		expect(files({ case: "fileContainingSymbol", value: "google.rpc.BadRequest.FieldViolation" })).toContain(
			"google/rpc/error_details.proto",
		);
		expect(files({ case: "fileByFilename", value: CONTRACT })).toContain(CONTRACT);
	});

	it("keeps what is optional", () => {
		const response = answer({ case: "fileByFilename", value: CONTRACT });
		const [last] =
			response.case === "fileDescriptorResponse" ? (response.value.fileDescriptorProto ?? []).slice(-1) : [];
		const callback = last && fromBinary(FileDescriptorProtoSchema, last).messageType[0];
		expect(callback?.field.every(({ proto3Optional }) => proto3Optional)).toBe(true);
	});

	it.each([
		["fileContainingSymbol", "reelkeep.v1.RecordingService.Nothing"],
		["fileContainingSymbol", "__proto__"],
		["fileContainingSymbol", ""],
		["fileByFilename", "constructor"],
		["allExtensionNumbersOfType", "no.such.Message"],
	] as const)("knows no %s %j", (kind, value) => {
		expect(answer({ case: kind, value })).toMatchObject({
			case: "errorResponse",
			value: { errorCode: Code.NOT_FOUND },
		});
	});

	it("knows no extensions", () => {
		const value = "reelkeep.v1.ScreenRecordCallback";
		expect(answer({ case: "allExtensionNumbersOfType", value })).toEqual({
			case: "allExtensionNumbersResponse",
			value: { baseTypeName: value },
		});
	});
});
