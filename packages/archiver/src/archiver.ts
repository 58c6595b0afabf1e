// The loop: follow the log, keep what is pending in mind, and attempt what is due, a few at a time.

import { createWake, observe } from "@reelkeep/core";
import type { LinkRefresher, Notices, Problem, StreamName, Telemetry } from "@reelkeep/core/ports";
import { createAgenda } from "./agenda.js";
import type { ArchiveDeps } from "./archive-recording.js";
import { createAttempts } from "./attempts.js";
import { measureBandwidth } from "./bandwidth.js";
import { createBlockWriters } from "./block-writer.js";
import { checkArchiverOptions, resolveRetryPolicy } from "./check-options.js";
import { createDiskSpace } from "./disk-space.js";
import { createPendingSet } from "./pending-set.js";
import { describeProblems } from "./problems.js";
import { createAskForLink } from "./refresh-link.js";
import type { RetryPolicy } from "./retry.js";
import { createRiskWatch } from "./risk-watch.js";
import { createTail } from "./tail.js";

/** More than a few saturate a line before they help. */
export const DEFAULT_CONCURRENCY = 8;
/** One slow origin must not hold up the rest. */
export const DEFAULT_CONCURRENCY_PER_HOST = 4;
/** Time enough for a person to act. */
export const DEFAULT_AT_RISK_MS = 3_600_000;
export const DEFAULT_REFRESH_BEFORE_MS = 10 * 60_000;
/** Longest sleep of the loop: a clock that was set is noticed, and a timer takes no more than 24 days anyway. */
const MAX_SLEEP_MS = 60_000;

export interface ArchiverOptions {
	/** Downloads at a time. Default 8. */
	readonly concurrency?: number;
	/** Of these, on one host. Default 4, or `concurrency` when that is less. */
	readonly concurrencyPerHost?: number;
	/** What differs from `DEFAULT_RETRY_POLICY`. */
	readonly retry?: Partial<RetryPolicy>;
	/** A failing recording is at risk from this long before its deadline. Milliseconds; default one hour. */
	readonly atRiskMs?: number;
	/** A `LinkRefresher` is asked from this long before the deadline on, once a try has failed. Milliseconds; default 10 minutes. */
	readonly refreshBeforeMs?: number;
	/** Free bytes of the video store that are left alone. Default 256 MiB. */
	readonly reserveBytes?: number;
}

export type ArchiverDeps = Omit<ArchiveDeps, "retryPolicy" | "random" | "space" | "blocks" | "askForLink"> & {
	readonly telemetry: Telemetry;
	/** Draws the jitter; default `Math.random`. */
	readonly random?: () => number;
	/** Hears how far downloads come, and what is at risk; default: nobody. */
	readonly notices?: Notices;
	/** Default: there are no new links. */
	readonly refresher?: LinkRefresher;
};

/** What an archiver has come to since its start. */
export interface ArchiverSummary {
	/** Kept, by this archiver or found kept. */
	readonly archived: number;
	/** At rest without their video. */
	readonly lost: number;
	/** Pending still: their next try is later, or nothing more can be done for them now. */
	readonly waiting: number;
	/** When the next of these is due, UTC milliseconds. */
	readonly nextAttemptAt?: number;
}

export interface Archiver {
	/** Starts to follow the log from its beginning; attempts begin once its end was reached. Called once. */
	start(): void;
	/**
	 * Breaks off the downloads under way and resolves when nothing of this archiver runs any more. Idempotent.
	 * *Promise*: what was broken off is kept by stores that can, to be gone on with; what was committed is still said.
	 */
	stop(): Promise<void>;
	/**
	 * Keeps the videos of these streams only, from now on; before the first call, of all. Downloads of others are broken off,
	 * and what they hold is kept for whoever goes on with them.
	 */
	assign(isOurs: (stream: StreamName) => boolean): void;
	/** Resolves when no download of these streams is under way. */
	settled(ofThese: (stream: StreamName) => boolean): Promise<void>;
	/** Resolves once nothing is under way and nothing is due; at once when it is stopped, or `signal` aborts. */
	whenIdle(options?: { readonly signal?: AbortSignal }): Promise<ArchiverSummary>;
	/** What keeps videos from being kept now. */
	check(): Promise<readonly Problem[]>;
}

