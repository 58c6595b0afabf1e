// How a command that runs for a while ends: by a signal, and in time.

import { constants } from "node:os";
import { describeError, type Logger } from "@reelkeep/core";
import type { Reelkeep } from "@reelkeep/core/container";

/** Past this, a stop is no longer waited for: an orchestrator would kill the process soon after. */
const STOP_TIMEOUT_MS = 25_000;

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** What a process ends with that a signal ended, as shells tell it. */
export function exitCodeOf(signal: NodeJS.Signals): number {
	return 128 + constants.signals[signal];
}

export function nextSignal(): Promise<NodeJS.Signals> {
	return new Promise((resolve) => {
		for (const signal of SIGNALS) process.once(signal, resolve);
	});
}

/** Aborts at the first SIGTERM or SIGINT, with its name as the reason; a second one ends the process at once. */
export function abortOnSignal(): AbortSignal {
	const stopping = new AbortController();
	for (const signal of SIGNALS) {
		process.on(signal, () => {
			if (stopping.signal.aborted) process.exit(exitCodeOf(signal));
			stopping.abort(signal);
		});
	}
	return stopping.signal;
}

/** Stops `reelkeep`; resolves with whether all of it stopped, cleanly and in time. What did not is logged. */
export async function stopInTime(reelkeep: Reelkeep, logger: Logger): Promise<boolean> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<"late">((resolve) => {
		timer = setTimeout(resolve, STOP_TIMEOUT_MS, "late");
	});
	try {
		const ended = await Promise.race([reelkeep.stop(), late]);
		if (ended === "late") logger.error({ timeoutMs: STOP_TIMEOUT_MS }, "not everything stopped in time");
		return ended !== "late";
	} catch (error) {
		logger.error({ error: describeError(error) }, "not everything stopped cleanly");
		return false;
	} finally {
		clearTimeout(timer);
	}
}
