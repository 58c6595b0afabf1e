// `reelkeep doctor`: compares the event log with the videos, and mends what can be mended.

import { systemClock } from "@reelkeep/core/container";
import {
	inspectFsVideos,
	isWrongFinding,
	type Mending,
	mendFsVideos,
	type VideoFinding,
	type VideoInspection,
} from "@reelkeep/storage-fs";
import { describeFinding, describeMending, inMib } from "./doctor-words.js";
import { requireDirectory, UsageError } from "./flags.js";
import { printLines } from "./output.js";
import { slowProgress } from "./slow-progress.js";
import { allowsNetworkFileSystem, type NetworkFileSystemFlags } from "./storage-config.js";

export interface DoctorFlags extends NetworkFileSystemFlags {
	readonly data?: string;
	readonly hashes: boolean;
	readonly fix: boolean;
	readonly allMissing: boolean;
	readonly json: boolean;
}

/** Resolves with the exit code. *Errors*: throws a `UsageError`; rejects with a `StoreFault`. */
export async function doctor(flags: DoctorFlags, environment: NodeJS.ProcessEnv): Promise<number> {
	const { hashes, fix, allMissing, json } = flags;
	if (allMissing && !fix) throw new UsageError("--all-missing is about what --fix does: give both");
	const allowNetworkFileSystem = allowsNetworkFileSystem(flags, environment);
	const tell = slowProgress();
	const options = {
		directory: requireDirectory(flags.data),
		hashes,
		onProgress: ({ videos, of, bytes }: { videos: number; of: number; bytes: number }): void =>
			tell(() => `looked at ${videos} of ${of} videos, ${inMib(bytes)} read`),
	};
	const report = fix
		? await mendFsVideos({ ...options, allowNetworkFileSystem, allMissing, clock: systemClock })
		: { found: await inspectFsVideos(options), mendings: [], areHeldBack: false };
	const { found, mendings } = report;
	const wrong = found.findings.filter((finding, at) =>
		isStillWrong(finding, found.isOwned, mendings[at]),
	).length;
	await printLines(json ? [toJson(report, wrong)] : toLines(report, { wrong, hashes, fix }));
	return wrong === 0 ? 0 : 1;
}

interface Report {
	readonly found: VideoInspection;
	/** Empty unless mending was asked for. */
	readonly mendings: readonly Mending[];
	/** Every kept video is missing, and none of them was mended. */
	readonly areHeldBack: boolean;
}

function isStillWrong(finding: VideoFinding, isOwned: boolean, mending: Mending | undefined): boolean {
	return mending?._tag !== "Mended" && isWrongFinding(finding, isOwned);
}

function toJson({ found, mendings, areHeldBack }: Report, wrong: number): string {
	const { findings, ...counts } = found;
	const told = findings.map((finding, at) => {
		const mending = mendings[at];
		const isWrong = isStillWrong(finding, found.isOwned, mending);
		return { ...finding, isWrong, ...(mending && { mending }) };
	});
	return JSON.stringify({ sound: wrong === 0, ...counts, areHeldBack, findings: told });
}

interface Asked {
	readonly wrong: number;
	readonly hashes: boolean;
	readonly fix: boolean;
}

function* toLines(
	{ found, mendings, areHeldBack }: Report,
	{ wrong, hashes, fix }: Asked,
): Generator<string> {
	const now = systemClock.now();
	yield* describeCounts(found, hashes);
	for (const [at, finding] of found.findings.entries()) {
		yield describeFinding(finding, found.isOwned);
		const mending = mendings[at];
		if (mending !== undefined) yield `  ${describeMending(finding, mending, now)}`;
	}
	if (wrong === 0) yield "log and videos agree";
	else yield fix ? `${wrong} not mended` : adviceFor(found, wrong);
	if (areHeldBack) yield ALL_MISSING;
}

const ALL_MISSING =
	"every kept video is missing, as if the folder of videos were on a disk that is not mounted: mount it, and nothing is " +
	"wrong; or, if they are gone, run `reelkeep doctor --fix --all-missing` with the same flags";

function* describeCounts(found: VideoInspection, hashes: boolean): Generator<string> {
	const { recordings, position, archived, archivedElsewhere, files, bytes, hashed, unfinished, isOwned } =
		found;
	const elsewhere = archivedElsewhere === 0 ? "" : `, ${archivedElsewhere} in another store`;
	yield `${recordings} recordings up to position ${position}, of which ${archived} are archived here${elsewhere}`;
	yield `${files} videos, ${inMib(bytes)}; ${
		hashes
			? `the SHA-256 of ${hashed} compared with their receipts`
			: "lengths compared with receipts (--hashes reads every byte)"
	}`;
	if (unfinished === 0) return;
	yield isOwned
		? `${unfinished} unfinished downloads of the running Reelkeep: being written, or left to go on with`
		: `${unfinished} unfinished downloads, with which the next start goes on`;
}

function adviceFor({ isOwned }: VideoInspection, wrong: number): string {
	const stop = isOwned ? "stop Reelkeep, then run" : "run";
	return `${wrong} wrong; nothing was changed. To mend it: ${stop} \`reelkeep doctor --fix\` with the same flags`;
}
