// The attempts under way: each runs to its end, and what it learns goes back into the pending set and the agenda.

import { observe } from "@reelkeep/core";
import {
	type Clock,
	isStoreFault,
	type Notices,
	type Problem,
	type StreamName,
	type Telemetry,
} from "@reelkeep/core/ports";
import type { Agenda, Taken } from "./agenda.js";
import { type ArchiveDeps, type AttemptResult, archiveRecording } from "./archive-recording.js";
import type { Bandwidth } from "./bandwidth.js";
import { describeError } from "./describe-error.js";
import { createDownloadProgress, type DownloadProgress } from "./download-progress.js";
import { slowDown, speedUp } from "./host-pace.js";
import type { DownloadWatch } from "./keep-video.js";
import { createPauses, type Pauses } from "./pauses.js";
import type { NotedFailure, PendingRecording } from "./pending.js";
import type { PendingSet } from "./pending-set.js";
import { archiverProblem } from "./problems.js";
import { reportAttempt } from "./report-attempt.js";
import type { RiskWatch } from "./risk-watch.js";

/** Longer than a large video takes on a line that can carry a few; a slow origin holds one of few slots. */
const LONG_ATTEMPT_MS = 3_600_000;
/** Reasons of failures after which the store is known to have taken bytes, or to have said how much it takes. */
const CAME_TO_STORE: ReadonlySet<string> = new Set(["no-room", "mismatch", "broke-off"]);

const ASKS_FOR_PATIENCE: ReadonlySet<string> = new Set(["busy", "unreachable"]);

interface Underway {
	readonly startedAt: number;
	readonly isProbe: boolean;
	readonly abort: AbortController;
	readonly finished: Promise<void>;
}

export interface AttemptsDeps extends ArchiveDeps {
	readonly telemetry: Telemetry;
	readonly notices: Notices;
}

export interface AttemptsOptions {
	readonly pendings: PendingSet;
	readonly agenda: Agenda;
	readonly bandwidth: Bandwidth;
	readonly risks: RiskWatch;
	/** Downloads on one host at a time. */
	readonly perHost: number;
	/** A new link is asked for from so long before the deadline on. */
	readonly refreshBeforeMs: number;
	/** Called at the end of each attempt. */
	readonly changed: () => void;
	readonly signal: AbortSignal;
}

export interface Attempts {
	begin(taken: Taken): void;
	/** Breaks one off: what it holds is kept for later. */
	giveWay(stream: StreamName): void;
	/** Breaks off all others. */
	keepOnly(isOurs: (stream: StreamName) => boolean): void;
	count(): number;
	/** How many of them were begun to find out whether the log and the disk work again. */
	probes(): number;
	readonly pauses: Pauses;
	problems(): readonly Problem[];
	/** How many came to rest, by what. */
	rested(): { readonly archived: number; readonly lost: number };
	/** Resolves when none of these is under way, or, by default, none at all. */
	settled(ofThese?: (stream: StreamName) => boolean): Promise<void>;
}

