// `reelkeep recordings`: what became of every recording, as a table for people or JSON lines for programs.

import { join } from "node:path";
import { foldRecordings, type Recording, recordingDeadline } from "@reelkeep/core";
import { openFsEventReader } from "@reelkeep/storage-fs";
import Table from "cli-table3";
import { requireDirectory } from "./flags.js";
import { printable, printLines, warningsOnly } from "./output.js";
import type { RECORDING_STATES } from "./recording-states.js";

export interface RecordingsFlags {
	readonly data?: string;
	readonly track?: string;
	readonly state?: (typeof RECORDING_STATES)[number];
	readonly json: boolean;
}

interface Row {
	readonly trackInfo: string;
	readonly projectId: string;
	readonly gameId: string;
	readonly object: string;
	readonly state: string;
	/** When the last of its links dies, ISO 8601, and whose word that is. */
	readonly deadline: string | null;
	readonly deadlineSource: string | null;
	/** Where the video is kept, as a path from here. */
	readonly video: string | null;
	readonly bytes: number | null;
	readonly sha256: string | null;
	/** Why there is no video (yet). */
	readonly trouble: string | null;
	readonly stream: string;
}

/** *Errors*: rejects with a `StoreFault`. */
export async function printRecordings(flags: RecordingsFlags): Promise<void> {
	const directory = requireDirectory(flags.data);
	const reader = await openFsEventReader({ directory, logger: warningsOnly });
	try {
		const recordings = await foldRecordings(reader.readAll());
		const rows = [...recordings]
			.map(([stream, recording]) => toRow(directory, stream, recording))
			.filter(({ trackInfo }) => flags.track === undefined || trackInfo === flags.track)
			.filter(({ state }) => flags.state === undefined || state === flags.state);
		await printLines(flags.json ? rows.map((row) => JSON.stringify(row)) : [toTable(rows)]);
	} finally {
		await reader.close();
	}
}

function toRow(directory: string, stream: string, recording: Recording): Row {
	const { reported, receipt, state } = recording;
	const deadline = recordingDeadline(recording);
	return {
		trackInfo: reported?.trackInfo ?? "",
		projectId: reported?.projectId ?? "",
		gameId: reported?.gameId ?? "",
		object: reported?.object ?? "",
		state,
		deadline: deadline === undefined ? null : new Date(deadline.at).toISOString(),
		deadlineSource: deadline?.source ?? null,
		video: receipt === undefined ? null : join(directory, receipt.location),
		bytes: receipt?.bytes ?? null,
		sha256: receipt?.sha256 ?? null,
		trouble: state === "archived" ? null : (recording.cause ?? recording.lastFailure ?? null),
		stream,
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
