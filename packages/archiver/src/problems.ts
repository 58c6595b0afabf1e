// What keeps videos from being kept, in words that say what to do. Pure; shown on `/readyz`.

import type { Problem } from "@reelkeep/core/ports";
import { findFailing } from "./at-risk.js";
import { storedFailureKind } from "./failure.js";
import type { PendingRecording } from "./pending.js";

/** A person reads this: the first few say what is wrong, and a count says how much. */
const MAX_PROBLEMS = 10;

export const PLUGIN_NAME = "archiver";

/** Whatever keeps videos from being kept, callbacks are received all the same. */
export function archiverProblem(message: string): Problem {
	return { source: PLUGIN_NAME, message, severity: "degraded" };
}

/**
 * Describes what is wrong: every distinct obstacle of our own (a host that is not allowed, a disk, a key), and the
 * recordings that failed so far and whose last link dies within `atRiskMs`. Names hosts and counts, never a link.
 */
export function describeProblems(
	recordings: Iterable<PendingRecording>,
	options: {
		readonly now: number;
		readonly atRiskMs: number;
		/** Those for which, by the measured bandwidth, there is no time. */
		readonly overloaded?: readonly PendingRecording[];
	},
): readonly Problem[] {
	const obstacles = new Map<string, number>();
	const all = [...recordings];
	for (const { failure } of all) {
		if (failure === undefined || !isObstacle(failure.reason)) continue;
		obstacles.set(failure.message, (obstacles.get(failure.message) ?? 0) + 1);
	}
	const messages = [
		...[...obstacles].map(([message, count]) => `${message}; ${describeCount(count)} for it`),
		...describeOverload(options.overloaded ?? []),
		...describeFailing(findFailing(all, options)),
	];
	return limit(messages).map(archiverProblem);
}

/** `fault`: the archiver itself could not go on with a recording. */
function isObstacle(reason: string): boolean {
	return reason === "fault" || storedFailureKind(reason) === "ours";
}

function describeCount(count: number): string {
	return count === 1 ? "1 recording waits" : `${count} recordings wait`;
}

function describeFailing(failing: readonly PendingRecording[]): readonly string[] {
	const why = (first: PendingRecording) => `and the last try failed: ${first.failure?.message ?? ""}`;
	return describeAtRisk(failing, why);
}

function describeOverload(overloaded: readonly PendingRecording[]): readonly string[] {
	const why = () =>
		"and by the measured bandwidth there is no time to download all of them: more bandwidth helps";
	return describeAtRisk(overloaded, why);
}

function describeAtRisk(
	atRisk: readonly PendingRecording[],
	why: (first: PendingRecording) => string,
): readonly string[] {
	const first = atRisk.reduce<PendingRecording | undefined>(
		(earliest, pending) =>
			earliest === undefined || pending.deadline < earliest.deadline ? pending : earliest,
		undefined,
	);
	if (first === undefined) return [];
	const count = atRisk.length === 1 ? "1 recording is" : `${atRisk.length} recordings are`;
	const deadline = new Date(first.deadline).toISOString();
	return [`${count} at risk: the first link (${first.host}) dies at ${deadline}, ${why(first)}`];
}

function limit(messages: readonly string[]): readonly string[] {
	if (messages.length <= MAX_PROBLEMS) return messages;
	// The last message is about what is at risk: it is never the one that is cut.
	const cut = messages.length - MAX_PROBLEMS;
	return [...messages.slice(0, MAX_PROBLEMS - 1), `and ${cut} more obstacles`, ...messages.slice(-1)];
}
