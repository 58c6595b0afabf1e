// Where the events of one segment stand, and which event of the same stream each of them follows.
//
// Memory: 8 bytes a position; 5 more for each of the segment that is written, until its index file is saved.

import { fingerprintOf, joinHash, type StreamHash, shardOf } from "./stream-hash.js";

/** Instead of the event before in the stream: the event that had this position was lost to damage. */
export const LOST = 0xffff_ffff;
const FIRST_CAPACITY = 1024;
const MAX_OFFSET = 0xffff_ffff;

/** One word, and for the shards one byte, for each position; all of one length. */
export interface SegmentColumns {
	readonly offsets: Uint32Array;
	/** The position of the event before in the same stream; 0: the first of its stream; or `LOST`. */
	readonly previous: Uint32Array;
	readonly fingerprints: Uint32Array;
	readonly shards: Uint8Array;
}

export class SegmentIndex {
	readonly segment: number;
	readonly firstPosition: number;
	/** Where the first record starts. */
	readonly headerBytes: number;
	#offsets: Uint32Array = new Uint32Array(FIRST_CAPACITY);
	#previous: Uint32Array = new Uint32Array(FIRST_CAPACITY);
	/** Only while the segment's index file has not been saved: to be looked up, hashes stand in the table. */
	#fingerprints: Uint32Array | undefined = new Uint32Array(FIRST_CAPACITY);
	#shards: Uint8Array | undefined = new Uint8Array(FIRST_CAPACITY);
	#count = 0;
	#lost = 0;
	#bytes: number;

	constructor(segment: number, firstPosition: number, headerBytes: number) {
		this.segment = segment;
		this.firstPosition = firstPosition;
		this.headerBytes = headerBytes;
		this.#bytes = headerBytes;
	}

	/** How many positions it has. */
	get count(): number {
		return this.#count;
	}

	get lost(): number {
		return this.#lost;
	}

	get lastPosition(): number {
		return this.firstPosition + this.#count - 1;
	}

	/** Where the next line will start. */
	get bytes(): number {
		return this.#bytes;
	}

	get memoryBytes(): number {
		return [this.#offsets, this.#previous, this.#fingerprints, this.#shards].reduce(
			(sum, column) => sum + (column?.byteLength ?? 0),
			0,
		);
	}

	/** Adds the record that follows the last one. */
	add(hash: StreamHash, previous: number, length: number): void {
		this.#push(hash, previous);
		this.#bytes += length;
	}

	/** Adds the line that says that the next `count` positions were lost. */
	addLost(count: number, length: number): void {
		for (let left = count; left > 0; left -= 1) this.#push(0, LOST);
		this.#lost += count;
		this.#bytes += length;
	}

	previousOf(position: number): number {
		return this.#previous[position - this.firstPosition] as number;
	}

	offsetOf(position: number): number {
		return this.#offsets[position - this.firstPosition] as number;
	}

	/** Where the line of `position` ends. */
	endOf(position: number): number {
		const from = this.offsetOf(position);
		for (let next = position + 1; next <= this.lastPosition; next += 1) {
			if (this.offsetOf(next) !== from) return this.offsetOf(next);
		}
		return this.#bytes;
	}

	/** The last position whose line ends within `maxBytes` of where the line of `position` starts, or `position`. */
	runForward(position: number, maxBytes: number): number {
		const limit = this.offsetOf(position) + maxBytes;
		if (this.#bytes <= limit) return this.lastPosition;
		// The line that starts last within the limit may end behind it; lost events share one line.
		const last = this.offsetOf(this.#lastStartingBy(limit));
		return last <= this.offsetOf(position) ? position : this.#lastStartingBy(last - 1);
	}

	/** The first position whose line starts within `maxBytes` in front of where the line of `position` ends, or `position`. */
	runBackward(position: number, maxBytes: number): number {
		const limit = this.endOf(position) - maxBytes;
		if (this.offsetOf(this.firstPosition) >= limit) return this.firstPosition;
		return Math.min(position, this.#lastStartingBy(limit - 1) + 1);
	}

	#lastStartingBy(offset: number): number {
		let low = 0;
		let high = this.#count - 1;
		while (low < high) {
			const middle = Math.ceil((low + high) / 2);
			if ((this.#offsets[middle] as number) <= offset) low = middle;
			else high = middle - 1;
		}
		return this.firstPosition + low;
	}

	/** What its index file holds; `undefined` once `forgetHashes` was called. */
	columns(): SegmentColumns | undefined {
		if (this.#fingerprints === undefined || this.#shards === undefined) return undefined;
		return {
			offsets: this.#offsets.subarray(0, this.#count),
			previous: this.#previous.subarray(0, this.#count),
			fingerprints: this.#fingerprints.subarray(0, this.#count),
			shards: this.#shards.subarray(0, this.#count),
		};
	}

	/** Takes over what an index file held, up to byte `bytes` of the segment. Only when nothing was added yet. */
	adopt(columns: SegmentColumns, bytes: number, onEvent: (hash: StreamHash, previous: number) => void): void {
		this.#offsets = columns.offsets;
		this.#previous = columns.previous;
		this.#fingerprints = columns.fingerprints;
		this.#shards = columns.shards;
		this.#bytes = bytes;
		const { previous, fingerprints, shards } = columns;
		for (let at = 0; at < previous.length; at += 1) {
			const before = previous[at] as number;
			this.#count = at + 1;
			if (before === LOST) this.#lost += 1;
			else onEvent(joinHash(shards[at] as number, fingerprints[at] as number), before);
		}
	}

	/** The segment is complete and its index file saved: what only that needed is given up, and spare room too. */
	forgetHashes(): void {
		this.#offsets = this.#offsets.slice(0, this.#count);
		this.#previous = this.#previous.slice(0, this.#count);
		this.#fingerprints = undefined;
		this.#shards = undefined;
	}

	#push(hash: StreamHash, previous: number): void {
		if (this.#fingerprints === undefined || this.#shards === undefined) {
			throw new Error("nothing is added to a segment that is complete");
		}
		if (this.#bytes > MAX_OFFSET) throw new RangeError("a segment of the event log has more than 4 GiB");
		const at = this.#count;
		if (at === this.#offsets.length) this.#grow();
		this.#offsets[at] = this.#bytes;
		this.#previous[at] = previous;
		this.#fingerprints[at] = fingerprintOf(hash);
		this.#shards[at] = shardOf(hash);
		this.#count = at + 1;
	}

	#grow(): void {
		this.#offsets = doubled(this.#offsets, Uint32Array);
		this.#previous = doubled(this.#previous, Uint32Array);
		this.#fingerprints = doubled(this.#fingerprints as Uint32Array, Uint32Array);
		this.#shards = doubled(this.#shards as Uint8Array, Uint8Array);
	}
}

function doubled<Column extends Uint32Array | Uint8Array>(
	column: Column,
	make: new (length: number) => Column,
): Column {
	const larger = new make(Math.max(FIRST_CAPACITY, column.length * 2));
	larger.set(column);
	return larger;
}
