import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LOST, type SegmentColumns, SegmentIndex } from "./segment-index.js";
import { joinHash, type StreamHash } from "./stream-hash.js";

const HEADER_BYTES = 88;
const FIRST_POSITION = 1001;

/** A line of a segment: a record, or what stands for lost events. */
interface Line {
	readonly length: number;
	/** How many positions it takes, when they are lost. */
	readonly lost?: number;
	readonly hash?: StreamHash;
	readonly previous?: number;
}

/** Where the line of each position starts and ends, by hand. */
interface Place {
	readonly position: number;
	readonly from: number;
	readonly to: number;
}

const length = fc.integer({ min: 30, max: 300 });
const record = fc.record({
	length,
	hash: fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 0xffff_ffff })).map(([a, b]) => joinHash(a, b)),
	previous: fc.nat({ max: 1000 }),
});
const lost = fc.record({ length, lost: fc.integer({ min: 1, max: 5 }) });
const lines: fc.Arbitrary<readonly Line[]> = fc.array(fc.oneof({ weight: 4, arbitrary: record }, lost), {
	minLength: 1,
	maxLength: 30,
});

function indexOf(content: readonly Line[]): SegmentIndex {
	const index = new SegmentIndex(3, FIRST_POSITION, HEADER_BYTES);
	for (const line of content) {
		if (line.lost === undefined) index.add(line.hash ?? 0, line.previous ?? 0, line.length);
		else index.addLost(line.lost, line.length);
	}
	return index;
}

function placesOf(content: readonly Line[]): readonly Place[] {
	const places: Place[] = [];
	let from = HEADER_BYTES;
	for (const { length: bytes, lost: count = 1 } of content) {
		for (let left = count; left > 0; left -= 1) {
			places.push({ position: FIRST_POSITION + places.length, from, to: from + bytes });
		}
		from += bytes;
	}
	return places;
}

function lastWithin(places: readonly Place[], { position, from }: Place, maxBytes: number): number {
	const within = places.filter((place) => place.position > position && place.to - from <= maxBytes);
	return within.at(-1)?.position ?? position;
}

function firstWithin(places: readonly Place[], { position, to }: Place, maxBytes: number): number {
	const within = places.filter((place) => place.position < position && to - place.from <= maxBytes);
	return within[0]?.position ?? position;
}

/** Calls `check` for every position and for sizes around the distances to other lines. */
function forEachRun(
	content: readonly Line[],
	size: number,
	check: (index: SegmentIndex, places: readonly Place[], place: Place, maxBytes: number) => void,
): void {
	const index = indexOf(content);
	const places = placesOf(content);
	for (const place of places) {
		for (const other of places) {
			const distance = Math.max(other.to - place.from, place.to - other.from);
			for (const maxBytes of [distance - 1, distance, distance + 1, size])
				check(index, places, place, maxBytes);
		}
	}
}

describe("an index of a segment", () => {
	test("tells where each line starts and ends, those of lost events too", () => {
		fc.assert(
			fc.property(lines, (content) => {
				const index = indexOf(content);
				const places = placesOf(content);
				for (const { position, from, to } of places) {
					expect([index.offsetOf(position), index.endOf(position)]).toEqual([from, to]);
				}
				expect(index.count).toBe(places.length);
				expect(index.lastPosition).toBe(FIRST_POSITION + places.length - 1);
				expect(index.bytes).toBe(places.at(-1)?.to);
				expect(index.lost).toBe(content.reduce((sum, line) => sum + (line.lost ?? 0), 0));
			}),
		);
	});

	test("runs forward as far as whole lines fit, and by one line at least", () => {
		fc.assert(
			fc.property(lines, fc.nat({ max: 2000 }), (content, size) =>
				forEachRun(content, size, (index, places, place, maxBytes) => {
					expect(index.runForward(place.position, maxBytes)).toBe(lastWithin(places, place, maxBytes));
				}),
			),
		);
	});

	test("runs backward as far as whole lines fit, and by one line at least", () => {
		fc.assert(
			fc.property(lines, fc.nat({ max: 2000 }), (content, size) =>
				forEachRun(content, size, (index, places, place, maxBytes) => {
					expect(index.runBackward(place.position, maxBytes)).toBe(firstWithin(places, place, maxBytes));
				}),
			),
			{ numRuns: 30 },
		);
	});

	test("tells which event each one follows, and which was lost", () => {
		fc.assert(
			fc.property(lines, (content) => {
				const index = indexOf(content);
				const previous = content.flatMap((line) =>
					line.lost === undefined ? [line.previous] : Array.from({ length: line.lost }, () => LOST),
				);
				expect(previous.map((_, at) => index.previousOf(FIRST_POSITION + at))).toEqual(previous);
			}),
		);
	});

	test("of no event has no bytes but the header's", () => {
		const index = new SegmentIndex(3, FIRST_POSITION, HEADER_BYTES);
		expect([index.count, index.lastPosition, index.bytes]).toEqual([0, FIRST_POSITION - 1, HEADER_BYTES]);
		expect(index.columns()?.offsets.length).toBe(0);
		index.forgetHashes();
		expect(index.memoryBytes).toBe(0);
	});
});

