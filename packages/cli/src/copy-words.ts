// What came of a copy, in words. Pure.

import type { CopyConfig } from "./copy-config.js";
import type { CopyReport } from "./copy-store.js";
import type { VideosReport } from "./copy-videos.js";
import type { Download, ProgressSnapshot } from "./download-progress.js";
import { formatBytes } from "./format-bytes.js";
import { printable } from "./output.js";

/** - `none`: the source has none in its data directory, and none were named */
export type KeysOutcome = "copied" | "there" | "none";

/** The line for all, above the bars: `copying (video): 12.0 MiB, 3.2 MiB/s; 7 videos copied`. */
export function summaryText({ downloads, kept }: ProgressSnapshot): string {
	const copied = `${count(kept, "video")} copied`;
	// Between two parts.
	if (downloads.length === 0) return `copying; ${copied}`;
	const sum = (of: (download: Download) => number) => downloads.reduce((total, each) => total + of(each), 0);
	const doing = [...new Set(downloads.map(({ host }) => host))].join(", ");
	const [bytes, rate] = [sum((each) => each.bytes), sum((each) => each.bytesPerSecond)];
	return `copying (${doing}): ${formatBytes(bytes)}, ${formatBytes(rate)}/s; ${copied}`;
}

export function copyToJson({ from, to }: CopyConfig, report: CopyReport, keys: KeysOutcome): string {
	const { events, sha256, copiedEvents, checkpoints, videos, isSourceInUse } = report;
	return JSON.stringify({
		from: from.name,
		to: to.name,
		events,
		copiedEvents,
		sha256,
		checkpoints: checkpoints.count,
		movedCheckpoints: checkpoints.moved,
		checkpointsAhead: checkpoints.ahead,
		videos: videos ?? null,
		keys,
		sourceInUse: isSourceInUse ?? null,
	});
}

export function* copyToText(
	{ from, to, keys }: CopyConfig,
	report: CopyReport,
	outcome: KeysOutcome,
): Generator<string> {
	const { events, sha256, copiedEvents, checkpoints, videos } = report;
	yield `${to.name} is a copy of ${from.name}`;
	yield `${count(events, "event")} (${copiedEvents} copied now), the same on both sides: SHA-256 ${sha256}`;
	yield `${count(checkpoints.count, "checkpoint")} (${checkpoints.moved} moved now); snapshots of projections are not copied, they are made again`;
	if (checkpoints.ahead.length > 0) {
		const names = checkpoints.ahead.map(printable).join(", ");
		yield `further in the copy already, and left there: ${names}`;
	}
	yield outcome === "none"
		? "no keys are copied: there is no keys.json in the data directory; what runs on the copy needs the server's --key-file"
		: `the keys are in ${keys?.to}: keep it secret`;
	yield* videos === undefined ? ["the videos were left where they are"] : videoLines(videos);
	yield* useLines(report);
}

function* videoLines({ archived, copied, copiedBytes, lacking, problems }: VideosReport): Generator<string> {
	yield `${count(archived, "video")} (${copied} copied now, ${formatBytes(copiedBytes)})`;
	if (lacking === 0) return;
	yield `${count(lacking, "video")} not in the copy as the log says:`;
	for (const { location, problem, message } of problems) {
		yield `${problem}: ${printable(location)}: ${printable(message)}`;
	}
	if (lacking > problems.length) yield `and ${lacking - problems.length} more`;
}

function* useLines({ isSourceInUse }: CopyReport): Generator<string> {
	const again = "stop it, and run the same command again: it copies the rest";
	if (isSourceInUse === true)
		yield `a server runs on the source; what it takes from now on is not in the copy: ${again}`;
	if (isSourceInUse === undefined)
		yield `if a server runs on the source, what it takes from now on is not in the copy: ${again}`;
}

function count(number: number, what: string): string {
	return `${number} ${what}${number === 1 ? "" : "s"}`;
}
