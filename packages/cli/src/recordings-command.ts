// `reelkeep recordings`: what became of every recording, as a table for people or JSON lines for programs.

import { join } from "node:path";
import {
	foldProjection,
	MAX_RECORDINGS_PER_PAGE,
	type RecordingRow,
	type RecordingsModel,
	type RecordingsOrder,
	recordingCursor,
	recordingsProjection,
} from "@reelkeep/core";
import Table from "cli-table3";
import { openEvents } from "./open-events.js";
import { printable, printLines } from "./output.js";
import { type AskedRecordings, readRecordingsLimit, readRecordingsQuery } from "./recordings-flags.js";
import type { RecordingsFlags } from "./recordings-options.js";

interface Row {
	readonly trackInfo: string;
	readonly projectId: string;
	readonly gameId: string;
	readonly accountId: string;
	readonly accountDomain: number | null;
	readonly object: string;
	readonly state: string;
	/** When it was first reported, ISO 8601. */
	readonly recordedAt: string;
	/** When the last of its links dies, ISO 8601, and whose word that is. */
	readonly deadline: string | null;
	readonly deadlineSource: string | null;
	/** Where the video is kept: a path from here with a data directory, else its location in the store. */
	readonly video: string | null;
	readonly bytes: number | null;
	readonly sha256: string | null;
	/** Why there is no video (yet). */
	readonly trouble: string | null;
	readonly stream: string;
	/** What `--after` takes to go on behind it. */
	readonly cursor: string;
}

/** *Errors*: throws a `UsageError`; rejects with a `StoreFault`. */
export async function printRecordings(flags: RecordingsFlags, environment: NodeJS.ProcessEnv): Promise<void> {
	const asked = readRecordingsQuery(flags);
	const limit = readRecordingsLimit(flags);
	const reader = await openEvents(flags, environment);
	try {
		const model = await foldProjection(recordingsProjection, reader.readAll());
		const rows = map(select(model, asked, limit), (row) => toRow(flags.data, row, asked.order));
		if (flags.json) return await printLines(map(rows, (row) => JSON.stringify(row)));
		const shown = [...rows];
		const last = shown.at(-1)?.cursor;
		const hasMore = last !== undefined && model.query({ ...asked, cursor: last, limit: 1 }).rows.length > 0;
		await printLines([toTable(shown), ...(hasMore ? [`there are more: --after ${last}`] : [])]);
	} finally {
		await reader.close();
	}
}

/** At most `limit` rows, page by page. */
function* select(model: RecordingsModel, asked: AskedRecordings, limit: number): Generator<RecordingRow> {
	let cursor = asked.cursor;
	let left = limit;
	do {
		const page = {
			limit: Math.min(left, MAX_RECORDINGS_PER_PAGE),
			...(cursor === undefined ? {} : { cursor }),
		};
		const { rows, next } = model.query({ ...asked, ...page });
		yield* rows;
		left -= rows.length;
		cursor = next;
	} while (cursor !== undefined && left > 0);
}

function* map<From, To>(values: Iterable<From>, change: (value: From) => To): Generator<To> {
	for (const value of values) yield change(value);
}

function toRow(directory: string | undefined, row: RecordingRow, order: RecordingsOrder): Row {
	const { stream, reported, receipt, state, deadline, cause, lastFailure, recordedAt } = row;
	return {
		trackInfo: reported?.trackInfo ?? "",
		projectId: reported?.projectId ?? "",
		gameId: reported?.gameId ?? "",
		accountId: reported?.accountId ?? "",
		accountDomain: reported?.accountDomain ?? null,
		object: reported?.object ?? "",
		state,
		recordedAt: new Date(recordedAt).toISOString(),
		deadline: deadline === undefined ? null : new Date(deadline.at).toISOString(),
		deadlineSource: deadline?.source ?? null,
		video: receipt === undefined ? null : directory ? join(directory, receipt.location) : receipt.location,
		bytes: receipt?.bytes ?? null,
		sha256: receipt?.sha256 ?? null,
		trouble: state === "archived" ? null : (cause ?? lastFailure ?? null),
		stream,
		cursor: recordingCursor(row, order),
	};
}

function toTable(rows: readonly Row[]): string {
	if (rows.length === 0) return "no recordings";
	const table = new Table({
		head: ["track", "project", "state", "deadline", "video, or what is in its way"],
		style: { head: [], border: [], compact: true },
	});
	for (const { trackInfo, projectId, state, deadline, video, trouble } of rows) {
		const outcome = printable(video ?? trouble ?? "");
		table.push([printable(trackInfo), printable(projectId), state, deadline ?? "", outcome]);
	}
	return table.toString();
}
