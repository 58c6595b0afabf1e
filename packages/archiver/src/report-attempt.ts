// Says what came of an attempt to the log and the meters; streams and hosts only.

import { observe } from "@reelkeep/core";
import type { Logger, Telemetry } from "@reelkeep/core/ports";
import type { AttemptResult } from "./archive-recording.js";
import type { PendingRecording } from "./pending.js";

/** Returns the outcome's name, as the meters have it. */
export function reportAttempt(
	{ logger, telemetry }: { readonly logger: Logger; readonly telemetry: Telemetry },
	pending: PendingRecording,
	result: AttemptResult,
	durationMs: number,
): string {
	const outcome = result._tag === "Rested" ? result.state : result._tag.toLowerCase();
	observe(() => telemetry.count("reelkeep.archive.attempts", { outcome }));
	observe(() => telemetry.record("reelkeep.archive.durationMs", durationMs, { outcome }));
	if (result._tag === "Rested" && result.bytes !== undefined) {
		const { bytes } = result;
		observe(() => telemetry.record("reelkeep.archive.bytes", bytes));
	}
	observe(() => log(logger, pending, result, { outcome, durationMs }));
	return outcome;
}

function log(
	logger: Logger,
	{ stream, host }: PendingRecording,
	result: AttemptResult,
	measured: { readonly outcome: string; readonly durationMs: number },
): void {
	if (result._tag === "Deferred") {
		const { reason, message: problem, attempt, nextAttemptAt } = result.failure;
		logger.warn({ stream, host, reason, problem, attempt, nextAttemptAt }, "video not kept yet");
		return;
	}
	const details = { stream, host, ...measured };
	if (result._tag === "Rested" && result.state !== "archived") logger.warn(details, "video lost");
	else logger.info(details, result._tag === "Rested" ? "video kept" : "attempt over");
}
