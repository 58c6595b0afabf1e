// What must hold of one read: order, no gaps, nothing left out that was there for certain when it began.

import type { ReadAllOptions, ReadStreamOptions, RecordedEvent, StreamName } from "@reelkeep/core/ports";
import type { Model } from "./model.js";

/** Who reads, and what is wrong when it is. */
export interface Onlooker {
	readonly model: Model;
	readonly who: string;
	readonly report: (violation: string) => void;
	readonly now: () => number;
}

export interface Reading {
	take(event: RecordedEvent): void;
	/** The read has come to its end by itself. */
	end(): void;
}

/** What a read counts: positions of the log, or versions of a stream. */
interface Counted {
	readonly what: string;
	readonly of: (event: RecordedEvent) => number;
	/** The last one that was there for certain when the read began. */
	readonly last: number;
	readonly after: number | undefined;
	readonly options: ReadAllOptions | ReadStreamOptions;
}

/** `last`: the position that the reader must know of. */
export function readingOfLog(onlooker: Onlooker, options: ReadAllOptions, last: number): Reading {
	const after = options.after === undefined ? undefined : Number(options.after);
	const what = "the log";
	return createReading(onlooker, { what, of: ({ position }) => Number(position), last, after, options });
}

/** `last`: the version that the reader must know of. */
export function readingOfStream(
	onlooker: Onlooker,
	stream: StreamName,
	options: ReadStreamOptions,
	last: number,
): Reading {
	const reading = createReading(onlooker, {
		what: stream,
		of: ({ version }) => version,
		last,
		after: options.after,
		options,
	});
	return {
		end: reading.end,
		take(event) {
			if (event.stream !== stream)
				onlooker.report(`${onlooker.who} reads ${stream} and gets an event of ${event.stream}`);
			reading.take(event);
		},
	};
}

function createReading(
	{ model, who, report, now }: Onlooker,
	{ what, of, last, after, options }: Counted,
): Reading {
	const { direction = "forward", limit = Number.POSITIVE_INFINITY } = options;
	const step = direction === "forward" ? 1 : -1;
	// Backward from the end, the first one is what it is.
	let next = step === 1 ? (after ?? 0) + 1 : after === undefined ? undefined : after - 1;
	let count = 0;
	return {
		take(event) {
			const number = of(event);
			const isOffEnd = step === -1 && count === 0 && next !== undefined && number < next && number >= last;
			if (next === undefined && number < last)
				report(`${who} reads ${what} backward from ${number}, and it has ${last}`);
			if (next !== undefined && number !== next && !isOffEnd) {
				report(`${who} reads ${what} ${direction} and gets ${number} instead of ${next}`);
			}
			if (!isFrozen(event)) report(`${who} gets an event that can be changed`);
			model.seen(event, who, now());
			next = number + step;
			count += 1;
			if (count > limit) report(`${who} gets more than the ${limit} events that it asked for`);
		},
		end() {
			if (count >= limit) return;
			const isWhole = step === 1 ? (next ?? 1) > last : next === undefined ? last === 0 : next < 1;
			// Backward with `after` behind the end of the log, an empty log has nothing to give.
			if (isWhole || (step === -1 && count === 0 && last === 0)) return;
			report(`${who} reads ${what} ${direction}, is told that it ends before ${next}, and it has ${last}`);
		},
	};
}

function isFrozen(event: RecordedEvent): boolean {
	return Object.isFrozen(event) && Object.isFrozen(event.data) && Object.isFrozen(event.metadata);
}
