// How callbacks are verified: who calls, which headers may be signed, how far a clock may be off.

import ms from "ms";
import { listOf, UsageError } from "./flags.js";

export interface VerifierFlags {
	readonly verify: "top" | "spi";
	readonly signedHeader?: readonly string[];
	readonly clockTolerance: string;
}

export interface VerifierConfig {
	readonly direction: "gateway" | "spi";
	readonly signedHeaders?: readonly string[];
	readonly clockToleranceMs: number;
}

/** More would make an old, captured request good for a day and longer. */
const MAX_CLOCK_TOLERANCE_MS = 24 * 3_600_000;

/** *Errors*: throws a `UsageError`. */
export function readVerifierConfig(flags: VerifierFlags, environment: NodeJS.ProcessEnv): VerifierConfig {
	const signedHeaders = flags.signedHeader ?? listOf(environment.REELKEEP_SIGNED_HEADER);
	if (signedHeaders.length > 0 && flags.verify !== "spi") {
		throw new UsageError("--signed-header goes with --verify spi: the gateway's senders sign no headers");
	}
	return {
		direction: flags.verify === "spi" ? "spi" : "gateway",
		...(signedHeaders.length > 0 ? { signedHeaders } : {}),
		clockToleranceMs: parseTolerance(flags.clockTolerance),
	};
}

function parseTolerance(text: string): number {
	const toleranceMs = /[a-z]$/i.test(text) ? ms(text as ms.StringValue) : undefined;
	if (toleranceMs === undefined || !(toleranceMs > 0 && toleranceMs <= MAX_CLOCK_TOLERANCE_MS)) {
		throw new UsageError("--clock-tolerance takes a duration such as 10m or 90s, at most 24h");
	}
	return toleranceMs;
}
