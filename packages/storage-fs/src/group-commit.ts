// The one writer of the log. Appends that arrive together share one write and one datasync; while a sync is under
// way the next batch collects; an idle writer flushes at once.

import {
	type AppendResult,
	type Clock,
	type ExpectedVersion,
	type Logger,
	type NewEvent,
	type StoreFault,
	type StreamName,
	storeFault,
	toPosition,
} from "@reelkeep/core/ports";
import { hasCode, type OpenFile } from "./file-system.js";
import {
	encodeBody,
	encodeFrame,
	MAX_RECORD_BYTES,
	type RecordFrame,
	recordBytes,
	writeRecord,
} from "./log-format.js";
import type { LogIndex } from "./log-index.js";

/** Appends that wait for a sync: several times what any ingress lets in at once. */
export const MAX_PENDING_APPENDS = 16_384;
/** Their bytes: what the process can spare while a disk stalls for seconds. */
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** One append: it is written by one call and held in memory whole. */
export const MAX_APPEND_BYTES = 16 * 1024 * 1024;
/** One write: bounds how long an append waits for the one before it. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** More than any frame of a record without its stream name, checksum included. */
const FRAME_BYTES = 160;

export interface GroupCommitOptions {
	readonly file: OpenFile;
	/** Holds what is durable; only the writer adds to it. */
	readonly index: LogIndex;
	readonly clock: Pick<Clock, "now">;
	readonly logger?: Logger | undefined;
	readonly maxPendingAppends: number;
	readonly maxPendingBytes: number;
	/** Called after each batch, once `index` has it. Does not throw. */
	readonly onDurable: () => void;
}

interface PendingAppend {
	readonly stream: StreamName;
	readonly firstVersion: number;
	readonly bodies: readonly string[];
	readonly bodyBytes: readonly number[];
	/** At most what it takes in the file. */
	readonly bytes: number;
	readonly settled: Promise<AppendResult>;
	readonly resolve: (result: AppendResult) => void;
	readonly reject: (fault: StoreFault) => void;
}

interface BatchRecord {
	readonly frame: RecordFrame;
	readonly prefix: string;
	readonly body: string;
	readonly length: number;
}

export class GroupCommit {
	readonly #options: GroupCommitOptions;
	#queue: PendingAppend[] = [];
	#pendingAppends = 0;
	#pendingBytes = 0;
	/** The last append of each stream that is not durable yet. */
	readonly #lastPending = new Map<StreamName, PendingAppend>();
	#flushing: Promise<void> | undefined;
	#failure: StoreFault | undefined;
	#trouble: StoreFault | undefined;

	constructor(options: GroupCommitOptions) {
		this.#options = options;
	}

	/** Set once a sync failed, or a write that could not be undone: from then on every append rejects with it. */
	get failure(): StoreFault | undefined {
		return this.#failure;
	}

	/** Why the last write failed, when nothing was lost by that; gone with the next one that succeeds. */
	get trouble(): StoreFault | undefined {
		return this.#trouble;
	}

	/** Decides and enqueues before its first await, so that calls are decided in the order in which they were made. */
	async append(
		stream: StreamName,
		events: readonly NewEvent[],
		expected: ExpectedVersion,
	): Promise<AppendResult> {
		if (this.#failure !== undefined) throw this.#failure;
		const before = this.#lastPending.get(stream);
		const version = before === undefined ? this.#options.index.versionOf(stream) : lastVersion(before);
		if (expected !== "any" && (expected === "no-stream" ? 0 : expected) !== version) {
			// What caused the conflict must be durable before anybody is told of it.
			await before?.settled;
			return { _tag: "WrongExpectedVersion", actualVersion: version };
		}
		const pending = this.#encode(stream, events, version + 1);
		this.#refuseOverload(pending.bytes);
		this.#enqueue(pending);
		return pending.settled;
	}

	/** Resolves when nothing is pending any more, whether that was stored or has failed. */
	async drain(): Promise<void> {
		while (this.#flushing !== undefined) await this.#flushing;
	}

	/** Changes nothing: it may throw what the clock or `JSON.stringify` throw. */
	#encode(stream: StreamName, events: readonly NewEvent[], firstVersion: number): PendingAppend {
		const recordedAt = this.#options.clock.now();
		if (!Number.isSafeInteger(recordedAt)) throw new RangeError("the clock must return whole milliseconds");
		const bodies = events.map((event) => encodeBody(event, recordedAt));
		const bodyBytes = bodies.map((body) => Buffer.byteLength(body));
		const frameBytes = FRAME_BYTES + JSON.stringify(stream).length;
		if (bodyBytes.some((bytes) => bytes + frameBytes > MAX_RECORD_BYTES)) {
			throw new RangeError(`an event takes at most ${MAX_RECORD_BYTES} bytes in the log`);
		}
		const bytes = bodyBytes.reduce((sum, length) => sum + length + frameBytes, 0);
		if (bytes > MAX_APPEND_BYTES)
			throw new RangeError(`an append takes at most ${MAX_APPEND_BYTES} bytes in the log`);
		let resolve!: PendingAppend["resolve"];
		let reject!: PendingAppend["reject"];
		const settled = new Promise<AppendResult>((onResolve, onReject) => {
			resolve = onResolve;
			reject = onReject;
		});
		return { stream, firstVersion, bodies, bodyBytes, bytes, settled, resolve, reject };
	}

	#refuseOverload(bytes: number): void {
		const { maxPendingAppends, maxPendingBytes } = this.#options;
		if (this.#pendingAppends < maxPendingAppends && this.#pendingBytes + bytes <= maxPendingBytes) return;
		throw storeFault("overloaded", "too many appends wait for the disk; try again later");
	}

	#enqueue(pending: PendingAppend): void {
		this.#queue.push(pending);
		this.#pendingAppends += 1;
		this.#pendingBytes += pending.bytes;
		this.#lastPending.set(pending.stream, pending);
		this.#flushing ??= this.#flush();
	}

