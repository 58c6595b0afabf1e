// Reads a log from some record on and says how far it is sound: for recovery, and for readers beside a writer.

import type { OpenFile } from "./file-system.js";
import { forEachLine, MAX_RECORD_BYTES, type RecordFrame, readFrame } from "./log-format.js";
import type { IndexTarget } from "./log-index.js";

const CHUNK_BYTES = 1024 * 1024;

export interface ScanResult {
	/** Where the first line that is not the next sound record starts; `undefined`: every byte was sound. */
	readonly unsoundAt?: number;
	/**
	 * The highest position that some sound record, in front of the unsound line or behind it, states to have been
	 * durable before it was written. Damage up to there is not a torn tail.
	 */
	readonly synced: number;
	/** Where the records start that no later record states to have been durable: the last batch. */
	readonly lastBatchAt: number;
}

/**
 * Adds to `index` all whole appends from its end up to byte `to`. After an unsound line nothing is added any more,
 * but the rest is still searched for records that tell what had been durable.
 */
export async function scanLog(
	file: Pick<OpenFile, "read">,
	index: IndexTarget,
	to: number,
): Promise<ScanResult> {
	const scan = new Scan(index);
	await forEachLineOf(file, index.bytes, to, (line, offset) => scan.take(line, offset));
	return scan.finish(to);
}

class Scan {
	readonly #index: IndexTarget;
	/** The records of an append whose last one has not come yet, and where the first of them starts. */
	#open: { frame: RecordFrame; length: number }[] = [];
	#openAt: number;
	#unsoundAt: number | undefined;
	#synced = 0;
	#lastBatchAt: number;

	constructor(index: IndexTarget) {
		this.#index = index;
		this.#openAt = index.bytes;
		this.#lastBatchAt = index.bytes;
	}

	take(line: Buffer | undefined, offset: number): void {
		const frame = line === undefined ? undefined : readFrame(line);
		if (frame !== undefined && frame.synced > this.#synced) {
			this.#synced = frame.synced;
			if (this.#unsoundAt === undefined) this.#lastBatchAt = offset;
		}
		if (this.#unsoundAt !== undefined) return;
		if (line === undefined || frame === undefined || !this.#isNext(frame)) {
			this.#unsoundAt = offset;
			return;
		}
		this.#open.push({ frame, length: line.length + 1 });
		if (frame.remaining > 0) return;
		for (const record of this.#open) this.#index.add(record.frame, record.length);
		this.#open = [];
		this.#openAt = this.#index.bytes;
	}

	/** Positions have no gaps, versions have no gaps, and an append goes to one stream. */
	#isNext(frame: RecordFrame): boolean {
		const before = this.#open.at(-1)?.frame;
		const position = (before?.position ?? this.#index.position) + 1;
		const version = this.#index.versionOf(frame.stream) + this.#open.length + 1;
		if (frame.position !== position || frame.version !== version) return false;
		return (
			before === undefined || (frame.stream === before.stream && frame.remaining === before.remaining - 1)
		);
	}

	finish(to: number): ScanResult {
		const unsoundAt = this.#unsoundAt ?? (this.#openAt < to ? this.#openAt : undefined);
		const lastBatchAt = Math.min(this.#lastBatchAt, this.#index.bytes);
		return { synced: this.#synced, lastBatchAt, ...(unsoundAt === undefined ? {} : { unsoundAt }) };
	}
}

/** Calls `visit` for each complete line from `from` to `to`; with `undefined` for one that is longer than any record. */
async function forEachLineOf(
	file: Pick<OpenFile, "read">,
	from: number,
	to: number,
	visit: (line: Buffer | undefined, offset: number) => void,
): Promise<void> {
	const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
	let rest = Buffer.alloc(0);
	let restAt = from;
	let isOverlong = false;
	for (let offset = from; offset < to; ) {
		const count = await file.read(chunk.subarray(0, Math.min(CHUNK_BYTES, to - offset)), offset);
		if (count === 0) return;
		offset += count;
		const bytes =
			rest.length === 0 ? chunk.subarray(0, count) : Buffer.concat([rest, chunk.subarray(0, count)]);
		const start = restAt;
		const consumed = forEachLine(bytes, (line, at) => {
			visit(isOverlong ? undefined : line, start + at);
			isOverlong = false;
		});
		restAt = start + consumed;
		rest = Buffer.from(bytes.subarray(consumed));
		if (rest.length < MAX_RECORD_BYTES) continue;
		if (!isOverlong) visit(undefined, restAt);
		isOverlong = true;
		restAt += rest.length;
		rest = Buffer.alloc(0);
	}
}
