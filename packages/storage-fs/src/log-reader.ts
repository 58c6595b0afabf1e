// Reads events out of the log, run by run, never further than what is visible, which is only what is durable.

import {
	checkReadAll,
	checkReadStream,
	comparePositions,
	type EncodedEvent,
	type EncodedRun,
	isStoreFault,
	type LogReading,
	type Position,
	type ReadAllOptions,
	type ReadStreamOptions,
	type RecordedEvent,
	type StoreFault,
	type StreamName,
	toPosition,
} from "@reelkeep/core/ports";
import {
	decodeRecord,
	decodeRecordEncoded,
	forEachLine,
	isRecordAt,
	readLost,
	recordOf,
} from "./log-format.js";
import type { LogIndex } from "./log-index.js";
import type { SegmentFiles } from "./segment-files.js";
import { damagedEvent, findHead, readLine, type StreamHead } from "./stream-head.js";

/** What a reader takes from the file at first: who wants the last event wants no more. */
const FIRST_RUN_BYTES = 64 * 1024;
/** And then, at once: a thread hop serves about 300 events, which costs a fifth of a replay less. */
const RUN_BYTES = 256 * 1024;

/** A log as a reader sees it. */
export interface LogView {
	readonly index: LogIndex;
	readonly files: Pick<SegmentFiles, "read">;
	/** The last position that may be seen. */
	readonly visible: number;
	/** Takes in what has become durable since. Throws when the log must no longer be read. */
	refresh(): Promise<void>;
	/** Told of damage that a reader met, before the reader throws it. */
	onDamage(fault: StoreFault): void;
}

/** Checks the options at once; reads when iterated. */
export function readStream(
	view: () => Promise<LogView>,
	stream: StreamName,
	options: ReadStreamOptions = {},
): AsyncIterable<RecordedEvent> {
	checkReadStream(options);
	return streamEvents(view, stream, options);
}

/** Checks the options at once; reads when iterated. */
export function readAll(view: () => Promise<LogView>, options: ReadAllOptions = {}): LogReading {
	checkReadAll(options);
	const events = eventsOf(allRuns(view, options, decodeRecord), options.signal);
	return {
		[Symbol.asyncIterator]: () => events,
		encoded: () => encodedOf(allRuns(view, options, decodeRecordEncoded)),
	};
}

async function* streamEvents(
	open: () => Promise<LogView>,
	stream: StreamName,
	{ after, direction, limit = Number.POSITIVE_INFINITY, signal }: ReadStreamOptions,
): AsyncGenerator<RecordedEvent> {
	signal?.throwIfAborted();
	const view = await open();
	await view.refresh();
	const isBackward = direction === "backward";
	const isWanted = (version: number): boolean =>
		isBackward ? version < (after ?? Number.POSITIVE_INFINITY) : version > (after ?? 0);
	let left = limit;
	let seen = 0;
	for (;;) {
		const chain = await chainBehind(view, stream, seen, isWanted);
		seen = chain[0] ?? seen;
		for (const position of isBackward ? chain : chain.reverse()) {
			signal?.throwIfAborted();
			if (left <= 0) return;
			const event = decodeAt(await readLine(view, position), position, decodeRecord);
			if (event?.stream !== stream) throw damaged(view, position);
			if (!isWanted(event.version)) continue;
			signal?.throwIfAborted();
			yield event;
			left -= 1;
		}
		if (isBackward || chain.length === 0) return;
		// What came meanwhile belongs to it.
		await view.refresh();
	}
}

/** The positions of the stream's visible events behind `seen`, the newest first; only wanted ones, where that is known. */
async function chainBehind(
	view: LogView,
	stream: StreamName,
	seen: number,
	isWanted: (version: number) => boolean,
): Promise<number[]> {
	const { index } = view;
	// Nothing new: that is known without reading.
	if (seen !== 0 && index.candidates(index.hash(stream)).includes(seen)) return [];
	const head = await headOf(view, stream);
	if (head === undefined) return [];
	const hasGaps = index.lost > 0;
	const chain: number[] = [];
	let { version } = head;
	for (let { position } = head; position > seen; position = index.previousOf(position)) {
		const isVisible = position <= view.visible;
		if (isVisible && (hasGaps || isWanted(version))) chain.push(position);
		else if (isVisible && chain.length > 0) break; // The wanted versions stand together.
		version -= 1;
	}
	return chain;
}

async function headOf(view: LogView, stream: StreamName): Promise<StreamHead | undefined> {
	try {
		return await findHead(view, stream);
	} catch (error) {
		if (isStoreFault(error) && error.reason === "corrupt") view.onDamage(error);
		throw error;
	}
}

