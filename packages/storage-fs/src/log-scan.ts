// Reads a segment line by line and says what in it is sound: for recovery, for readers beside a writer, to verify and to
// repair.

import type { StreamName } from "@reelkeep/core/ports";
import type { OpenFile } from "./file-system.js";
import {
	forEachLine,
	type LostLine,
	MAX_RECORD_BYTES,
	type RecordFrame,
	readFrame,
	readLost,
} from "./log-format.js";
import type { LogIndex } from "./log-index.js";
import type { StreamHead } from "./stream-head.js";

const CHUNK_BYTES = 1024 * 1024;

/** A stretch of a segment that is not what was written. */
export interface Damage {
	readonly from: number;
	/** Where the next sound line starts, or the end of what was read. */
	readonly to: number;
	/** The position that should have stood there first. */
	readonly first: number;
	/** The last one; `undefined`: no sound line follows. Less than `first`: no event is missing, only bytes are too many. */
	readonly last: number | undefined;
}

export interface ScanResult {
	/** What an earlier repair has given up. */
	readonly lost: readonly LostLine[];
	/** In their order. Without `salvage` at most one: the first. */
	readonly damages: readonly Damage[];
	/**
	 * The highest position that some sound record, in front of the damage or behind it, states to have been durable
	 * before it was written. Damage up to there is not a torn tail.
	 */
	readonly synced: number;
	/** Where the records start that no later record states to have been durable: the last batch. */
	readonly lastBatchAt: number;
}

export interface ScanOptions {
	readonly file: Pick<OpenFile, "read">;
	/** Its active segment is the one that is read, from the end of what the index holds; sound records are added to it. */
	readonly index: LogIndex;
	/** The byte where to stop. */
	readonly to: number;
	/** Finds a stream that goes on here. */
	findHead(stream: StreamName): Promise<StreamHead | undefined>;
	/** Goes on behind damage, and takes what is sound there. */
	readonly salvage?: boolean;
}

/** Adds to the index all whole appends up to byte `to`; without `salvage`, up to the first line that is not sound. */
export async function scanSegment(options: ScanOptions): Promise<ScanResult> {
	const { file, index, to, findHead, salvage = false } = options;
	const scan = new Scan(index, salvage);
	for await (const lines of linesOf(file, index.active.bytes, to)) {
		for (const stream of scan.unknownStreams(lines)) scan.introduce(stream, await findHead(stream));
		for (const line of lines) scan.take(line);
	}
	return scan.finish(to);
}

interface Line {
	readonly offset: number;
	readonly length: number;
	/** At most one of the two; neither: the line is not sound. */
	readonly frame: RecordFrame | undefined;
	readonly lost: LostLine | undefined;
}

const NEW_STREAM: StreamHead = { position: 0, version: 0 };

class Scan {
	readonly #index: LogIndex;
	readonly #salvage: boolean;
	/** The ends of the streams that were met here. */
	readonly #heads = new Map<StreamName, StreamHead>();
	/** The records of an append whose last one has not come yet. */
	#open: (Line & { readonly frame: RecordFrame })[] = [];
	readonly #lost: LostLine[] = [];
	readonly #damages: Damage[] = [];
	#damage: { readonly from: number; readonly first: number } | undefined;
	/** Behind lost events, versions may have gaps and appends may be cut. */
	#isLoose: boolean;
	#synced = 0;
	#lastBatchAt: number;

	constructor(index: LogIndex, salvage: boolean) {
		this.#index = index;
		this.#salvage = salvage;
		this.#isLoose = index.lost > 0;
		this.#lastBatchAt = index.active.bytes;
	}