/** Makes an archiver that is not started. *Errors*: throws a `RangeError` for a number that makes no sense. */
export function createArchiver(deps: ArchiverDeps, options: ArchiverOptions = {}): Archiver {
	checkArchiverOptions(options);
	const { concurrency = DEFAULT_CONCURRENCY, atRiskMs = DEFAULT_AT_RISK_MS } = options;
	const { refreshBeforeMs = DEFAULT_REFRESH_BEFORE_MS } = options;
	const perHost = options.concurrencyPerHost ?? Math.min(DEFAULT_CONCURRENCY_PER_HOST, concurrency);
	const retryPolicy = resolveRetryPolicy(options.retry);
	const { clock, logger, notices = SILENT, refresher = NO_REFRESHER, random = Math.random } = deps;
	const stopping = new AbortController();
	const { signal } = stopping;
	const wake = createWake(clock);
	const agenda = createAgenda({ perHost });
	const pendings = createPendingSet(agenda.put);
	const bandwidth = measureBandwidth();
	const risks = createRiskWatch({ all: pendings.all, overloaded: agenda.atRisk, notices, atRiskMs });
	const tail = createTail(deps, { apply: pendings.apply, changed: wake.call, signal });
	const space = createDiskSpace(deps.videoStore, options.reserveBytes);
	const askForLink = createAskForLink({ ...deps, refresher });
	const attempts = createAttempts(
		{ ...deps, random, notices, retryPolicy, space, blocks: createBlockWriters(), askForLink },
		{ pendings, agenda, bandwidth, risks, perHost, refreshBeforeMs, changed: wake.call, signal },
	);
	const idle = new Set<() => void>();
	let running: Promise<unknown> = Promise.resolve();

	/** When the next attempt may begin, if something is due: one at a time while something is wrong for all of them. */
	const placeFrom = (now: number): number => {
		if (attempts.count() >= concurrency) return Number.POSITIVE_INFINITY;
		const { pauses } = attempts;
		return pauses.isProbing() && attempts.probes() > 0 ? Math.max(pauses.nextProbeAt(), now) : now;
	};
	const isIdle = (): boolean => {
		const now = clock.now();
		const isPaused = now < attempts.pauses.until();
		return attempts.count() === 0 && (isPaused || agenda.nextDueAt(now) > now);
	};
	const settleAll = (): void => {
		for (const settle of idle) settle();
	};
	let looks = 0;
	let isLooking = false;
	/** What was reported, or renewed, a moment ago may be on its way here still. */
	const tellIdle = async (): Promise<void> => {
		looks += 1;
		if (idle.size === 0 || isLooking || !isIdle()) return;
		const look = looks;
		isLooking = true;
		const isBehind = await tail.isBehind();
		isLooking = false;
		if (!isBehind && isIdle()) settleAll();
		// What came meanwhile was not looked at.
		else if (look !== looks) void tellIdle();
	};
	/** Begins what is due and fits; returns when to look again, if nothing changes before. */
	const beginDue = (now: number): number => {
		if (!tail.hasCaughtUp()) return Number.POSITIVE_INFINITY;
		for (const stream of agenda.plan(now, bandwidth.bytesPerSecond(now))) attempts.giveWay(stream);
		risks.look(now);
		const pausedUntil = attempts.pauses.until();
		if (now < pausedUntil) {
			void tellIdle();
			return pausedUntil;
		}
		while (placeFrom(now) <= now) {
			const taken = attempts.pauses.isProbing() ? agenda.takeProbe(now) : agenda.take(now);
			if (taken === undefined) break;
			attempts.begin(taken);
		}
		void tellIdle();
		const isFull = attempts.count() >= concurrency;
		for (const stream of agenda.makeRoom(now, isFull)) attempts.giveWay(stream);
		return Math.max(agenda.nextDueAt(now), placeFrom(now));
	};
	const dispatch = async (): Promise<void> => {
		while (!signal.aborted) {
			const now = clock.now();
			const nextAt = Math.min(
				beginDue(now),
				pendings.size() === 0 ? Number.POSITIVE_INFINITY : risks.nextAt(),
			);
			await wake.wait(Math.min(Math.max(nextAt - now, 1), MAX_SLEEP_MS), signal);
		}
		await attempts.settled();
	};
	const summary = (): ArchiverSummary => {
		const nextAttemptAt = Math.max(agenda.nextDueAt(clock.now()), attempts.pauses.until());
		return {
			...attempts.rested(),
			waiting: pendings.size(),
			...(Number.isFinite(nextAttemptAt) ? { nextAttemptAt } : {}),
		};
	};

	return {
		start() {
			running = Promise.all([tail.follow(), dispatch()]);
			observe(() => logger.debug({ concurrency, perHost }, "the archiver follows the log"));
		},
		async stop() {
			stopping.abort();
			await running;
			settleAll();
		},
		assign(isOurs) {
			pendings.assign(isOurs);
			attempts.keepOnly(isOurs);
			wake.call();
		},
		settled: (ofThese) => attempts.settled(ofThese),
		async whenIdle({ signal: given } = {}) {
			if (!signal.aborted && given?.aborted !== true) {
				await new Promise<void>((resolve) => {
					const settle = (): void => {
						idle.delete(settle);
						given?.removeEventListener("abort", settle);
						resolve();
					};
					idle.add(settle);
					given?.addEventListener("abort", settle, { once: true });
					wake.call();
				});
			}
			return summary();
		},
		async check() {
			const now = clock.now();
			const overloaded = agenda.atRisk();
			const problems = describeProblems(pendings.all(), { now, atRiskMs, overloaded });
			// What was in the way is in nobody's way when nothing waits.
			const own = pendings.size() === 0 ? [] : attempts.problems();
			// Of whom an obstacle holds up, the number is said too.
			const isSaid = ({ message }: Problem) =>
				problems.some((said) => said.message.startsWith(`${message}; `));
			return [...tail.problems(), ...own.filter((problem) => !isSaid(problem)), ...problems];
		},
	};
}

const SILENT: Notices = { emit: () => undefined };
const NO_REFRESHER: LinkRefresher = { refresh: async () => undefined };
