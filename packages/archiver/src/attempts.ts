// The attempts under way: each runs to its end, and what it learns goes back into the pending set.

import {
	isStoreFault,
	type Logger,
	type Problem,
	type StreamName,
	type Telemetry,
} from "@reelkeep/core/ports";
import { type ArchiveDeps, type AttemptResult, archiveRecording } from "./archive-recording.js";
import type { PendingRecording } from "./pending.js";
import type { PendingSet } from "./pending-set.js";
import { archiverProblem } from "./problems.js";

/** While the event store fails, nothing is begun for this long: no attempt could say what came of it. */
const FAULT_DELAY_MS = 1_000;

export interface Attempts {
	begin(pending: PendingRecording): void;
	isBusy(stream: StreamName): boolean;
	count(): number;
	/** Nothing is to be begun before this time; UTC milliseconds. */
	pausedUntil(): number;
	problems(): readonly Problem[];
	/** Resolves when none is under way. */
	settled(): Promise<void>;
}

/** Makes the bookkeeping of attempts; `changed` is called at the end of each. */
export function createAttempts(
	deps: ArchiveDeps & { readonly telemetry: Telemetry },
	options: { readonly pendings: PendingSet; readonly changed: () => void; readonly signal: AbortSignal },
): Attempts {
	const { pendings, changed, signal } = options;
	const underway = new Map<StreamName, Promise<void>>();
	let pausedUntil = 0;

	let fault: string | undefined;

	const absorb = (pending: PendingRecording, result: AttemptResult): void => {
		const { stream, newestLink } = pending;
		if (result._tag === "Rested") pendings.remove(stream);
		if (result._tag === "Deferred") pendings.note(stream, result.newestLink, result.failure);
		if (result._tag === "Overtaken") {
			pendings.postpone(stream, newestLink, deps.clock.now() + deps.retryPolicy.minDelayMs);
		}
	};
	const absorbError = (pending: PendingRecording, error: unknown): void => {
		const { stream, newestLink, attempts } = pending;
		const now = deps.clock.now();
		deps.logger.error({ stream, error }, "an attempt could not be finished");
		if (isStoreFault(error) && error.retryable) {
			fault = error.message;
			pausedUntil = now + FAULT_DELAY_MS;
			return;
		}
		// Nothing that waiting a second would mend, and nothing that the other recordings have to wait for.
		const nextAttemptAt = now + deps.retryPolicy.maxDelayMs;
		const message = isStoreFault(error) ? error.message : "the archiver failed; see the log";
		pendings.note(stream, newestLink, { attempt: attempts, reason: "fault", message, nextAttemptAt });
	};
	const attempt = async (pending: PendingRecording): Promise<void> => {
		const startedAt = deps.clock.now();
		try {
			const result = await archiveRecording(deps, pending, signal);
			fault = undefined;
			absorb(pending, result);
			report(deps, pending, result, deps.clock.now() - startedAt);
		} catch (error) {
			absorbError(pending, error);
		}
	};
	return {
		begin(pending) {
			const finished = attempt(pending).finally(() => {
				underway.delete(pending.stream);
				changed();
			});
			underway.set(pending.stream, finished);
		},
		isBusy: (stream) => underway.has(stream),
		count: () => underway.size,
		pausedUntil: () => pausedUntil,
		problems: () => (fault === undefined ? [] : [archiverProblem(fault)]),
		async settled() {
			await Promise.all(underway.values());
		},
	};
}

/** Says what came of an attempt to the log and the meters; streams and hosts only. */
function report(
	{ logger, telemetry }: { readonly logger: Logger; readonly telemetry: Telemetry },
	{ stream, host }: PendingRecording,
	result: AttemptResult,
	durationMs: number,
): void {
	const outcome = result._tag === "Rested" ? result.state : result._tag.toLowerCase();
	telemetry.count("reelkeep.archive.attempts", { outcome });
	telemetry.record("reelkeep.archive.durationMs", durationMs, { outcome });
	if (result._tag === "Rested" && result.bytes !== undefined) {
		telemetry.record("reelkeep.archive.bytes", result.bytes);
	}
	if (result._tag === "Deferred") {
		const { reason, message: problem, attempt, nextAttemptAt } = result.failure;
		logger.warn({ stream, host, reason, problem, attempt, nextAttemptAt }, "video not kept yet");
		return;
	}
	const details = { stream, host, outcome, durationMs };
	if (result._tag === "Rested" && result.state !== "archived") logger.warn(details, "video lost");
	else logger.info(details, result._tag === "Rested" ? "video kept" : "attempt over");
}
