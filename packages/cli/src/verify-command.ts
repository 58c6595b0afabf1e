// `reelkeep verify`: reads the whole event log and tells what is damaged.

import { type LogInspection, verifyFsStorage } from "@reelkeep/storage-fs";
import { requireDirectory } from "./flags.js";
import { printLines } from "./output.js";
import { slowProgress } from "./slow-progress.js";

export interface VerifyFlags {
	readonly data?: string;
	readonly json: boolean;
}

/** Resolves with the exit code. *Errors*: throws a `UsageError`; rejects with a `StoreFault`. */
export async function verify(flags: VerifyFlags): Promise<number> {
	const directory = requireDirectory(flags.data);
	const inspection = await verifyFsStorage({ directory, onProgress: inspectionProgress("checked") });
	const isSound = inspection.damages.length === 0;
	const advice = "Nothing was changed. To mend it: stop Reelkeep, copy the directory, run `reelkeep repair`.";
	const lines = flags.json
		? [JSON.stringify({ sound: isSound, ...inspection })]
		: [...describeInspection(inspection), ...(isSound ? [] : [advice])];
	await printLines(lines);
	return isSound ? 0 : 1;
}

/** Tells on standard error how far a long reading is. */
export function inspectionProgress(done: string) {
	const tell = slowProgress();
	return ({ segment, segments, bytes }: { segment: number; segments: number; bytes: number }): void =>
		tell(() => `${done} ${segment} of ${segments} segments, ${inMib(bytes)}`);
}

/** What was found, for people. */
export function describeInspection(inspection: LogInspection): readonly string[] {
	const { segments, bytes, position, events, lost, damages, tornAt, wrongIndexes } = inspection;
	return [
		`${events} events in ${segments} segments, ${inMib(bytes)}; the last position is ${position}`,
		...lost.map((stretch) => `lost before, as an earlier repair has noted: ${positions(stretch)}`),
		...(tornAt === undefined
			? []
			: [
					`an unfinished append at byte ${tornAt} of the last segment: the next start cuts it; nobody was told of it`,
				]),
		...wrongIndexes.map((segment) => `the index file of segment ${segment} does not fit: it is made again`),
		...damages.map(
			({ segment, from, to, ...stretch }) =>
				`damaged: segment ${segment}, bytes ${from} to ${to}: ${positions(stretch)}`,
		),
		damages.length === 0 ? "the event log is sound" : `the event log is damaged in ${damages.length} places`,
	];
}

function positions({ first, last }: { readonly first: number; readonly last: number }): string {
	if (last < first) return "no event is missing";
	return first === last ? `the event at position ${first}` : `the events at positions ${first} to ${last}`;
}

function inMib(bytes: number): string {
	return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
