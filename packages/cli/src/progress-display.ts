// Where and how a command shows how far its downloads are.

import type { ArchiveProgress } from "@reelkeep/core/ports";
import type { ProgressSnapshot } from "./download-progress.js";

export interface ProgressDisplay {
	/** Takes a notice of the archiver. */
	apply(notice: ArchiveProgress): void;
	/** Calls `write`, which writes whole lines to the terminal, so that they and the bars do not run into each other. */
	beside(write: () => void): void;
	/** Takes away what was drawn; later notices are not shown. Idempotent. */
	stop(): void;
}

/**
 * - `bars`: on a terminal, below everything else
 * - `lines`: now and then
 * - `none`
 */
export type ProgressKind = "bars" | "lines" | "none";

export interface OutputFlags {
	readonly progress: boolean;
	readonly logLevel: string;
}

/** What suits `stream`. CI systems and dumb terminals keep every line, so that bars would fill their logs. */
export function chooseProgress(
	{ progress, logLevel }: OutputFlags,
	{ isTTY }: { readonly isTTY?: boolean },
	{ CI = "", TERM }: NodeJS.ProcessEnv,
): ProgressKind {
	if (!progress || logLevel === "silent") return "none";
	return isTTY === true && TERM !== "dumb" && ["", "0", "false"].includes(CI) ? "bars" : "lines";
}

/** The line for all that is under way. `shown`: how many have a bar. */
export type TotalText = (snapshot: ProgressSnapshot, shown: number) => string;

/**
 * Makes a display on standard error; what draws bars is loaded by those who see them. `total`: what it says of all; default:
 * that of downloads.
 */
export async function openProgressDisplay(kind: ProgressKind, total?: TotalText): Promise<ProgressDisplay> {
	if (kind === "none") return nothing;
	if (kind === "lines") return (await import("./progress-lines.js")).createProgressLines(total);
	const display = (await import("./progress-bars.js")).createProgressBars(process.stderr, total);
	// However the process ends, but by SIGKILL: the shell's prompt does not stand among bars.
	process.once("exit", display.stop);
	return display;
}

const nothing: ProgressDisplay = {
	apply: () => undefined,
	beside: (write) => write(),
	stop: () => undefined,
};
