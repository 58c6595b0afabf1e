// What the log and the counters are told about a call. Never what was sent: only ids, tags and our own words.

import { describeUnexpected, observe } from "@reelkeep/core";
import type { Clock, Logger, Telemetry } from "@reelkeep/core/ports";
import type { GrpcAnswer, GrpcFailure } from "./status.js";

/** What a report, or a call, came to. */
export interface Conclusion {
	/** What logs and counters say of it. */
	readonly tag: string;
	readonly answer: GrpcAnswer;
	readonly appKey?: string;
}

/** What ends before the core is asked is told by its reason. */
export function refused(answer: GrpcFailure): Conclusion {
	return { tag: answer.reason, answer };
}

interface Audience {
	readonly clock: Clock;
	readonly logger?: Logger;
	readonly telemetry?: Telemetry;
}

/** Logs and counts one conclusion. Never throws: a broken logger must not turn a kept report into an error. */
export function reportConclusion(
	{ tag, answer, appKey }: Conclusion,
	requestId: string,
	startedAtMs: number,
	{ clock, logger, telemetry }: Audience,
): void {
	observe(() => {
		const durationMs = clock.now() - startedAtMs;
		const code = answer._tag === "Kept" ? 0 : answer.code;
		telemetry?.count("reelkeep.grpc.requests", { outcome: tag, code: String(code) });
		telemetry?.record("reelkeep.grpc.durationMs", durationMs, { outcome: tag });
		const details = {
			requestId,
			outcome: tag,
			code,
			durationMs,
			...(appKey === undefined ? {} : { appKey }),
		};
		if (answer._tag === "Kept") logger?.debug(details, "call answered");
		else logger?.warn({ ...details, reason: answer.message }, "call not accepted");
	});
}

/** `reason` is a store fault's message, which the caller is not told. */
export function logUnavailable(reason: string, requestId: string, logger: Logger | undefined): void {
	observe(() => logger?.error({ requestId, reason }, "report not stored; its sender was asked to retry"));
}

/** An error that nobody expected: where it came from, not what it says. */
export function logUnexpected(error: unknown, requestId: string, logger: Logger | undefined): void {
	observe(() =>
		logger?.error({ requestId, error: describeUnexpected(error) }, "internal error while serving a call"),
	);
}
