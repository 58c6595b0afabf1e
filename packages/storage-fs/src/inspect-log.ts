// Reads a whole log, believes nothing but checksums, and tells everything that is wrong: for `reelkeep verify` and
// `reelkeep repair`. Changes nothing on the disk.

import { readDurableNote } from "./durable-note.js";
import { type IndexFile, loadIndexFile } from "./index-file.js";
import { findKey, type LogSource } from "./load-log.js";
import { findSegments, readHeader, type Watermark } from "./log-files.js";
import { LogIndex } from "./log-index.js";
import { scanSegment } from "./log-scan.js";
import type { SegmentColumns } from "./segment-index.js";
import { createStreamHasher } from "./stream-hash.js";
import { findHead } from "./stream-head.js";

/** A stretch of a segment that is not what was written, and the events that are missing for it. */
export interface LogDamage {
	readonly segment: number;
	/** Bytes of the segment's file. */
	readonly from: number;
	readonly to: number;
	/** Positions; `last` less than `first`: no event is missing. */
	readonly first: number;
	readonly last: number;
}

/** Positions, both inclusive. */
export interface LostEvents {
	readonly first: number;
	readonly last: number;
}

export interface LogInspection {
	readonly segments: number;
	/** Of the segments that were read. */
	readonly bytes: number;
	/** The last position. */
	readonly position: number;
	/** Sound events. */
	readonly events: number;
	/** Positions that an earlier repair has given up. */
	readonly lost: readonly LostEvents[];
	readonly damages: readonly LogDamage[];
	/** Where the last segment's torn tail starts, which the next open cuts; `undefined`: there is none. */
	readonly tornAt: number | undefined;
	/** Segments whose index file tells something else than the segment. */
	readonly wrongIndexes: readonly number[];
	/** Of each segment, in order: the position of its first event. */
	readonly firstPositions: readonly number[];
}

export interface InspectOptions {
	/** What a live owner says to be durable; nothing behind it is read. */
	readonly upTo?: Watermark | undefined;
	onProgress?(done: { readonly segment: number; readonly segments: number; readonly bytes: number }): void;
}

/** *Errors*: rejects with a `StoreFault` `corrupt` for a format that this version does not read, or with the system's error. */
export async function inspectLog(source: LogSource, options: InspectOptions = {}): Promise<LogInspection> {
	const { present, last } = await findSegments(source.fileSystem, source.directory);
	const segments = options.upTo?.segment ?? last;
	const key = (await findKey(source, segments)) ?? "0000000000000000";
	const inspection = new Inspection(source, new LogIndex(createStreamHasher(key)), options);
	for (let segment = 1; segment <= segments; segment += 1) {
		await inspection.read(segment, present.includes(segment), segment === segments);
		options.onProgress?.({ segment, segments, bytes: inspection.bytes });
	}
	return inspection.result();
}

class Inspection {
	readonly #source: LogSource;
	readonly #index: LogIndex;
	readonly #upTo: Watermark | undefined;
	readonly #damages: LogDamage[] = [];
	/** What cannot be read at the end of a segment: how many events that is, the next header tells. */
	#end: { readonly from: number; readonly to: number } | undefined;
	#torn: { readonly from: number; readonly first: number } | undefined;
	readonly #lost: LostEvents[] = [];
	readonly #wrongIndexes: number[] = [];
	bytes = 0;

	constructor(source: LogSource, index: LogIndex, { upTo }: InspectOptions) {
		this.#source = source;
		this.#index = index;
		this.#upTo = upTo;
	}

	async read(segment: number, isPresent: boolean, isLast: boolean): Promise<void> {
		const { files } = this.#source;
		const header = isPresent ? await files.use(segment, (file) => readHeader(file, segment)) : undefined;
		const { position } = this.#index;
		// One that begins elsewhere than behind the segment before is not this log's.
		const isSound =
			header !== undefined && (segment === 1 ? header.firstPosition === 1 : header.firstPosition > position);
		if (segment > 1) this.#settleEnd(isSound ? header.firstPosition - 1 : position);
		const { firstPosition } = this.#index.startSegment(isSound ? header.bytes : 0);
		if (isPresent) await this.#scan(segment, isLast, isSound);
		if (isLast) this.#settleEnd(await this.#durable(segment));
		const isNoted = this.#end !== undefined || this.#damages.some((damage) => damage.segment === segment);
		if (isSound || isNoted) return;
		this.#damages.push({ segment, from: 0, to: 0, first: firstPosition, last: firstPosition - 1 });
	}

