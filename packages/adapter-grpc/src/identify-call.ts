// Who calls, as every method asks it first: refusals are logged and counted, and a broken verifier is no success.

import type { Call, Caller } from "./callers.js";
import { logUnexpected, refused, reportConclusion } from "./report.js";
import type { ServiceContext } from "./service-context.js";
import { type GrpcFailure, INTERNAL_ERROR, STOPPING } from "./status.js";

export async function identifyOrConclude(
	call: Call,
	request: "report" | "subscribe",
	requestId: string,
	context: ServiceContext,
): Promise<Caller | GrpcFailure> {
	const startedAt = context.clock.now();
	const refuse = (answer: GrpcFailure): GrpcFailure => {
		reportConclusion(refused(answer), requestId, startedAt, context);
		return answer;
	};
	if (context.stopping.aborted) return refuse(STOPPING);
	try {
		const caller = await context.identify(call, request);
		return caller._tag === "Caller" ? caller : refuse(caller);
	} catch (error) {
		logUnexpected(error, requestId, context.logger);
		return refuse(INTERNAL_ERROR);
	}
}
