// What the log and the counters are told about a request. Never what was sent: only ids, tags and our own words.

import { createThrottledWarning, describeUnexpected, observe } from "@reelkeep/core";
import type { Clock, Logger, Telemetry } from "@reelkeep/core/ports";
import type { ReplyStyle } from "./envelope.js";
import type { TopAnswer } from "./status.js";

/** What a request, or one call of it, came to. */
export interface Verdict {
	/** What logs and counters say of it. */
	readonly tag: string;
	readonly answer: TopAnswer;
}

/** What one request came to, and how its sender is told. */
export interface Conclusion extends Verdict {
	readonly style: ReplyStyle;
	readonly appKey?: string;
	/** The calls of a batch, each with its own; `answer` is then the first that failed, or a success. */
	readonly batch?: { readonly separator: string; readonly calls: readonly Verdict[] };
}

interface Audience {
	readonly clock: Clock;
	readonly logger?: Logger;
	readonly telemetry?: Telemetry;
}

/** Logs and counts one conclusion. Never throws: a broken logger must not turn a kept callback into an error. */
export function reportConclusion(
	conclusion: Conclusion,
	requestId: string,
	startedAtMs: number,
	{ clock, logger, telemetry }: Audience,
): void {
	const { tag, answer, appKey, batch } = conclusion;
	observe(() => {
		const durationMs = clock.now() - startedAtMs;
		const code = answer._tag === "Consumed" ? 0 : answer.error.code;
		telemetry?.count("reelkeep.http.requests", { outcome: tag, code: String(code) });
		telemetry?.record("reelkeep.http.durationMs", durationMs, { outcome: tag });
		const details = {
			requestId,
			outcome: tag,
			code,
			durationMs,
			...(appKey === undefined ? {} : { appKey }),
			...(batch === undefined ? {} : { calls: batch.calls.map((call) => call.tag) }),
		};
		if (answer._tag === "Consumed") logger?.debug(details, "callback answered");
		else logger?.warn({ ...details, reason: answer.error.subMsg }, "callback not accepted");
	});
}

/** `reason` is a store fault's message, which the sender is not told. */
export function logUnavailable(reason: string, requestId: string, logger: Logger | undefined): void {
	observe(() => logger?.error({ requestId, reason }, "callback not stored; its sender was asked to retry"));
}

/** An error that nobody expected: where it came from, not what it says. */
export function logUnexpected(error: unknown, requestId: string, logger: Logger | undefined): void {
	observe(() =>
		logger?.error(
			{ requestId, error: describeUnexpected(error) },
			"internal error while answering a request",
		),
	);
}

/** Tells of trouble with connections. */
export function createConnectionLog(audience: Audience): (reason: string, details: object) => void {
	return createThrottledWarning(audience, "connections are turned away; their senders saw no answer");
}
