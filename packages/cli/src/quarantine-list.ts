// `reelkeep quarantine ls`: what is in quarantine, as a table for people or JSON lines for programs.

import { describeIssues, foldQuarantine, QUARANTINE_TYPES, type QuarantinedCallback } from "@reelkeep/core";
import Table from "cli-table3";
import { openEvents } from "./open-events.js";
import { printable, printLines } from "./output.js";
import { shortId, toJson } from "./quarantine-words.js";

export interface QuarantineListFlags {
	readonly data?: string;
	readonly events?: string;
	readonly all: boolean;
	readonly json: boolean;
}

/** *Errors*: throws a `UsageError`; rejects with a `StoreFault`. */
export async function listQuarantine(
	{ all, json, ...place }: QuarantineListFlags,
	environment: NodeJS.ProcessEnv,
): Promise<void> {
	const reader = await openEvents(place, environment);
	try {
		const callbacks = [
			...(await foldQuarantine(reader.readAll({ types: QUARANTINE_TYPES }))).values(),
		].filter(({ redriven }) => all || redriven === undefined);
		await printLines(
			json ? callbacks.map((callback) => JSON.stringify(toJson(callback))) : [toTable(callbacks)],
		);
	} finally {
		await reader.close();
	}
}

function toTable(callbacks: readonly QuarantinedCallback[]): string {
	if (callbacks.length === 0) return "nothing is in quarantine";
	const table = new Table({
		head: ["id", "app", "received", "bytes", "link lives until", "what is wrong, or what became of it"],
		style: { head: [], border: [], compact: true },
	});
	for (const { stream, appKey, receivedAt, bytes, deadline, issues, redriven } of callbacks) {
		const became = redriven === undefined ? describeIssues(issues) : `redriven into ${redriven.recording}`;
		table.push([
			shortId(stream),
			printable(appKey),
			new Date(receivedAt).toISOString(),
			bytes,
			new Date(deadline.at).toISOString(),
			printable(became),
		]);
	}
	return table.toString();
}
