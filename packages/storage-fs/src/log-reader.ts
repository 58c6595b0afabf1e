// Reads events out of the log, block by block, never further than the index, which holds only what is durable.

import {
	comparePositions,
	isPosition,
	type Position,
	type ReadAllOptions,
	type ReadStreamOptions,
	type RecordedEvent,
	type StreamName,
	toPosition,
} from "@reelkeep/core/ports";
import { readRange } from "./durable-files.js";
import type { OpenFile } from "./file-system.js";
import { decodeRecord, forEachLine, MAX_RECORD_BYTES } from "./log-format.js";
import type { LogIndex } from "./log-index.js";
import { corruptAt, FIRST_SEGMENT } from "./log-segment.js";

/** More than most events take, so that one read is enough. */
const FIRST_GUESS_BYTES = 4096;

/** A log as a reader sees it. */
export interface LogView {
	readonly file: Pick<OpenFile, "read">;
	readonly index: LogIndex;
	/** Takes in what has become durable since. Throws when the log must no longer be read. */
	refresh(): Promise<void>;
}

/** Checks the options at once; reads when iterated. */
export function readStream(
	view: () => Promise<LogView>,
	stream: StreamName,
	options: ReadStreamOptions = {},
): AsyncIterable<RecordedEvent> {
	checkOptions(options);
	const { after } = options;
	if (after !== undefined && (!Number.isSafeInteger(after) || after < 0)) {
		throw new RangeError("after must be a version: 0 or a positive integer");
	}
	return streamEvents(view, stream, options);
}

/** Checks the options at once; reads when iterated. */
export function readAll(
	view: () => Promise<LogView>,
	options: ReadAllOptions = {},
): AsyncIterable<RecordedEvent> {
	checkOptions(options);
	if (options.after !== undefined && !isPosition(options.after)) {
		throw new RangeError("after must be a position: a decimal string without leading zeros");
	}
	return allEvents(view, options);
}

function checkOptions({ limit, direction }: ReadAllOptions | ReadStreamOptions): void {
	if (
		limit !== undefined &&
		limit !== Number.POSITIVE_INFINITY &&
		(!Number.isSafeInteger(limit) || limit < 0)
	) {
		throw new RangeError("limit must be 0 or a positive integer");
	}
	if (direction !== undefined && direction !== "forward" && direction !== "backward") {
		throw new TypeError('direction must be "forward" or "backward"');
	}
}

async function* streamEvents(
	open: () => Promise<LogView>,
	stream: StreamName,
	{ after, direction, limit = Number.POSITIVE_INFINITY, signal }: ReadStreamOptions,
): AsyncGenerator<RecordedEvent> {
	signal?.throwIfAborted();
	const view = await open();
	await view.refresh();
	const step = direction === "backward" ? -1 : 1;
	const last = view.index.versionOf(stream);
	let version = step === 1 ? (after ?? 0) + 1 : Math.min((after ?? last + 1) - 1, last);
	for (let left = limit; left > 0; left -= 1) {
		if (step === 1 && version > view.index.versionOf(stream)) await view.refresh();
		const offset = view.index.offsetOf(stream, version);
		signal?.throwIfAborted();
		if (offset === undefined) return;
		const event = decodeAt(await readLine(view, offset), offset);
		if (event.stream !== stream || event.version !== version) {
			throw corruptAt(FIRST_SEGMENT, offset, "another event stands here");
		}
		signal?.throwIfAborted();
		yield event;
		version += step;
	}
}

async function* allEvents(
	open: () => Promise<LogView>,
	{ after, direction, limit = Number.POSITIVE_INFINITY, signal }: ReadAllOptions,
): AsyncGenerator<RecordedEvent> {
	signal?.throwIfAborted();
	const view = await open();
	await view.refresh();
	const step = direction === "backward" ? -1 : 1;
	let position = firstPosition(view.index.position, step, after);
	let left = limit;
	while (left > 0) {
		if (position > view.index.position) await view.refresh();
		signal?.throwIfAborted();
		if (position < 1 || position > view.index.position) return;
		const block = view.index.blockHolding(position);
		const lines = await readLines(view, block.from, block.to);
		const before = position;
		for (; left > 0; left -= 1) {
			const found = lines[position - block.firstPosition];
			if (found === undefined) break;
			signal?.throwIfAborted();
			yield decodeAt(found.line, found.offset, position);
			position += step;
		}
		if (position === before) throw corruptAt(FIRST_SEGMENT, block.from, "events are missing");
	}
}

function firstPosition(last: number, step: number, after: Position | undefined): number {
	const end = toPosition(last);
	if (step === 1) {
		if (after === undefined) return 1;
		return comparePositions(after, end) > 0 ? Number.POSITIVE_INFINITY : Number(after) + 1;
	}
	return after === undefined || comparePositions(after, end) > 0 ? last : Number(after) - 1;
}

async function readLines(view: LogView, from: number, to: number) {
	const lines: { line: Buffer; offset: number }[] = [];
	const bytes = await readRange(view.file, from, to);
	forEachLine(bytes, (line, at) => lines.push({ line, offset: from + at }));
	return lines;
}

async function readLine(view: LogView, offset: number): Promise<Buffer> {
	for (let guess = FIRST_GUESS_BYTES; ; guess *= 4) {
		const bytes = await readRange(view.file, offset, Math.min(offset + guess, view.index.bytes));
		const end = bytes.indexOf("\n");
		if (end !== -1) return bytes.subarray(0, end);
		if (guess > MAX_RECORD_BYTES) throw corruptAt(FIRST_SEGMENT, offset, "an event does not end");
	}
}

function decodeAt(line: Buffer, offset: number, position?: number): RecordedEvent {
	const event = decodeRecord(line);
	if (event === undefined || (position !== undefined && event.position !== String(position))) {
		throw corruptAt(FIRST_SEGMENT, offset, "an event is not what was written");
	}
	return event;
}
