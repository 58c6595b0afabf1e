// What every method has around it: an id, an end that a stop waits for, and an answer whatever breaks.

import type { sendUnaryData } from "@grpc/grpc-js";
import { logUnexpected } from "./report.js";
import { toStatusObject } from "./rich-status.js";
import type { ServiceContext } from "./service-context.js";
import { type GrpcFailure, INTERNAL_ERROR, isFailure } from "./status.js";

/**
 * Makes a handler for @grpc/grpc-js, which would not notice a rejection, of one that returns what it answers.
 * *Promise*: answers once, whatever `handle` or a port does.
 */
export function answerCall<Call, Response extends object>(
	context: ServiceContext,
	handle: (call: Call, requestId: string) => Promise<Response | GrpcFailure>,
): (call: Call, callback: sendUnaryData<Response>) => void {
	return (call, callback) =>
		serveCall(
			context,
			(requestId) => handle(call, requestId),
			(result, requestId) => {
				if (isFailure(result)) callback(toStatusObject(result, requestId));
				else callback(null, result);
			},
		);
}

/** Calls `end` once, with what `handle` returns, or an internal error when it or a port breaks its promise. */
export function serveCall<Result extends object>(
	context: ServiceContext,
	handle: (requestId: string) => Promise<Result | GrpcFailure>,
	end: (result: Result | GrpcFailure, requestId: string) => void,
): void {
	const leave = context.open.begin();
	const serve = async (): Promise<void> => {
		let requestId = "";
		let result: Result | GrpcFailure = INTERNAL_ERROR;
		try {
			requestId = context.ids.next();
			result = await handle(requestId);
		} catch (error) {
			logUnexpected(error, requestId, context.logger);
		}
		end(result, requestId);
	};
	void serve().finally(leave);
}
