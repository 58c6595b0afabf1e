// Which recordings are attempted next. Pure; issue 6 puts more behind it (size, bandwidth, hosts).

import type { PendingRecording } from "./pending.js";

export interface Schedule {
	/** To be attempted now, the earliest deadline first. */
	readonly due: readonly PendingRecording[];
	/** When the next of the others is due, UTC milliseconds; absent: none will be before something changes. */
	readonly nextDueAt?: number;
}

/** Chooses at most `free` of the recordings that are due and not busy. *Shape*: one pass over all of them. */
export function scheduleNext(
	recordings: Iterable<PendingRecording>,
	options: { readonly now: number; readonly free: number; readonly isBusy: (stream: string) => boolean },
): Schedule {
	const { now, free, isBusy } = options;
	const due: PendingRecording[] = [];
	let nextDueAt = Number.POSITIVE_INFINITY;
	for (const pending of recordings) {
		if (isBusy(pending.stream)) continue;
		const dueAt = pending.nextAttemptAt ?? 0;
		if (dueAt > now) nextDueAt = Math.min(nextDueAt, dueAt);
		else insertByDeadline(due, pending, free);
	}
	return { due, ...(Number.isFinite(nextDueAt) ? { nextDueAt } : {}) };
}

/** Keeps `due` sorted and no longer than `limit`: that is the concurrency, so a few comparisons each. */
function insertByDeadline(due: PendingRecording[], pending: PendingRecording, limit: number): void {
	const behind = due.findIndex((other) => other.deadline > pending.deadline);
	due.splice(behind === -1 ? due.length : behind, 0, pending);
	if (due.length > limit) due.pop();
}
