import { create, type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status as Code } from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	BadRequestSchema,
	ErrorInfoSchema,
	RequestInfoSchema,
	RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";
import { type Status, StatusSchema } from "./gen/google/rpc/status_pb.js";
import { toRichStatus, toStatusObject } from "./rich-status.js";
import { failed, type GrpcFailure } from "./status.js";

const TRAILER = "grpc-status-details-bin";
const REFUSED = failed(Code.PERMISSION_DENIED, "NOT_ADMITTED", "may not");

/** The status as a client reads it. */
function readTrailer(failure: GrpcFailure): Status {
	const { code, details, metadata } = toStatusObject(failure, "request-1");
	const [bytes, ...others] = metadata.get(TRAILER);
	expect(others).toEqual([]);
	const status = fromBinary(StatusSchema, bytes as Buffer);
	expect({ code: status.code, message: status.message }).toEqual({ code, message: details });
	return status;
}

function find<Schema extends DescMessage>(
	schema: Schema,
	{ details }: Status,
): MessageShape<Schema> | undefined {
	return details.map((any) => anyUnpack(any, schema)).find((one) => one !== undefined);
}

const retryDelayOf = (retryAfterMs: number) =>
	find(RetryInfoSchema, readTrailer({ ...REFUSED, retryAfterMs }))?.retryDelay;

const violationsOf = (issues: NonNullable<GrpcFailure["issues"]>) =>
	find(BadRequestSchema, readTrailer({ ...REFUSED, issues }))?.fieldViolations.map(
		({ field, description }) => ({ field, description }),
	);

describe("toStatusObject", () => {
	it("has code, message, the reason and the request's id in the trailer, and nothing else", () => {
		const { code, details, metadata } = toStatusObject(REFUSED, "request-1");
		expect({ code, details }).toEqual({ code: Code.PERMISSION_DENIED, details: "may not" });
		expect(Object.keys(metadata.getMap())).toEqual([TRAILER]);
		const status = readTrailer(REFUSED);
		expect(status.details.map(({ typeUrl }) => typeUrl)).toEqual([
			"type.googleapis.com/google.rpc.ErrorInfo",
			"type.googleapis.com/google.rpc.RequestInfo",
		]);
		const reason = { reason: "NOT_ADMITTED", domain: "reelkeep" };
		expect(find(ErrorInfoSchema, status)).toEqual(create(ErrorInfoSchema, reason));
		expect(find(RequestInfoSchema, status)).toEqual(create(RequestInfoSchema, { requestId: "request-1" }));
	});

	it("names the fields that are wrong, in their order, and request_param where the whole is", () => {
		const issues = [
			{ field: "project_id", problem: "is missing" },
			{ field: "", problem: "is not JSON" },
		];
		expect(violationsOf(issues)).toEqual([
			{ field: "project_id", description: "is missing" },
			{ field: "request_param", description: "is not JSON" },
		]);
		expect(violationsOf([])).toEqual([]);
	});

	it.each([
		[1000, 1n, 0],
		[1, 0n, 1_000_000],
		[0.2, 0n, 1_000_000],
		[12.5, 0n, 13_000_000],
		[999.1, 1n, 0],
		[1500.01, 1n, 501_000_000],
		[86_400_000, 86_400n, 0],
		[0, 0n, 0],
	])("tells to wait %d ms, rounded up to whole milliseconds", (retryAfterMs, seconds, nanos) => {
		expect(retryDelayOf(retryAfterMs)).toMatchObject({ seconds, nanos });
	});

	it("never tells to come back too early, nor more than a millisecond too late", () => {
		fc.assert(
			fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (retryAfterMs) => {
				const { seconds, nanos } = retryDelayOf(retryAfterMs) ?? { seconds: -1n, nanos: 0 };
				const ms = Number(seconds) * 1000 + nanos / 1e6;
				expect(ms).toBeGreaterThanOrEqual(retryAfterMs);
				expect(ms).toBe(Math.ceil(retryAfterMs));
			}),
		);
	});

	it("has all four details where there are all", () => {
		const issues = [{ field: "a", problem: "b" }];
		const { details } = toRichStatus({ ...REFUSED, issues, retryAfterMs: 1 }, "request-1");
		expect(details.map(({ typeUrl }) => typeUrl.replace("type.googleapis.com/google.rpc.", ""))).toEqual([
			"ErrorInfo",
			"RequestInfo",
			"BadRequest",
			"RetryInfo",
		]);
	});

	it("replaces half characters, and leaves whole ones alone", () => {
		const text = "a\ud83cb🎮\udfaec云";
		const readable = "a\ufffdb🎮\ufffdc云";
		expect(toStatusObject(failed(Code.UNAUTHENTICATED, "WRONG", text), "r").details).toBe(readable);
		expect(readTrailer(failed(Code.UNAUTHENTICATED, "WRONG", text)).message).toBe(readable);
		expect(violationsOf([{ field: text, problem: text }])).toEqual([
			{ field: readable, description: readable },
		]);
	});

	it("writes any message that a verifier may have", () => {
		fc.assert(
			fc.property(
				fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) }),
				(text) => {
					expect(readTrailer(failed(Code.UNAUTHENTICATED, "WRONG", text)).message).toBe(
						Buffer.from(text).toString(),
					);
				},
			),
		);
	});
});
