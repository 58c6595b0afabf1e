// The query that the flags of `reelkeep recordings` come to.

import { type RecordingsOrder, type RecordingsQuery, recordingsProjection } from "@reelkeep/core";
import { parseTime, parseWholeNumber } from "./flag-values.js";
import { UsageError } from "./flags.js";
import type { RecordingsFlags } from "./recordings-options.js";

/** Everything but the limit of one page. */
export type AskedRecordings = Omit<RecordingsQuery, "limit"> & { readonly order: RecordingsOrder };

/** *Errors*: throws a `UsageError` that names the flag. */
export function readRecordingsQuery(flags: RecordingsFlags): AskedRecordings {
	const { track, project, account, game, state, order, after } = flags;
	const times = {
		deadlineAfter: parseTime("--deadline-after", flags.deadlineAfter),
		deadlineBefore: parseTime("--deadline-before", flags.deadlineBefore),
		recordedAfter: parseTime("--recorded-after", flags.recordedAfter),
		recordedBefore: parseTime("--recorded-before", flags.recordedBefore),
	};
	const given = {
		...times,
		trackInfo: track,
		projectId: project,
		accountId: account,
		gameId: game,
		state,
		cursor: after,
	};
	const asked: AskedRecordings = {
		order,
		...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
	};
	checkCursor(asked);
	return asked;
}

/** How many rows are asked for; infinite: all. *Errors*: throws a `UsageError`. */
export function readRecordingsLimit({ limit }: RecordingsFlags): number {
	return parseWholeNumber("--limit", limit, { least: 1 }) ?? Number.POSITIVE_INFINITY;
}

/** Before the log is read: that may take a while. */
function checkCursor(asked: AskedRecordings): void {
	try {
		recordingsProjection.initialState().query({ ...asked, limit: 1 });
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		throw new UsageError(
			"--after takes the cursor of a row, as `reelkeep recordings --json` prints it with the same --order",
		);
	}
}
