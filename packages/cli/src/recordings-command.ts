// `reelkeep recordings`: what became of every recording, as a table for people or JSON lines for programs.

import { join } from "node:path";
import { foldRecordings, type Recording, recordingDeadline } from "@reelkeep/core";
import { openFsEventReader } from "@reelkeep/storage-fs";
import Table from "cli-table3";
import { printable, printLines } from "./output.js";
import type { RECORDING_STATES } from "./recording-states.js";

export interface RecordingsFlags {
	readonly data: string;
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
	readonly deadline: string | undefined;
	readonly deadlineSource: string | undefined;
	/** Where the video is kept, as a path from here. */
	readonly video: string | undefined;
	readonly bytes: number | undefined;
	readonly sha256: string | undefined;
	/** Why there is no video (yet). */
	readonly trouble: string | undefined;
	readonly stream: string;
}

/** *Errors*: rejects with a `StoreFault`. */
export async function printRecordings(flags: RecordingsFlags): Promise<void> {
	const reader = await openFsEventReader({ directory: flags.data });
	try {
		const recordings = await foldRecordings(reader.readAll());
		const rows = [...recordings]
			.map(([stream, recording]) => toRow(flags.data, stream, recording))
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
		deadline: deadline === undefined ? undefined : new Date(deadline.at).toISOString(),
		deadlineSource: deadline?.source,
		video: receipt === undefined ? undefined : join(directory, receipt.location),
		bytes: receipt?.bytes,
		sha256: receipt?.sha256,
		trouble: state === "archived" ? undefined : (recording.cause ?? recording.lastFailure),
		stream,
	};
}

function toTable(rows: readonly Row[]): string {
	if (rows.length === 0) return "no recordings";
	const table = new Table({
		head: ["track", "project", "state", "deadline", "video"],
		style: { head: [], border: [] },
	});
	for (const { trackInfo, projectId, state, deadline = "", video, trouble } of rows) {
		table.push([
			printable(trackInfo),
			printable(projectId),
			state,
			deadline,
			printable(video ?? trouble ?? ""),
		]);
	}
	return table.toString();
}
