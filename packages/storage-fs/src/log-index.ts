// Where the events of a log stand, in memory. The names of streams are not in it: whoever finds a stream here compares
// the name that is stored with its last event.
//
// Memory: 8 bytes an event and 11 to 22 a stream; a million recordings with two events each take about 35 MB.

import type { StreamName } from "@reelkeep/core/ports";
import type { Watermark } from "./log-files.js";
import { type SegmentColumns, SegmentIndex } from "./segment-index.js";
import type { StreamHash, StreamHasher } from "./stream-hash.js";
import { StreamTable } from "./stream-table.js";

/** Positions are kept in 32 bits, of which the highest value says "lost". */
export const MAX_POSITION = 0xffff_fffe;

export class LogIndex {
	readonly #hasher: StreamHasher;
	readonly #segments: SegmentIndex[] = [];
	readonly #table = new StreamTable();

	constructor(hasher: StreamHasher) {
		this.#hasher = hasher;
	}

	/** The key of its hash: index files that were made with another one are of no use. */
	get hashKey(): string {
		return this.#hasher.key;
	}

	/** The last event's position; 0 when there is none. */
	get position(): number {
		return this.#segments.at(-1)?.lastPosition ?? 0;
	}

	/** How many events were lost to damage, and are missing since a repair. */
	get lost(): number {
		return this.#segments.reduce((sum, { lost }) => sum + lost, 0);
	}

	get streams(): number {
		return this.#table.streams;
	}

	get memoryBytes(): number {
		return this.#segments.reduce((sum, { memoryBytes }) => sum + memoryBytes, this.#table.bytes);
	}

	get segments(): readonly SegmentIndex[] {
		return this.#segments;
	}

	/** The segment that is written. */
	get active(): SegmentIndex {
		const active = this.#segments.at(-1);
		if (active === undefined) throw new Error("the log has no segment yet");
		return active;
	}

	/** The end of what is in it. */
	get end(): Watermark {
		const { segment, bytes } = this.active;
		return { segment, bytes, position: this.position };
	}

	/** Begins the next segment. */
	startSegment(headerBytes: number): SegmentIndex {
		const next = new SegmentIndex(this.#segments.length + 1, this.position + 1, headerBytes);
		this.#segments.push(next);
		return next;
	}

	/** Adds the record that follows the last one. `previous`: the event before in its stream, 0 when it is the first. */
	add(hash: StreamHash, previous: number, length: number): void {
		const { active } = this;
		active.add(hash, previous, length);
		this.#table.set(hash, previous, active.lastPosition);
	}

	addLost(count: number, length: number): void {
		this.active.addLost(count, length);
	}

	/** Takes over what an index file tells of the segment that was just started. */
	adopt(columns: SegmentColumns, bytes: number): void {
		const { active } = this;
		active.adopt(columns, bytes, (hash, previous) => this.#table.set(hash, previous, active.lastPosition));
	}

	hash(stream: StreamName): StreamHash {
		return this.#hasher.hash(stream);
	}

	/** The last events of all streams that have this hash. */
	candidates(hash: StreamHash): readonly number[] {
		return this.#table.candidates(hash);
	}

	/** The event of the same stream before the one at `position`; 0 when it is the first. */
	previousOf(position: number): number {
		return this.segmentOf(position).previousOf(position);
	}

	/** The segment that holds `position`, which is from 1 to `this.position`. */
	segmentOf(position: number): SegmentIndex {
		let low = 0;
		let high = this.#segments.length - 1;
		while (low < high) {
			const middle = Math.ceil((low + high) / 2);
			if ((this.#segments[middle] as SegmentIndex).firstPosition <= position) low = middle;
			else high = middle - 1;
		}
		return this.#segments[low] as SegmentIndex;
	}
}
