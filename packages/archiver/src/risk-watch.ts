// Tells who listens that a recording is at risk: once for each of its links and reasons, early enough to act.

import type { Notices, RecordingAtRisk, StreamName } from "@reelkeep/core/ports";
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

/** What was said of one pending recording's newest link. */
interface Told {
	readonly newestLink: string;
	readonly reasons: readonly RecordingAtRisk["reason"][];
}

export function createRiskWatch(options: {
	readonly all: () => Iterable<PendingRecording>;
	readonly overloaded: () => readonly PendingRecording[];
	readonly notices: Notices;
	readonly atRiskMs: number;
}): RiskWatch {
	const { all, overloaded, notices, atRiskMs } = options;
	let told = new Map<StreamName, Told>();
	let lookedAt = Number.NEGATIVE_INFINITY;
	const tell = ({ stream, newestLink }: PendingRecording, notice: RecordingAtRisk): void => {
		const known = told.get(stream);
		const reasons = known?.newestLink === newestLink ? known.reasons : [];
		if (reasons.includes(notice.reason)) return;
		told.set(stream, { newestLink, reasons: [...reasons, notice.reason] });
		notices.emit(notice);
	};
	const forgetRested = (): void => {
		const kept = new Map<StreamName, Told>();
		for (const { stream } of all()) {
			const known = told.get(stream);
			if (known !== undefined) kept.set(stream, known);
		}
		told = kept;
	};
	return {
		look(now) {
			// Also when the clock was set back.
			if (now >= lookedAt && now < lookedAt + LOOK_EVERY_MS) return;
			lookedAt = now;
			if (told.size > 0) forgetRested();
			for (const pending of findFailing(all(), { now, atRiskMs })) tell(pending, failingNotice(pending));
			for (const pending of overloaded()) tell(pending, overloadNotice(pending));
		},
		nextAt: () => lookedAt + LOOK_EVERY_MS,
		failed(pending, now) {
			if (pending !== undefined && pending.deadline <= now + atRiskMs) tell(pending, failingNotice(pending));
		},
	};
}
