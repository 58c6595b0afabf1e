// Waiting until an archiver has done what can be done now.

import type { ArchiverPlugin, ArchiverSummary } from "@reelkeep/archiver";
import type { Clock } from "@reelkeep/core/ports";

export interface DrainOptions {
	/** For how long to wait, in all, for tries that are not due yet. Milliseconds. */
	readonly patienceMs: number;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	/** Told before each wait. */
	readonly onWait?: (summary: ArchiverSummary) => void;
}

/** A pause ends a little after the try has become due: a timer may be early. */
const LEAST_PAUSE_MS = 100;

/**
 * Waits until nothing is pending, or until no try is due within what is left of the patience. The patience counts pauses
 * only, not downloads, and is whole again whenever a recording comes to rest: then others may, too. Resolves early when
 * `signal` aborts.
 */
export async function drain(
	archiver: Pick<ArchiverPlugin, "whenIdle">,
	options: DrainOptions,
): Promise<ArchiverSummary> {
	const { patienceMs, clock, signal, onWait } = options;
	let rested = 0;
	let leftMs = patienceMs;
	for (;;) {
		const summary = await archiver.whenIdle({ signal });
		const { archived, lost, waiting, nextAttemptAt = Number.POSITIVE_INFINITY } = summary;
		if (waiting === 0 || signal.aborted) return summary;
		if (archived + lost > rested) leftMs = patienceMs;
		rested = archived + lost;
		const pauseMs = Math.max(nextAttemptAt - clock.now(), LEAST_PAUSE_MS);
		if (pauseMs > leftMs) return summary;
		leftMs -= pauseMs;
		onWait?.(summary);
		await clock.sleep(pauseMs, signal);
	}
}
