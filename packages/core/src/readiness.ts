// Whether callbacks can be received, as `/readyz` and the gRPC health service tell it.

import type { Clock, Health, Problem } from "./ports/runtime.js";
import { withinTime } from "./within-time.js";

/** A check that takes longer is a problem itself. */
const CHECK_TIME_MS = 5_000;

export interface Readiness {
	/**
	 * - `ready`: nothing is wrong
	 * - `degraded`: callbacks can be received. That must not take the receiver out of service: callbacks that go nowhere
	 *   are lost
	 * - `failing`: they cannot
	 */
	readonly status: "ready" | "degraded" | "failing";
	readonly problems: readonly Problem[];
}

/** Asks within 5 s; never rejects. `source` is who asks: it answers for a check that fails or takes too long. */
export async function checkReadiness(health: Health, clock: Clock, source: string): Promise<Readiness> {
	const problems = await findProblems(health, clock, source);
	const isFailing = problems.some(({ severity }) => severity !== "degraded");
	return { status: problems.length === 0 ? "ready" : isFailing ? "failing" : "degraded", problems };
}

async function findProblems(health: Health, clock: Clock, source: string): Promise<readonly Problem[]> {
	try {
		const problems = await withinTime(clock, health.check(), CHECK_TIME_MS);
		return problems ?? [{ source, message: "the health check takes too long" }];
	} catch {
		return [{ source, message: "the health check failed" }];
	}
}
