// Where the durable events of a log stand: in memory, rebuilt at every open.
//
// Memory: about 180 bytes per stream with its name, 8 per event, and 16 per 64 KiB of log. A million recordings
// with two events each take about 200 MB.

import type { StreamName, StreamVersion } from "@reelkeep/core/ports";
import type { RecordFrame } from "./log-format.js";

/** What a reader takes from the file at once: one thread hop serves about 100 events. */
export const BLOCK_BYTES = 64 * 1024;

/** A run of whole records. */
export interface Block {
	readonly firstPosition: number;
	readonly from: number;
	readonly to: number;
}

/** What a scan fills. */
export interface IndexTarget {
	readonly bytes: number;
	readonly position: number;
	versionOf(stream: StreamName): StreamVersion;
	add(frame: RecordFrame, length: number): void;
}

export class LogIndex implements IndexTarget {
	readonly #streams = new Map<StreamName, number[]>();
	readonly #blockPositions: number[] = [];
	readonly #blockOffsets: number[] = [];
	#bytes: number;
	#position = 0;

	/** `headerBytes`: where the first record starts. */
	constructor(headerBytes: number) {
		this.#bytes = headerBytes;
	}

	/** Where the next record will start. */
	get bytes(): number {
		return this.#bytes;
	}

	/** The last event's position; 0 when there is none. */
	get position(): number {
		return this.#position;
	}

	versionOf(stream: StreamName): StreamVersion {
		return this.#streams.get(stream)?.length ?? 0;
	}

	/** Where the event with `version` starts; `undefined` when there is none. */
	offsetOf(stream: StreamName, version: StreamVersion): number | undefined {
		return this.#streams.get(stream)?.[version - 1];
	}

	/** Adds the record that follows the last one. `length`: its bytes, newline included. */
	add(frame: RecordFrame, length: number): void {
		const offset = this.#bytes;
		const offsets = this.#streams.get(frame.stream);
		if (offsets === undefined) this.#streams.set(frame.stream, [offset]);
		else offsets.push(offset);
		if (offset - (this.#blockOffsets.at(-1) ?? Number.NEGATIVE_INFINITY) >= BLOCK_BYTES) {
			this.#blockPositions.push(frame.position);
			this.#blockOffsets.push(offset);
		}
		this.#bytes = offset + length;
		this.#position = frame.position;
	}

	/** The block that holds `position`, which is from 1 to `this.position`. */
	blockHolding(position: number): Block {
		let low = 0;
		let high = this.#blockPositions.length - 1;
		while (low < high) {
			const middle = Math.ceil((low + high) / 2);
			if ((this.#blockPositions[middle] as number) <= position) low = middle;
			else high = middle - 1;
		}
		return {
			firstPosition: this.#blockPositions[low] as number,
			from: this.#blockOffsets[low] as number,
			to: this.#blockOffsets[low + 1] ?? this.#bytes,
		};
	}

	/** Something to add records to without anybody seeing them before `commit`, which returns the index with them. */
	stage(): StagedIndex {
		return this.#position === 0 ? new FreshIndex(this.#bytes) : new AddedIndex(this);
	}
}

export interface StagedIndex extends IndexTarget {
	commit(): LogIndex;
}

/** Instead of an empty index: a whole log need not be staged record by record. */
class FreshIndex extends LogIndex implements StagedIndex {
	commit(): LogIndex {
		return this;
	}
}

class AddedIndex implements StagedIndex {
	readonly #base: LogIndex;
	readonly #added: { readonly frame: RecordFrame; readonly length: number }[] = [];
	readonly #versions = new Map<StreamName, StreamVersion>();
	#bytes: number;

	constructor(base: LogIndex) {
		this.#base = base;
		this.#bytes = base.bytes;
	}

	get bytes(): number {
		return this.#bytes;
	}

	get position(): number {
		return this.#base.position + this.#added.length;
	}

	versionOf(stream: StreamName): StreamVersion {
		return this.#versions.get(stream) ?? this.#base.versionOf(stream);
	}

	add(frame: RecordFrame, length: number): void {
		this.#added.push({ frame, length });
		this.#versions.set(frame.stream, frame.version);
		this.#bytes += length;
	}

	commit(): LogIndex {
		for (const { frame, length } of this.#added) this.#base.add(frame, length);
		return this.#base;
	}
}