/** As they come out of a file: of just their length. */
function copyOf({ offsets, previous, fingerprints, shards }: SegmentColumns): SegmentColumns {
	return {
		offsets: offsets.slice(),
		previous: previous.slice(),
		fingerprints: fingerprints.slice(),
		shards: shards.slice(),
	};
}

function answersOf(index: SegmentIndex): unknown {
	const positions = Array.from({ length: index.count }, (_, at) => FIRST_POSITION + at);
	const places = positions.map((position) => [
		index.offsetOf(position),
		index.endOf(position),
		index.previousOf(position),
		index.runForward(position, 500),
		index.runBackward(position, 500),
	]);
	return { places, bytes: index.bytes, lost: index.lost, lastPosition: index.lastPosition };
}

describe("the columns of an index", () => {
	test("make another one like it, which tells of each event in its turn", () => {
		fc.assert(
			fc.property(lines, (content) => {
				const index = indexOf(content);
				const adopted = new SegmentIndex(3, FIRST_POSITION, HEADER_BYTES);
				const told: unknown[] = [];
				adopted.adopt(copyOf(index.columns() as SegmentColumns), index.bytes, (hash, previous) =>
					told.push({ position: adopted.lastPosition, hash, previous }),
				);
				const expected: unknown[] = [];
				let position = FIRST_POSITION;
				for (const line of content) {
					if (line.lost === undefined) expected.push({ position, hash: line.hash, previous: line.previous });
					position += line.lost ?? 1;
				}
				expect(told).toEqual(expected);
				expect(answersOf(adopted)).toEqual(answersOf(index));
				expect(adopted.columns()).toEqual(index.columns());
			}),
		);
	});

	test("make one that goes on, like the one they come from", () => {
		fc.assert(
			fc.property(lines, lines, (content, more) => {
				const adopted = new SegmentIndex(3, FIRST_POSITION, HEADER_BYTES);
				const before = indexOf(content);
				adopted.adopt(copyOf(before.columns() as SegmentColumns), before.bytes, () => {});
				for (const line of more) {
					if (line.lost === undefined) adopted.add(line.hash ?? 0, line.previous ?? 0, line.length);
					else adopted.addLost(line.lost, line.length);
				}
				const whole = indexOf([...content, ...more]);
				expect(answersOf(adopted)).toEqual(answersOf(whole));
				expect(adopted.columns()).toEqual(whole.columns());
			}),
		);
	});

	test("grow past what there was room for, many times over", () => {
		const content = Array.from({ length: 5000 }, (_, at) => ({ length: 30, hash: at, previous: at }));
		const index = indexOf(content);
		expect(index.count).toBe(5000);
		expect(index.columns()?.fingerprints).toEqual(Uint32Array.from({ length: 5000 }, (_, at) => at));
		expect(index.offsetOf(FIRST_POSITION + 4999)).toBe(HEADER_BYTES + 4999 * 30);
	});
});

describe("an index that has forgotten its hashes", () => {
	test("answers as before, in 8 bytes a position, and has no columns", () => {
		fc.assert(
			fc.property(lines, (content) => {
				const index = indexOf(content);
				const before = answersOf(index);
				index.forgetHashes();
				expect(answersOf(index)).toEqual(before);
				expect(index.columns()).toBeUndefined();
				expect(index.memoryBytes).toBe(index.count * 8);
				index.forgetHashes();
				expect(answersOf(index)).toEqual(before);
			}),
		);
	});

	test("takes no more lines, and is as it was when one is refused", () => {
		const index = indexOf([{ length: 30 }]);
		index.forgetHashes();
		const before = answersOf(index);
		expect(() => index.add(1, 0, 30)).toThrow("complete");
		expect(() => index.addLost(1, 30)).toThrow("complete");
		expect(answersOf(index)).toEqual(before);
	});
});
