// Many scenarios of downloads that go wrong, some at a time, and how to see one of them again.

import type { FaultSubject } from "./fault-lives.js";
import type { End } from "./fault-oracle.js";
import { describePlan, drawFaultPlan } from "./fault-plan.js";
import { runFaultPlan } from "./fault-run.js";

export interface FaultSeeds {
	readonly first: number;
	readonly count: number;
}

/** Which seeds the environment wants: `REELKEEP_FAULT_SEED` alone, or `REELKEEP_FAULT_SCENARIOS` from it, or from 1, on. */
export function readFaultSeeds(defaultCount: number, env: NodeJS.ProcessEnv = process.env): FaultSeeds {
	const { REELKEEP_FAULT_SEED: seed, REELKEEP_FAULT_SCENARIOS: scenarios } = env;
	return {
		first: Number(seed ?? 1),
		count: Number(scenarios ?? (seed === undefined ? defaultCount : 1)),
	};
}

export interface FaultReport {
	/** One for each seed that went wrong, for people; no more than a few. */
	readonly failures: readonly string[];
	/** How many recordings came to each end. */
	readonly ends: ReadonlyMap<End, number>;
	/** What origins answered. */
	readonly statuses: ReadonlySet<number>;
}

/** Most of a scenario is waiting for sockets and timers: as many go on at once as keep a processor busy. */
const AT_A_TIME = 12;
/** After so many that went wrong no more are begun. */
const MOST_FAILURES = 3;

/** Runs the scenarios of `seeds`, each with a subject of its own. */
export async function runFaultSeeds(
	{ first, count }: FaultSeeds,
	createSubject: () => FaultSubject,
): Promise<FaultReport> {
	const failures: string[] = [];
	const ends = new Map<End, number>();
	const statuses = new Set<number>();
	let next = first;
	const work = async (): Promise<void> => {
		while (next < first + count && failures.length < MOST_FAILURES) {
			const seed = next;
			next += 1;
			const plan = drawFaultPlan(seed);
			const result = await runFaultPlan(plan, createSubject());
			for (const end of result.ends) ends.set(end, (ends.get(end) ?? 0) + 1);
			for (const status of result.statuses) statuses.add(status);
			if (result.violations.length === 0) continue;
			const again = `REELKEEP_FAULT_SEED=${seed} runs it alone; its plan: ${describePlan(plan)}`;
			failures.push([`seed ${seed}:`, ...result.violations, again].join("\n  "));
		}
	};
	await Promise.all(Array.from({ length: AT_A_TIME }, work));
	return { failures, ends, statuses };
}
