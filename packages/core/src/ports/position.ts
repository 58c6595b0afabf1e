import type { Position } from "./event-store.js";

const POSITION = /^(?:0|[1-9][0-9]{0,39})$/;

/** Whether `text` is a position as it stands in JSON. */
export function isPosition(text: unknown): text is Position {
	return typeof text === "string" && POSITION.test(text);
}

/** Turns a store's own number into a position, or throws a `RangeError`: only stores and codecs make positions. */
export function toPosition(value: string | number | bigint): Position {
	const text = String(value);
	if (!isPosition(text)) throw new RangeError("a position is a decimal string without leading zeros");
	return text;
}

/** Negative when `a` comes first, positive when `b` does, 0 when they are the same. */
export function comparePositions(a: Position, b: Position): number {
	if (a.length !== b.length) return a.length - b.length;
	return a < b ? -1 : a > b ? 1 : 0;
}