	/** The streams that go on in `lines` and that this scan has not met. */
	unknownStreams(lines: readonly Line[]): ReadonlySet<StreamName> {
		const unknown = new Set<StreamName>();
		const begun = new Set<StreamName>();
		for (const { frame } of lines) {
			if (frame === undefined || this.#heads.has(frame.stream) || begun.has(frame.stream)) continue;
			if (frame.version === 1) begun.add(frame.stream);
			else unknown.add(frame.stream);
		}
		return unknown;
	}

	introduce(stream: StreamName, head: StreamHead | undefined): void {
		this.#heads.set(stream, head ?? NEW_STREAM);
	}

	take(line: Line): void {
		const { frame, lost, offset } = line;
		if (frame !== undefined && frame.synced > this.#synced) {
			this.#synced = frame.synced;
			if (this.#damages.length === 0 && this.#damage === undefined) this.#lastBatchAt = offset;
		}
		if (this.#damage !== undefined) this.#leaveDamage(line);
		if (this.#damage !== undefined || (this.#damages.length > 0 && !this.#salvage)) return;
		if (frame !== undefined && this.#isNext(frame)) this.#takeRecord({ ...line, frame });
		else if (lost !== undefined && lost.first === this.#nextPosition()) this.#takeLost(line, lost);
		else this.#enterDamage();
	}

	#nextPosition(): number {
		return this.#index.position + this.#open.length + 1;
	}

	/** Positions have no gaps, versions have no gaps, and an append goes to one stream. */
	#isNext(frame: RecordFrame): boolean {
		if (frame.position !== this.#nextPosition()) return false;
		const before = this.#open.at(-1)?.frame;
		const known = before?.stream === frame.stream ? before.version : this.#headOf(frame.stream).version;
		if (this.#isLoose ? frame.version <= known : frame.version !== known + 1) return false;
		const goesOn = before?.stream === frame.stream && frame.remaining === before.remaining - 1;
		return before === undefined || goesOn;
	}

	#headOf(stream: StreamName): StreamHead {
		return this.#heads.get(stream) ?? NEW_STREAM;
	}

	#takeRecord(record: Line & { readonly frame: RecordFrame }): void {
		this.#open.push(record);
		if (record.frame.remaining === 0) this.#close();
	}

	/** Adds the records that are open. */
	#close(): void {
		for (const { frame, length } of this.#open) {
			const { stream, version, position } = frame;
			this.#index.add(this.#index.hash(stream), this.#headOf(stream).position, length);
			this.#heads.set(stream, { position, version });
		}
		this.#open = [];
	}

	#takeLost({ length }: Line, { first, last }: LostLine): void {
		this.#close();
		this.#lost.push({ first, last });
		this.#index.addLost(last - first + 1, length);
		this.#isLoose = true;
	}

	/** An append of which a part is missing is none, unless what is left of it is all that can be saved. */
	#enterDamage(): void {
		if (this.#salvage) this.#close();
		this.#open = [];
		this.#damage = { from: this.#index.active.bytes, first: this.#index.position + 1 };
	}

	/** A sound record that stands further on ends the damage. */
	#leaveDamage({ frame, lost, offset }: Line): void {
		const damage = this.#damage;
		const position = frame?.position ?? lost?.first;
		if (damage === undefined || position === undefined || position < damage.first) return;
		this.#damages.push({ ...damage, to: offset, last: position - 1 });
		this.#damage = undefined;
		if (!this.#salvage) return;
		this.#isLoose = true;
		this.#index.addLost(position - damage.first, offset - damage.from);
	}

	finish(to: number): ScanResult {
		const { active } = this.#index;
		const goesOn = this.#damages.length === 0 || this.#salvage;
		if (this.#damage === undefined && goesOn && active.bytes < to) this.#enterDamage();
		const damages = this.#damage
			? [...this.#damages, { ...this.#damage, to, last: undefined }]
			: this.#damages;
		return {
			lost: this.#lost,
			damages,
			synced: this.#synced,
			lastBatchAt: Math.min(this.#lastBatchAt, active.bytes),
		};
	}
}

/** The lines from byte `from` to `to` that are complete, in portions; one longer than any record counts as not sound. */
async function* linesOf(
	file: Pick<OpenFile, "read">,
	from: number,
	to: number,
): AsyncGenerator<readonly Line[], void, void> {
	const chunk = Buffer.allocUnsafe(Math.max(0, Math.min(CHUNK_BYTES, to - from)));
	let rest = Buffer.alloc(0);
	let restAt = from;
	let isOverlong = false;
	for (let offset = from; offset < to; ) {
		const count = await file.read(chunk.subarray(0, to - offset), offset);
		if (count === 0) return;
		offset += count;
		const bytes =
			rest.length === 0 ? chunk.subarray(0, count) : Buffer.concat([rest, chunk.subarray(0, count)]);
		const start = restAt;
		const lines: Line[] = [];
		const consumed = forEachLine(bytes, (line, at) => {
			lines.push(isOverlong ? unsound(line, start + at) : readAs(line, start + at));
			isOverlong = false;
		});
		restAt = start + consumed;
		rest = Buffer.from(bytes.subarray(consumed));
		if (rest.length >= MAX_RECORD_BYTES) {
			if (!isOverlong) lines.push(unsound(rest, restAt));
			isOverlong = true;
			restAt += rest.length;
			rest = Buffer.alloc(0);
		}
		yield lines;
	}
}

function readAs(line: Buffer, offset: number): Line {
	const lost = readLost(line);
	return { offset, length: line.length + 1, lost, frame: lost === undefined ? readFrame(line) : undefined };
}

function unsound(line: Buffer, offset: number): Line {
	return { offset, length: line.length + 1, frame: undefined, lost: undefined };
}
