// Which recordings may be lost unless somebody acts: those that failed and whose deadline comes near, and those for which
// the plan has no time. Pure.

import type { RecordingAtRisk } from "@reelkeep/core/ports";
import type { PendingRecording } from "./pending.js";

/** What failed so far and dies within `atRiskMs`. */
export function findFailing(
	recordings: Iterable<PendingRecording>,
	{ now, atRiskMs }: { readonly now: number; readonly atRiskMs: number },
): readonly PendingRecording[] {
	return [...recordings].filter(
		({ failure, deadline }) => failure !== undefined && deadline <= now + atRiskMs,
	);
}

export function failingNotice({ stream, host, deadline, failure }: PendingRecording): RecordingAtRisk {
	const message = `the last try failed: ${failure?.message ?? "nobody knows why"}`;
	return { type: "recordingAtRisk", stream, host, deadline, reason: "failing", message };
}

export function overloadNotice({ stream, host, deadline }: PendingRecording): RecordingAtRisk {
	const message = "by the measured bandwidth there is no time left to download it: others go first";
	return { type: "recordingAtRisk", stream, host, deadline, reason: "overload", message };
}
