// The flags of `reelkeep recordings`. Loads nothing of the core: every command reads this.

import type { RecordingsOrder } from "@reelkeep/core";
import { Option } from "commander";
import { RECORDING_STATES } from "./recording-states.js";

const ORDERS: readonly RecordingsOrder[] = ["oldest-first", "newest-first", "deadline"];
const TIME = "a time with its zone, or milliseconds since 1970";

export interface RecordingsFlags {
	readonly data?: string;
	readonly events?: string;
	readonly track?: string;
	readonly project?: string;
	readonly account?: string;
	readonly game?: string;
	readonly state?: (typeof RECORDING_STATES)[number];
	readonly deadlineAfter?: string;
	readonly deadlineBefore?: string;
	readonly recordedAfter?: string;
	readonly recordedBefore?: string;
	readonly order: RecordingsOrder;
	readonly limit?: string;
	readonly after?: string;
	readonly json: boolean;
}

export function recordingsOptions(): readonly Option[] {
	return [
		new Option("--track <track_info>", "only recordings of this call chain"),
		new Option("--project <project_id>", "only recordings of this project"),
		new Option("--account <account_id>", "only recordings of this account"),
		new Option("--game <game_id>", "only recordings of this game"),
		new Option("--state <state>", "only recordings in this state").choices(RECORDING_STATES),
		new Option("--deadline-after <time>", `only those whose last link dies then or later: ${TIME}`),
		new Option("--deadline-before <time>", "only those whose last link dies before that"),
		new Option("--recorded-after <time>", "only those that were first reported then or later"),
		new Option("--recorded-before <time>", "only those that were first reported before that"),
		new Option("--order <order>", "by their first report, or the earliest deadline first")
			.choices(ORDERS)
			.default("oldest-first"),
		new Option("--limit <n>", "so many at most (default: all)"),
		new Option(
			"--after <cursor>",
			"only what comes behind this one: the cursor of a row, as --json prints it",
		),
	];
}
