// What a seed makes of its lives: how much is done, what fails, and when the power is cut.

import { chooseRates, NO_FAULTS } from "./faults.js";
import type { LifePlan, PlannedSession } from "./life.js";
import type { Random } from "./random.js";

/** A process restarts in milliseconds, a machine takes longer. */
const OFF_MS = 60_000;

export type Severity = "none" | "some" | "many";

/** A life that may end at any time. */
export function chooseLife(random: Random, severity: Severity, lastEnd: number | undefined): LifePlan {
	const rates = chooseRates(random, random.chance(0.25) ? "none" : severity);
	const sessions = random.pick([1, 1, 2]);
	return {
		rates,
		lateReplies: random.pick([0, 0.2, 0.5]),
		soundFrom: random.chance(0.3) ? random.between(50, 400) : Number.POSITIVE_INFINITY,
		sessions: Array.from({ length: sessions }, () => chooseSession(random)),
		isFollowed: random.chance(0.6),
		cutAt: chooseCut(random),
		endsWithReader: false,
		...startAfter(lastEnd),
	};
}

/** A life in which nothing fails: the store must be usable again, and complete. */
export function lastLife(random: Random, lastEnd: number | undefined): LifePlan {
	const finishing = {
		...chooseSession(random),
		producers: 1,
		appendsEach: 2,
		killAfter: undefined,
		diesOfFaults: false,
		isTight: false,
	};
	return {
		rates: NO_FAULTS,
		lateReplies: 0,
		soundFrom: 0,
		sessions: [
			{ ...finishing, works: random.chance(0.5), finishes: true },
			{ ...finishing, producers: 0, readers: 0, saves: 0, works: false, contends: false },
		],
		isFollowed: random.chance(0.5),
		cutAt: undefined,
		endsWithReader: true,
		...startAfter(lastEnd),
	};
}

/** A short life, to be cut everywhere. */
export function shortLife(random: Random, lastEnd: number | undefined): LifePlan {
	const session = {
		...chooseSession(random),
		producers: 2,
		appendsEach: 2,
		readers: 0,
		saves: 1,
		contends: false,
	};
	return {
		rates: chooseRates(random, random.pick(["none", "some"])),
		lateReplies: 0,
		soundFrom: Number.POSITIVE_INFINITY,
		sessions: [
			{ ...session, works: random.chance(0.5), killAfter: undefined, diesOfFaults: false, finishes: false },
		],
		isFollowed: false,
		cutAt: 160,
		endsWithReader: false,
		...startAfter(lastEnd),
	};
}

/** Opens, checks and closes; nothing else. */
export function checkingLife(random: Random, lastEnd: number | undefined): LifePlan {
	const { segmentBytes } = chooseSession(random);
	const idle = {
		producers: 0,
		appendsEach: 0,
		readers: 0,
		saves: 0,
		works: false,
		contends: false,
		isTight: false,
	};
	return {
		rates: NO_FAULTS,
		lateReplies: 0,
		soundFrom: 0,
		sessions: [{ ...idle, finishes: true, killAfter: undefined, diesOfFaults: false, segmentBytes }],
		isFollowed: false,
		cutAt: undefined,
		endsWithReader: false,
		...startAfter(lastEnd),
	};
}

function chooseSession(random: Random): PlannedSession {
	return {
		producers: random.between(1, 3),
		appendsEach: random.between(1, 4),
		readers: random.below(2),
		saves: random.below(4),
		works: random.chance(0.6),
		contends: random.chance(0.15),
		finishes: false,
		isTight: random.chance(0.1),
		segmentBytes: random.pick([1024, 2048, 4096, 4096, 8192]),
		killAfter: random.chance(0.25) ? random.between(1, 250) : undefined,
		diesOfFaults: random.chance(0.25),
	};
}

function chooseCut(random: Random): number | undefined {
	const kind = random.below(10);
	if (kind < 3) return random.between(1, 70);
	return kind < 9 ? random.between(60, 220) : undefined;
}

function startAfter(lastEnd: number | undefined): { readonly startAt?: number } {
	return lastEnd === undefined ? {} : { startAt: lastEnd + OFF_MS };
}