async function* eventsOf(runs: AsyncIterable<readonly RecordedEvent[]>, signal: AbortSignal | undefined) {
	for await (const run of runs) {
		for (const event of run) {
			signal?.throwIfAborted();
			yield event;
		}
	}
}

async function* encodedOf(runs: AsyncIterable<readonly EncodedEvent[]>): AsyncGenerator<EncodedRun> {
	for await (const events of runs) yield { events, position: (events.at(-1) as EncodedEvent).position };
}

/** The wanted events as they stand together in the file, one at least. Those in front of a damaged one come before its fault. */
async function* allRuns<Event extends Pick<RecordedEvent, "position">>(
	open: () => Promise<LogView>,
	{ after, direction, limit = Number.POSITIVE_INFINITY, types, signal }: ReadAllOptions,
	decode: Decode<Event>,
): AsyncGenerator<readonly Event[]> {
	signal?.throwIfAborted();
	const view = await open();
	await view.refresh();
	const step = direction === "backward" ? -1 : 1;
	const isWanted = types === undefined ? () => true : recordOf(types);
	let position = firstPosition(view.visible, step, after);
	let left = limit;
	let runBytes = FIRST_RUN_BYTES;
	while (left > 0) {
		if (position > view.visible) await view.refresh();
		signal?.throwIfAborted();
		if (position < 1 || position > view.visible) return;
		const lines = await readRun(view, { position, step, runBytes });
		runBytes = RUN_BYTES;
		const run = takeRun(lines, position, { step, limit: left, isWanted, decode });
		position = run.position;
		left -= run.events.length;
		if (run.events.length > 0) yield run.events;
		if (run.isDamaged) throw damaged(view, position);
	}
}

interface Taking<Event> {
	readonly step: 1 | -1;
	readonly limit: number;
	readonly isWanted: (line: Buffer) => boolean;
	readonly decode: Decode<Event>;
}

/** The wanted events of `lines`, and the position behind the last line that was looked at, or of the damaged one. */
function takeRun<Event extends Pick<RecordedEvent, "position">>(
	lines: readonly Buffer[],
	from: number,
	{ step, limit, isWanted, decode }: Taking<Event>,
): { readonly events: readonly Event[]; readonly position: number; readonly isDamaged: boolean } {
	const events: Event[] = [];
	let position = from;
	for (const line of lines) {
		const lost = readLost(line);
		if (lost !== undefined) {
			position = step === 1 ? lost.last + 1 : lost.first - 1;
			continue;
		}
		if (events.length >= limit) break;
		if (isWanted(line)) {
			const event = decodeAt(line, position, decode);
			if (event === undefined) return { events, position, isDamaged: true };
			events.push(event);
		} else if (!isRecordAt(line, position)) return { events, position, isDamaged: true };
		position += step;
	}
	return { events, position, isDamaged: position === from };
}

function firstPosition(last: number, step: number, after: Position | undefined): number {
	const end = toPosition(last);
	if (step === 1) {
		if (after === undefined) return 1;
		return comparePositions(after, end) > 0 ? Number.POSITIVE_INFINITY : Number(after) + 1;
	}
	return after === undefined || comparePositions(after, end) > 0 ? last : Number(after) - 1;
}

/** Some lines from the one of `position` on, in the direction of reading. */
async function readRun(
	{ index, files, visible }: LogView,
	{
		position,
		step,
		runBytes,
	}: { readonly position: number; readonly step: 1 | -1; readonly runBytes: number },
): Promise<Buffer[]> {
	const segment = index.segmentOf(position);
	const first = step === 1 ? position : segment.runBackward(position, runBytes);
	const last = step === 1 ? Math.min(segment.runForward(position, runBytes), visible) : position;
	const bytes = await files.read(segment.segment, segment.offsetOf(first), segment.endOf(last));
	const lines: Buffer[] = [];
	forEachLine(bytes, (line) => lines.push(line));
	return step === 1 ? lines : lines.reverse();
}

/** `undefined`: the line is damaged. */
type Decode<Event> = (line: Buffer) => Event | undefined;

function decodeAt<Event extends Pick<RecordedEvent, "position">>(
	line: Buffer,
	position: number,
	decode: Decode<Event>,
): Event | undefined {
	const event = decode(line);
	return event?.position === String(position) ? event : undefined;
}

function damaged(view: LogView, position: number): StoreFault {
	const fault = damagedEvent(view.index, position);
	view.onDamage(fault);
	return fault;
}