	async #scan(segment: number, isLast: boolean, isSound: boolean): Promise<void> {
		const { fileSystem, directory, files } = this.#source;
		const index = this.#index;
		const from = index.active.bytes;
		const { bytes } = await files.use(segment, (file) => file.status());
		const to = isLast && this.#upTo !== undefined ? Math.max(from, this.#upTo.bytes) : bytes;
		const { damages, synced, lost } = await files.use(segment, (file) =>
			scanSegment({ file, index, to, salvage: true, findHead: (name) => findHead({ index, files }, name) }),
		);
		this.bytes += to;
		this.#lost.push(...lost.filter(({ first, last }) => first <= last));
		const mayBeTorn = isLast && isSound;
		const durable = mayBeTorn ? Math.max(synced, await this.#durable(segment)) : Number.POSITIVE_INFINITY;
		for (const damage of damages) {
			const { first, last } = damage;
			if (first > durable) this.#torn ??= damage;
			else if (last === undefined) this.#end = damage;
			else this.#damages.push({ segment, from: damage.from, to: damage.to, first, last });
		}
		const file = await loadIndexFile(fileSystem, directory, segment);
		if (file !== undefined && !this.#tells(file)) this.#wrongIndexes.push(segment);
	}

	/** The last position of which something besides the log's own records says that it was there and durable. */
	async #durable(segment: number): Promise<number> {
		if (this.#upTo !== undefined) return this.#upTo.position;
		const { fileSystem, directory } = this.#source;
		const file = await loadIndexFile(fileSystem, directory, segment);
		const indexed = file === undefined ? 0 : file.firstPosition + file.columns.offsets.length - 1;
		return Math.max(indexed, await readDurableNote(fileSystem, directory));
	}

	/** The segment that was read last should go on up to position `last`. */
	#settleEnd(last: number): void {
		const { active, position } = this.#index;
		const end = this.#end ?? { from: active.bytes, to: active.bytes };
		const missing = Math.max(0, last - position);
		if (this.#torn !== undefined || (this.#end === undefined && missing === 0)) return;
		this.#end = undefined;
		const { from, to } = end;
		this.#damages.push({ segment: active.segment, from, to, first: position + 1, last: position + missing });
		this.#index.addLost(missing, to - from);
	}

	/** Whether an index file tells what was found in the segment, as far as it reaches. */
	#tells({ key, firstPosition, bytes, columns }: IndexFile): boolean {
		const { active, hashKey } = this.#index;
		const found = active.columns();
		const { length } = columns.offsets;
		if (found === undefined || key !== hashKey || firstPosition !== active.firstPosition) return false;
		// Beside an owner it may reach further than what was read.
		if (length > active.count) return this.#upTo !== undefined && isPrefixOf(found, columns);
		const end = length === active.count ? active.bytes : active.offsetOf(firstPosition + length);
		return bytes === end && isPrefixOf(columns, found);
	}

	/** A header that is damaged alone says nothing more where its segment is damaged from the start on. */
	#isRepeated({ segment, from, to, first, last }: LogDamage): boolean {
		if (from !== to || last >= first) return false;
		return this.#damages.some(
			(other) => other.segment === segment && other.from === from && other.last >= first,
		);
	}

	result(): LogInspection {
		const index = this.#index;
		const position = this.#torn === undefined ? index.position : this.#torn.first - 1;
		const lost = [...this.#lost, ...this.#damages].reduce(
			(sum, { first, last }) => sum + last - first + 1,
			0,
		);
		return {
			segments: index.segments.length,
			bytes: this.bytes,
			position,
			events: position - lost,
			lost: this.#lost,
			damages: this.#damages.filter((damage) => !this.#isRepeated(damage)),
			tornAt: this.#torn?.from,
			wrongIndexes: this.#wrongIndexes,
			firstPositions: index.segments.map(({ firstPosition }) => firstPosition),
		};
	}
}

const COLUMNS: readonly (keyof SegmentColumns)[] = ["offsets", "previous", "fingerprints", "shards"];

function isPrefixOf(part: SegmentColumns, whole: SegmentColumns): boolean {
	return COLUMNS.every((name) => isPrefix(part[name], whole[name]));
}

function isPrefix(part: ArrayLike<number>, whole: ArrayLike<number>): boolean {
	for (let at = 0; at < part.length; at += 1) if (part[at] !== whole[at]) return false;
	return true;
}
