// Tells who listens that a recording is at risk: once for each of its links and reasons, early enough to act.

import type { Notices, RecordingAtRisk } from "@reelkeep/core/ports";
import { failingNotice, findFailing, overloadNotice } from "./at-risk.js";
import type { PendingRecording } from "./pending.js";

/** Going over everything that is pending takes a moment: not more often. */
const LOOK_EVERY_MS = 10_000;

export interface RiskWatch {
	/** Looks again when that is due. */
	look(now: number): void;
	/** When it is worth a look, if nothing changes. */
	nextAt(): number;
	/** One has just failed. */
	failed(pending: PendingRecording | undefined, now: number): void;
}

export function createRiskWatch(options: {
	readonly all: () => Iterable<PendingRecording>;
	readonly overloaded: () => readonly PendingRecording[];
	readonly notices: Notices;
	readonly atRiskMs: number;
}): RiskWatch {
	const { all, overloaded, notices, atRiskMs } = options;
	/** `reason newestLink` of what was told and is at risk still. */
	let told = new Set<string>();
	let nextAt = 0;
	const keyOf = (reason: RecordingAtRisk["reason"], { newestLink }: PendingRecording): string =>
		`${reason} ${newestLink}`;
	const tell = (pending: PendingRecording, notice: RecordingAtRisk): string => {
		const key = keyOf(notice.reason, pending);
		if (!told.has(key)) notices.emit(notice);
		return key;
	};
	return {
		look(now) {
			if (now < nextAt) return;
			nextAt = now + LOOK_EVERY_MS;
			const keys = [
				...findFailing(all(), { now, atRiskMs }).map((pending) => tell(pending, failingNotice(pending))),
				...overloaded().map((pending) => tell(pending, overloadNotice(pending))),
			];
			told = new Set(keys);
		},
		nextAt: () => nextAt,
		failed(pending, now) {
			if (pending !== undefined && pending.deadline <= now + atRiskMs) {
				told.add(tell(pending, failingNotice(pending)));
			}
		},
	};
}
