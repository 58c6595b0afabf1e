// What every method that answers once has around it: an id, an end that a stop waits for, and an answer whatever breaks.

import type { sendUnaryData } from "@grpc/grpc-js";
import { logUnexpected } from "./report.js";
import { toStatusObject } from "./rich-status.js";
import type { ServiceContext } from "./service-context.js";
import { type GrpcFailure, INTERNAL_ERROR } from "./status.js";

/**
 * Makes a handler for @grpc/grpc-js, which would not notice a rejection, of one that returns what it answers.
 * *Promise*: answers once, whatever `handle` or a port does.
 */
export function answerCall<Call, Response extends object>(
	context: ServiceContext,
	handle: (call: Call, requestId: string) => Promise<Response | GrpcFailure>,
): (call: Call, callback: sendUnaryData<Response>) => void {
	return (call, callback) => {
		const leave = context.open.begin();
		void answer(context, (requestId) => handle(call, requestId), callback).finally(leave);
	};
}

async function answer<Response extends object>(
	{ ids, logger }: ServiceContext,
	handle: (requestId: string) => Promise<Response | GrpcFailure>,
	callback: sendUnaryData<Response>,
): Promise<void> {
	let requestId = "";
	let result: Response | GrpcFailure = INTERNAL_ERROR;
	try {
		requestId = ids.next();
		result = await handle(requestId);
	} catch (error) {
		logUnexpected(error, requestId, logger);
	}
	if (isFailure(result)) callback(toStatusObject(result, requestId));
	else callback(null, result);
}

function isFailure(result: object): result is GrpcFailure {
	return "_tag" in result && result._tag === "Failed";
}