	async #flush(): Promise<void> {
		// One turn of the microtask queue: appends of the same tick share the first batch, at no cost in time.
		await Promise.resolve();
		while (this.#queue.length > 0) {
			const batch = this.#takeBatch();
			const records = batchRecords(batch, this.#options.index.position);
			try {
				await this.#options.file.write(batchBytes(records), this.#options.index.bytes);
			} catch (error) {
				await this.#undo(batch, error);
				continue;
			}
			try {
				await this.#sync(batch, records);
			} catch (error) {
				this.#fail(batch, error);
			}
		}
		this.#flushing = undefined;
	}

	#takeBatch(): readonly PendingAppend[] {
		let bytes = this.#queue[0]?.bytes ?? 0;
		let count = 1;
		for (; count < this.#queue.length; count += 1) {
			bytes += (this.#queue[count] as PendingAppend).bytes;
			if (bytes > MAX_BATCH_BYTES) break;
		}
		return this.#queue.splice(0, count);
	}

	async #sync(batch: readonly PendingAppend[], records: readonly BatchRecord[]): Promise<void> {
		const { file, index } = this.#options;
		await file.datasync();
		this.#trouble = undefined;
		for (const { frame, length } of records) index.add(frame, length);
		let position = (records[0] as BatchRecord).frame.position - 1;
		for (const pending of batch) {
			position += pending.bodies.length;
			this.#settle(pending);
			pending.resolve({ _tag: "Appended", version: lastVersion(pending), position: toPosition(position) });
		}
		this.#options.onDurable();
	}

	#settle(pending: PendingAppend): void {
		this.#pendingAppends -= 1;
		this.#pendingBytes -= pending.bytes;
		if (this.#lastPending.get(pending.stream) === pending) this.#lastPending.delete(pending.stream);
	}

	/**
	 * A write that failed, on a full disk say, is undone: what is durable is as it was, so the log goes on once there is
	 * room. Only when it cannot be undone is that final.
	 */
	async #undo(batch: readonly PendingAppend[], error: unknown): Promise<void> {
		const isFull = hasCode(error, "ENOSPC", "EDQUOT");
		const why = isFull ? "the disk is full; make room" : "look at the disk";
		const trouble = storeFault("io", `the event log cannot be written: ${why}`, { cause: error });
		try {
			await this.#options.file.truncate(this.#options.index.bytes);
			await this.#options.file.datasync();
		} catch {
			return this.#fail(batch, error);
		}
		this.#trouble = trouble;
		this.#rejectAll(batch, trouble);
		this.#options.logger?.error({ err: error }, trouble.message);
	}

	/** Final: what the kernel holds after a failed write or sync is unknown, and a second sync would not tell. */
	#fail(batch: readonly PendingAppend[], error: unknown): void {
		const message = hasCode(error, "ENOSPC", "EDQUOT")
			? "the event log could not be written: the disk is full; make room and restart"
			: "the event log could not be written or synced; look at the disk and restart";
		const failure = storeFault("failed", message, { cause: error });
		this.#failure = failure;
		this.#rejectAll(batch, failure);
		this.#options.logger?.error({ err: error }, message);
	}

	/** Those behind the batch too: they were decided on the versions that it would have made. */
	#rejectAll(batch: readonly PendingAppend[], fault: StoreFault): void {
		for (const pending of [...batch, ...this.#queue.splice(0)]) {
			this.#settle(pending);
			pending.reject(fault);
		}
	}
}

function lastVersion(pending: PendingAppend): number {
	return pending.firstVersion + pending.bodies.length - 1;
}

function batchRecords(batch: readonly PendingAppend[], synced: number): readonly BatchRecord[] {
	const records: BatchRecord[] = [];
	for (const { stream, firstVersion, bodies, bodyBytes } of batch) {
		for (const [at, body] of bodies.entries()) {
			const frame: RecordFrame = {
				position: synced + records.length + 1,
				remaining: bodies.length - at - 1,
				synced,
				stream,
				version: firstVersion + at,
			};
			const prefix = encodeFrame(frame);
			records.push({ frame, prefix, body, length: recordBytes(prefix, bodyBytes[at] as number) });
		}
	}
	return records;
}

function batchBytes(records: readonly BatchRecord[]): Buffer {
	const bytes = Buffer.allocUnsafe(records.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const { prefix, body, length } of records) {
		writeRecord(bytes.subarray(at, at + length), prefix, body);
		at += length;
	}
	return bytes;
}
