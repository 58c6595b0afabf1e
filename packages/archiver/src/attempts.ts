// The attempts under way: each runs to its end, and what it learns goes back into the pending set.

import { observe } from "@reelkeep/core";
import {
	isStoreFault,
	type Logger,
	type Problem,
	type StreamName,
	type Telemetry,
} from "@reelkeep/core/ports";
import { type ArchiveDeps, type AttemptResult, archiveRecording } from "./archive-recording.js";
import { describeError } from "./describe-error.js";
import type { PendingRecording } from "./pending.js";
import type { PendingSet } from "./pending-set.js";
import { archiverProblem } from "./problems.js";

/** While the event store fails, nothing is begun for this long, then twice as long …: no attempt could say what came of it. */
const FAULT_DELAY_MS = 1_000;

/** Longer than a large video takes on a line that can carry a few; a slow origin holds one of few slots. */
const LONG_ATTEMPT_MS = 3_600_000;

interface Underway {
	readonly startedAt: number;
	readonly finished: Promise<void>;
}

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
	const underway = new Map<StreamName, Underway>();
	let pausedUntil = 0;
	let fault: string | undefined;
	let faults = 0;

	const absorb = (pending: PendingRecording, result: AttemptResult): void => {
		const { stream, newestLink } = pending;
		if (result._tag === "Rested") pendings.remove(stream, result.links);
		if (result._tag === "Deferred") pendings.note(stream, result.newestLink, result.failure);
		if (result._tag === "Overtaken") {
			pendings.postpone(stream, newestLink, deps.clock.now() + deps.retryPolicy.minDelayMs);
		}
	};
	const absorbError = (pending: PendingRecording, error: unknown): void => {
		const { stream, newestLink, attempts } = pending;
		const now = deps.clock.now();
		observe(() =>
			deps.logger.error({ stream, error: describeError(error) }, "an attempt could not be finished"),
		);
		if (isStoreFault(error) && error.retryable) {
			// Each attempt may download a whole video before the log refuses to hear of it: the pauses grow.
			fault = error.message;
			pausedUntil = now + Math.min(FAULT_DELAY_MS * 2 ** Math.min(faults, 16), deps.retryPolicy.maxDelayMs);
			faults += 1;
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
			faults = 0;
			absorb(pending, result);
			report(deps, pending, result, deps.clock.now() - startedAt);
		} catch (error) {
			absorbError(pending, error);
		}
	};
	return {
		begin(pending) {
			const finish = (): void => {
				underway.delete(pending.stream);
				changed();
			};
			// Nobody waits for this until the end: whatever came of it, it must not end the process.
			underway.set(pending.stream, {
				startedAt: deps.clock.now(),
				finished: attempt(pending).then(finish, finish),
			});
		},
		isBusy: (stream) => underway.has(stream),
		count: () => underway.size,
		pausedUntil: () => pausedUntil,
		problems: () =>
			[
				...(fault === undefined ? [] : [fault]),
				...describeLong([...underway.values()], deps.clock.now()),
			].map(archiverProblem),
		async settled() {
			await Promise.all([...underway.values()].map(({ finished }) => finished));
		},
	};
}

function describeLong(underway: readonly Underway[], now: number): readonly string[] {
	const count = underway.filter(({ startedAt }) => now - startedAt > LONG_ATTEMPT_MS).length;
	if (count === 0) return [];
	return [`${count} of ${underway.length} downloads under way take more than an hour already`];
}

/** Says what came of an attempt to the log and the meters; streams and hosts only. */
function report(
	{ logger, telemetry }: { readonly logger: Logger; readonly telemetry: Telemetry },
	pending: PendingRecording,
	result: AttemptResult,
	durationMs: number,
): void {
	const outcome = result._tag === "Rested" ? result.state : result._tag.toLowerCase();
	observe(() => telemetry.count("reelkeep.archive.attempts", { outcome }));
	observe(() => telemetry.record("reelkeep.archive.durationMs", durationMs, { outcome }));
	if (result._tag === "Rested" && result.bytes !== undefined) {
		const { bytes } = result;
		observe(() => telemetry.record("reelkeep.archive.bytes", bytes));
	}
	observe(() => log(logger, pending, result, { outcome, durationMs }));
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
