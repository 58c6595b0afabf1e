// What every in-memory reading has in common: selecting by version or position, forward or backward. Pure.

import type {
	ExpectedVersion,
	ReadAllOptions,
	ReadStreamOptions,
	RecordedEvent,
	StreamVersion,
} from "../ports/event-store.js";
import { comparePositions } from "../ports/position.js";

export function meetsExpectation(actual: StreamVersion, expected: ExpectedVersion): boolean {
	return expected === "any" || actual === (expected === "no-stream" ? 0 : expected);
}

/** The events of one stream that `options` asks for; `events[i]` has version `i + 1`. */
export function selectByVersion(
	events: readonly RecordedEvent[],
	options: ReadStreamOptions,
): readonly RecordedEvent[] {
	const { after, direction = "forward", limit } = options;
	const selected =
		direction === "forward"
			? events.slice(after ?? 0)
			: events.slice(0, after === undefined ? events.length : Math.max(0, after - 1)).reverse();
	return selected.slice(0, limit);
}

/** The events of the whole log that `options` asks for. Follows the log as it grows while it is being read. */
export function* selectByPosition(
	log: readonly RecordedEvent[],
	options: ReadAllOptions,
): Generator<RecordedEvent> {
	const { after, direction = "forward", limit = Number.POSITIVE_INFINITY, types } = options;
	const behind = after === undefined ? undefined : firstBehind(log, after);
	const step = direction === "forward" ? 1 : -1;
	let index = direction === "forward" ? (behind ?? 0) : beforeIndex(log, after, behind);
	for (let count = 0; count < limit; index += step) {
		const event = log[index];
		if (event === undefined) return;
		if (types !== undefined && !types.includes(event.type)) continue;
		yield event;
		count += 1;
	}
}

function beforeIndex(
	log: readonly RecordedEvent[],
	after: ReadAllOptions["after"],
	behind: number | undefined,
): number {
	if (after === undefined || behind === undefined) return log.length - 1;
	const previous = log[behind - 1];
	return previous !== undefined && comparePositions(previous.position, after) === 0 ? behind - 2 : behind - 1;
}

/** The index of the first event with a higher position, by bisection. */
function firstBehind(log: readonly RecordedEvent[], after: NonNullable<ReadAllOptions["after"]>): number {
	let low = 0;
	let high = log.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		const event = log[middle];
		if (event !== undefined && comparePositions(event.position, after) <= 0) low = middle + 1;
		else high = middle;
	}
	return low;
}
