// The loop: follow the log, keep what is pending in mind, and attempt what is due, a few at a time.

import { createWake, observe } from "@reelkeep/core";
import type { Problem, Telemetry } from "@reelkeep/core/ports";
import type { ArchiveDeps } from "./archive-recording.js";
import { createAttempts } from "./attempts.js";
import { createPendingSet } from "./pending-set.js";
import { describeProblems } from "./problems.js";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "./retry.js";
import { scheduleNext } from "./schedule.js";
import { createTail } from "./tail.js";

/** One slow origin must not hold up the rest; more than a few saturate a line before they help. */
export const DEFAULT_CONCURRENCY = 4;
/** Time enough for a person to act. */
export const DEFAULT_AT_RISK_MS = 3_600_000;
/** Longest sleep of the loop: a clock that was set is noticed, and a timer takes no more than 24 days anyway. */
const MAX_SLEEP_MS = 60_000;

export interface ArchiverOptions {
	/** Downloads at a time. Default 4. */
	readonly concurrency?: number;
	/** What differs from `DEFAULT_RETRY_POLICY`. */
	readonly retry?: Partial<RetryPolicy>;
	/** A failing recording is shown as at risk from this long before its deadline. Milliseconds; default one hour. */
	readonly atRiskMs?: number;
}

export type ArchiverDeps = Omit<ArchiveDeps, "retryPolicy" | "random"> & {
	readonly telemetry: Telemetry;
	/** Draws the jitter; default `Math.random`. */
	readonly random?: () => number;
};

export interface Archiver {
	/** Starts to follow the log from its beginning; attempts begin once its end was reached. Called once. */
	start(): void;
	/**
	 * Breaks off the downloads under way and resolves when nothing of this archiver runs any more. Idempotent.
	 * *Promise*: what was broken off leaves neither a file nor an event; what was committed is still said.
	 */
	stop(): Promise<void>;
	/** What keeps videos from being kept now. */
	check(): Promise<readonly Problem[]>;
}

/** Makes an archiver that is not started. *Errors*: throws a `RangeError` when `concurrency` is no positive integer. */
export function createArchiver(deps: ArchiverDeps, options: ArchiverOptions = {}): Archiver {
	const { concurrency = DEFAULT_CONCURRENCY, atRiskMs = DEFAULT_AT_RISK_MS } = options;
	if (!Number.isInteger(concurrency) || concurrency < 1) {
		throw new RangeError("concurrency is a positive integer");
	}
	const retryPolicy = { ...DEFAULT_RETRY_POLICY, ...options.retry };
	const { clock, logger } = deps;
	const stopping = new AbortController();
	const { signal } = stopping;
	const wake = createWake(clock);
	const pendings = createPendingSet();
	const tail = createTail(deps, { apply: pendings.apply, changed: wake.call, signal });
	const attempts = createAttempts(
		{ ...deps, random: deps.random ?? Math.random, retryPolicy },
		{ pendings, changed: wake.call, signal },
	);
	let running: Promise<unknown> = Promise.resolve();

	/** Begins what is due and fits; returns when to look again, if nothing changes before. */
	const beginDue = (now: number): number => {
		const free = concurrency - attempts.count();
		if (!tail.hasCaughtUp() || free === 0) return Number.POSITIVE_INFINITY;
		if (now < attempts.pausedUntil()) return attempts.pausedUntil();
		const { due, nextDueAt } = scheduleNext(pendings.all(), { now, free, isBusy: attempts.isBusy });
		for (const pending of due) attempts.begin(pending);
		return nextDueAt ?? Number.POSITIVE_INFINITY;
	};
	const dispatch = async (): Promise<void> => {
		while (!signal.aborted) {
			const now = clock.now();
			const sleepMs = Math.max(beginDue(now) - now, 1);
			await wake.wait(Math.min(sleepMs, MAX_SLEEP_MS), signal);
		}
		await attempts.settled();
	};

	return {
		start() {
			running = Promise.all([tail.follow(), dispatch()]);
			observe(() => logger.debug({ concurrency }, "the archiver follows the log"));
		},
		async stop() {
			stopping.abort();
			await running;
		},
		async check() {
			const problems = describeProblems(pendings.all(), { now: clock.now(), atRiskMs });
			return [...tail.problems(), ...attempts.problems(), ...problems];
		},
	};
}
