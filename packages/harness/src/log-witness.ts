// Looks at a log again and again, as `reelkeep events` prints it, and remembers: what was there once must stay as it was.

import type { PrintedEvent } from "./temporary-receiver.js";

export interface LogWitness {
	/** Takes what was printed behind the last line taken. */
	absorb(lines: readonly string[]): void;
	/** Takes what was printed from the first line on, and compares what is known. */
	absorbWhole(lines: readonly string[]): void;
	/** The position of the last line; `undefined` before the first. */
	lastPosition(): string | undefined;
	/** Every line so far, in order. */
	readonly lines: readonly string[];
	/** How often each track was reported, as the log tells it. */
	readonly reports: ReadonlyMap<string, number>;
	/** The streams of the tracks. */
	readonly streams: ReadonlyMap<string, string>;
	/** The events of a stream that are about what became of its video. */
	outcomes(stream: string): readonly PrintedEvent[];
	/** What of it no log may have: a line each, the first few. */
	readonly problems: readonly string[];
}

/** Tracks for which the log is not what their senders know: a line each. */
export function contradictions(
	{ reports }: Pick<LogWitness, "reports">,
	{ sent, acknowledged }: { readonly sent: ReadonlySet<string>; readonly acknowledged: ReadonlySet<string> },
): readonly string[] {
	return [
		...[...acknowledged].filter((track) => !reports.has(track)).map((track) => `${track} is lost`),
		...[...reports].flatMap(([track, times]) => (times > 1 ? [`${track} is there ${times} times`] : [])),
		...[...reports.keys()].filter((track) => !sent.has(track)).map((track) => `${track} was never sent`),
	];
}

const OUTCOMES = new Set(["RecordingArchived", "LinkExpired", "ArchiveAbandoned", "ArchiveAttemptFailed"]);
const MAX_PROBLEMS = 20;

export function createLogWitness(): LogWitness {
	const lines: string[] = [];
	const problems: string[] = [];
	const ids = new Set<string>();
	const versions = new Map<string, number>();
	const reports = new Map<string, number>();
	const streams = new Map<string, string>();
	const outcomes = new Map<string, PrintedEvent[]>();
	let last: string | undefined;

	const complain = (problem: string): void => {
		if (problems.length < MAX_PROBLEMS) problems.push(problem);
	};
	const checkOrder = ({ id, stream, version, position }: PrintedEvent): void => {
		if (last !== undefined && BigInt(position) !== BigInt(last) + 1n) {
			complain(`position ${position} follows ${last}`);
		}
		const before = versions.get(stream) ?? 0;
		if (version !== before + 1) complain(`version ${version} of ${stream} follows ${before}`);
		if (ids.has(id)) complain(`event ${id} is there twice, again at ${position}`);
		ids.add(id);
		versions.set(stream, version);
		last = position;
	};
	const absorbOne = (line: string): void => {
		const event: PrintedEvent = JSON.parse(line);
		lines.push(line);
		checkOrder(event);
		if (event.type === "RecordingReported") {
			const track = String(event.data.trackInfo);
			reports.set(track, (reports.get(track) ?? 0) + 1);
			streams.set(track, event.stream);
		}
		if (OUTCOMES.has(event.type)) {
			outcomes.set(event.stream, [...(outcomes.get(event.stream) ?? []), event]);
		}
	};
	const absorb = (added: readonly string[]): void => added.forEach(absorbOne);
	return {
		lines,
		problems,
		reports,
		streams,
		absorb,
		absorbWhole(whole) {
			const known = lines.length;
			const changed = lines.findIndex((line, index) => whole[index] !== line);
			if (changed !== -1) complain(`line ${changed + 1} was ${lines[changed]} and is ${whole[changed]}`);
			absorb(whole.slice(known));
		},
		lastPosition: () => last,
		outcomes: (stream) => outcomes.get(stream) ?? [],
	};
}