/** Makes the bookkeeping of attempts. */
export function createAttempts(deps: AttemptsDeps, options: AttemptsOptions): Attempts {
	const { pendings, agenda, bandwidth, changed, signal } = options;
	const underway = new Map<StreamName, Underway>();
	const pauses = createPauses(deps.retryPolicy);
	const rested = { archived: 0, lost: 0 };

	/** Half of the time that is left, as for all retries (retry.ts); infinite when it is over. */
	const mostDelayMs = (deadline: number, now: number): number =>
		deadline <= now ? Number.POSITIVE_INFINITY : Math.max((deadline - now) / 2, deps.retryPolicy.minDelayMs);
	const pause = (message: string): void => {
		const now = deps.clock.now();
		const delays = Array.from(pendings.all(), ({ deadline }) => mostDelayMs(deadline, now));
		const least = delays.reduce((left, right) => Math.min(left, right), Number.POSITIVE_INFINITY);
		pauses.fault(message, now, least);
	};
	/** What may be wrong for all waits behind the others: one of them finds out whether it is. */
	const afterPause = ({ deadline }: PendingRecording): number => {
		const now = deps.clock.now();
		return now + Math.min(2 * Math.max(pauses.until() - now, 0), mostDelayMs(deadline, now));
	};
	const pauseFor = (pending: PendingRecording, failure: NotedFailure): NotedFailure => {
		if (failure.reason !== "storage") return failure;
		pause(failure.message);
		return { ...failure, nextAttemptAt: Math.max(failure.nextAttemptAt ?? 0, afterPause(pending)) };
	};
	const absorb = (pending: PendingRecording, result: AttemptResult): void => {
		const { stream, newestLink } = pending;
		switch (result._tag) {
			case "Rested":
				rested[result.state === "archived" ? "archived" : "lost"] += 1;
				pendings.remove(stream, result.links);
				break;
			case "Deferred":
				pendings.note(stream, result.newestLink, pauseFor(pending, result.failure));
				options.risks.failed(pendings.get(stream), deps.clock.now());
				break;
			case "Overtaken":
			// Were it to be chosen again at once, it would give way again at once.
			case "GaveWay":
				pendings.postpone(stream, newestLink, deps.clock.now() + deps.retryPolicy.minDelayMs);
				break;
			case "Stopped":
				break;
		}
		setPace(deps, agenda, { host: pending.host, result, perHost: options.perHost });
		tellPauses(result);
	};
	/** What came as far as the video store shows that it works; the log was told of everything that came to an end. */
	const tellPauses = (result: AttemptResult): void => {
		if (result._tag === "Rested" && result.state === "archived") pauses.passed();
		else if (result._tag === "Deferred" && CAME_TO_STORE.has(result.failure.reason)) pauses.passed();
		else if (result._tag === "Rested") pauses.unclear();
		else if (result._tag === "Deferred" && result.failure.reason !== "storage") pauses.unclear();
	};
	const absorbError = (pending: PendingRecording, error: unknown): void => {
		const { stream, newestLink, attempts } = pending;
		const now = deps.clock.now();
		observe(() =>
			deps.logger.error({ stream, error: describeError(error) }, "an attempt could not be finished"),
		);
		// Each attempt may download a whole video before the log refuses to hear of it: the pauses grow.
		if (isStoreFault(error) && error.retryable) {
			pause(error.message);
			pendings.postpone(stream, newestLink, afterPause(pending));
			return;
		}
		// Nothing that waiting a second would mend, and nothing that the other recordings have to wait for.
		const nextAttemptAt = now + deps.retryPolicy.maxDelayMs;
		const message = isStoreFault(error) ? error.message : "the archiver failed; see the log";
		pendings.note(stream, newestLink, { attempt: attempts, reason: "fault", message, nextAttemptAt });
	};
	const attempt = async ({ pending, isLate }: Taken, abort: AbortSignal): Promise<void> => {
		const startedAt = deps.clock.now();
		const progress = createDownloadProgress(deps, pending);
		const isDying = isLate || isAboutToDie(pending, startedAt, options.refreshBeforeMs);
		const watch = watchOf({ pending, isLate, progress, agenda, bandwidth, clock: deps.clock });
		try {
			const ended = await archiveRecording(deps, pending, { signal: abort, watch, isDying });
			const result: AttemptResult = ended._tag === "Stopped" && !signal.aborted ? { _tag: "GaveWay" } : ended;
			absorb(pending, result);
			progress.ended(reportAttempt(deps, pending, result, deps.clock.now() - startedAt));
		} catch (error) {
			absorbError(pending, error);
			progress.ended("fault");
		}
	};
	return {
		begin(taken) {
			const { stream } = taken.pending;
			const abort = new AbortController();
			const stop = (): void => abort.abort("stopping");
			signal.addEventListener("abort", stop, { once: true });
			if (signal.aborted) stop();
			const finish = (): void => {
				signal.removeEventListener("abort", stop);
				underway.delete(stream);
				agenda.release(stream);
				observe(() => bandwidth.underway(underway.size, deps.clock.now()));
				changed();
			};
			const startedAt = deps.clock.now();
			const isProbe = pauses.isProbing();
			if (isProbe) pauses.probe(startedAt);
			bandwidth.underway(underway.size + 1, startedAt);
			// Nobody waits for this until the end: whatever came of it, it must not end the process.
			const finished = attempt(taken, abort.signal).then(finish, finish);
			underway.set(stream, { startedAt, isProbe, abort, finished });
		},
		giveWay: (stream) => underway.get(stream)?.abort.abort("gives way"),
		keepOnly(isOurs) {
			for (const [stream, { abort }] of underway) if (!isOurs(stream)) abort.abort("gives way");
		},
		count: () => underway.size,
		probes: () => [...underway.values()].filter(({ isProbe }) => isProbe).length,
		pauses,
		problems: () =>
			[pauses.message(), describeLong([...underway.values()], deps.clock.now())]
				.filter((message) => message !== undefined)
				.map(archiverProblem),
		rested: () => ({ ...rested }),
		async settled(ofThese = () => true) {
			await Promise.all([...underway].flatMap(([stream, { finished }]) => (ofThese(stream) ? finished : [])));
		},
	};
}

function watchOf(of: {
	readonly pending: PendingRecording;
	readonly isLate: boolean;
	readonly progress: DownloadProgress;
	readonly agenda: Agenda;
	readonly bandwidth: Bandwidth;
	readonly clock: Clock;
}): DownloadWatch {
	const { pending, isLate, progress, agenda, bandwidth, clock } = of;
	const { stream } = pending;
	let size: { totalBytes?: number; heldBytes: number } = { heldBytes: 0 };
	return {
		opened(opened) {
			size = { ...opened };
			agenda.learn(stream, size);
			if (!isLate && agenda.givesWay(stream, size.totalBytes)) return false;
			progress.opened(size);
			return true;
		},
		received(bytes) {
			size.heldBytes += bytes;
			agenda.learn(stream, size);
			bandwidth.add(bytes, clock.now());
			progress.received(bytes);
		},
	};
}

/** It was tried, and there is not much time left. */
function isAboutToDie({ deadline, attempts }: PendingRecording, now: number, beforeMs: number): boolean {
	return now >= deadline || (attempts > 0 && now >= deadline - beforeMs);
}

/** A host that asks for patience, or cannot be reached, is asked less, and more again with each video that it gives. */
function setPace(
	{ clock, random, retryPolicy: policy }: Pick<ArchiveDeps, "clock" | "random" | "retryPolicy">,
	agenda: Agenda,
	of: { readonly host: string; readonly result: AttemptResult; readonly perHost: number },
): void {
	const { host, result, perHost } = of;
	const pace = agenda.pace(host);
	if (result._tag === "Rested" && result.state === "archived") agenda.setPace(host, speedUp(pace, perHost));
	if (result._tag === "Deferred" && ASKS_FOR_PATIENCE.has(result.failure.reason)) {
		const { retryAfterMs } = result;
		agenda.setPace(host, slowDown(pace, { now: clock.now(), random: random(), retryAfterMs, policy }));
	}
}

function describeLong(underway: readonly Underway[], now: number): string | undefined {
	const count = underway.filter(({ startedAt }) => now - startedAt > LONG_ATTEMPT_MS).length;
	if (count === 0) return undefined;
	return `${count} of ${underway.length} downloads under way take more than an hour already`;
}
