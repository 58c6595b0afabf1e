// What goes over an owner's socket. The owner sends lines of JSON; a reader sends one byte, whatever it is, to be told
// how far the log is durable now.

import type { Watermark } from "./log-files.js";
import type { OwnerIdentity } from "./ownership.js";

/** The first line. `durable` is null while the owner still recovers its log. */
export interface Greeting extends OwnerIdentity {
	readonly reelkeep: "owner";
	readonly protocol: 1;
	readonly durable: Watermark | null;
}

/** Every later line: unasked when the log has grown, and in answer to what was asked. */
export interface Progress {
	readonly durable: Watermark;
	/** How many bytes had come from the reader when this was sent. */
	readonly asked: number;
}

/** No line is longer; a peer that sends more is not an owner. */
const MAX_LINE_BYTES = 1024;

/** Cuts a stream of text into lines. Throws a `RangeError` when a line is too long. */
export function createLineSplitter(onLine: (line: string) => void): (text: string) => void {
	let rest = "";
	return (text) => {
		const lines = (rest + text).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) onLine(line);
		if (rest.length > MAX_LINE_BYTES) throw new RangeError("a line of the owner's socket is too long");
	};
}

/** A greeting, or `undefined` when the line is none. */
export function parseGreeting(line: string): Greeting | undefined {
	const value = parse(line) as Partial<Greeting> | undefined;
	if (value?.reelkeep !== "owner" || value.protocol !== 1) return undefined;
	if (!Number.isSafeInteger(value.pid) || typeof value.host !== "string") return undefined;
	return { ...(value as Greeting), durable: isWatermark(value.durable) ? value.durable : null };
}

/** A later line, or `undefined` when the line is none. */
export function parseProgress(line: string): Progress | undefined {
	const { durable, asked } = (parse(line) ?? {}) as Partial<Progress>;
	return isWatermark(durable) && Number.isSafeInteger(asked)
		? { durable, asked: asked as number }
		: undefined;
}

function isWatermark(value: unknown): value is Watermark {
	const { segment, bytes, position } = (value ?? {}) as Partial<Watermark>;
	return [segment, bytes, position].every(
		(number) => Number.isSafeInteger(number) && (number as number) >= 0,
	);
}

function parse(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch {
		return undefined;
	}
}
