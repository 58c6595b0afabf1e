// The one writer of the log. Appends that arrive together share one write and one datasync; while a sync is under
// way the next batch collects; an idle writer flushes at once.

import {
	type AppendResult,
	type Clock,
	type ExpectedVersion,
	isStoreFault,
	type Logger,
	type NewEvent,
	type StoreFault,
	type StreamName,
	storeFault,
	toPosition,
} from "@reelkeep/core/ports";
import { hasCode } from "./file-system.js";
import {
	encodeBody,
	encodeFrame,
	MAX_RECORD_BYTES,
	type RecordFrame,
	recordBytes,
	writeRecord,
} from "./log-format.js";
import type { LogIndex } from "./log-index.js";
import type { LogTail } from "./log-tail.js";
import type { StreamHash } from "./stream-hash.js";
import type { StreamHead } from "./stream-head.js";

/** Appends that wait for a sync: several times what any ingress lets in at once. */
export const MAX_PENDING_APPENDS = 16_384;
/** Their bytes: what the process can spare while a disk stalls for seconds. */
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** One append: it is written by one call and held in memory whole. */
export const MAX_APPEND_BYTES = 16 * 1024 * 1024;
/** One write: bounds how long an append waits for the one before it. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** After a failed sync the log is opened anew, with growing pauses. */
const FIRST_RECOVERY_MS = 1000;
const MAX_RECOVERY_MS = 30_000;
/** More than any frame of a record without its stream name, checksum included. */
const FRAME_BYTES = 160;

export interface GroupCommitOptions {
	readonly tail: LogTail;
	/** Holds what is durable; only the writer adds to it. */
	readonly index: LogIndex;
	/** Finds the end of a stream that the index may know. */
	findHead(stream: StreamName): Promise<StreamHead | undefined>;
	readonly clock: Clock;
	readonly logger?: Logger | undefined;
	readonly maxPendingAppends: number;
	readonly maxPendingBytes: number;
	/** How many events the log may hold. */
	readonly maxEvents: number;
	/** Called after each batch, once `index` has it. Does not throw. */
	readonly onDurable: () => void;
}

interface PendingAppend {
	readonly stream: StreamName;
	readonly hash: StreamHash;
	readonly firstVersion: number;
	readonly bodies: readonly string[];
	readonly bodyBytes: readonly number[];
	/** At most what it takes in the file. */
	readonly bytes: number;
	/** The pending append that it follows in its stream, until that is durable; else the position of the event. */
	follows: PendingAppend | number;
	/** Of its last event; 0 until it is durable. */
	position: number;
	readonly settled: Promise<AppendResult>;
	readonly resolve: (result: AppendResult) => void;
	readonly reject: (fault: StoreFault) => void;
}

interface Call {
	readonly stream: StreamName;
	readonly hash: StreamHash;
	readonly events: readonly NewEvent[];
	readonly expected: ExpectedVersion;
}

/** An append to a stream of which the end is being read. */
interface WaitingCall {
	readonly decide: (head: StreamHead | undefined) => void;
	readonly reject: (error: unknown) => void;
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
	#pendingEvents = 0;
	#pendingBytes = 0;
	/** The last append of each stream that is not durable yet. */
	readonly #lastPending = new Map<StreamName, PendingAppend>();
	/** By stream, while its end is being read. */
	readonly #lookups = new Map<StreamName, WaitingCall[]>();
	readonly #lookingUp = new Set<Promise<void>>();
	#waitingCalls = 0;
	#flushing: Promise<void> | undefined;
	#failure: StoreFault | undefined;
	#damage: StoreFault | undefined;
	#trouble: StoreFault | undefined;
	#recovering: Promise<void> | undefined;
	readonly #stopping = new AbortController();

	constructor(options: GroupCommitOptions) {
		this.#options = options;
	}

	/** Set while every append rejects with it: a sync failed, or a write that could not be undone, or the log is damaged. */
	get failure(): StoreFault | undefined {
		return this.#damage ?? this.#failure;
	}

	/** Why the last write failed, when nothing was lost by that; gone with the next one that succeeds. */
	get trouble(): StoreFault | undefined {
		return this.#trouble;
	}

	/** Appends to one stream are decided in the order of the calls; those to a new stream at once. */
	async append(
		stream: StreamName,
		events: readonly NewEvent[],
		expected: ExpectedVersion,
	): Promise<AppendResult> {
		if (this.failure !== undefined) throw this.failure;
		const { index } = this.#options;
		const call: Call = { stream, hash: index.hash(stream), events, expected };
		const mayExist = !this.#lastPending.has(stream) && index.candidates(call.hash).length > 0;
		return mayExist ? this.#decideOnceKnown(call) : this.#decide(call, undefined);
	}

	/** Nothing is written any more: the log is damaged. */
	refuse(damage: StoreFault): void {
		if (this.#damage === undefined) this.#options.logger?.error({}, damage.message);
		this.#damage ??= damage;
	}

	/** Resolves when nothing is pending any more, whether that was stored or has failed; ends the tries to recover. */
	async drain(): Promise<void> {
		this.#stopping.abort();
		while (this.#flushing !== undefined || this.#lookingUp.size > 0) {
			await Promise.all([this.#flushing, ...this.#lookingUp]);
		}
		await this.#recovering;
	}

	/** Reads where the stream ends; calls that come meanwhile for the same stream wait for the same answer. */
	#decideOnceKnown(call: Call): Promise<AppendResult> {
		this.#refuseOverload(0);
		return new Promise((resolve, reject) => {
			const waiting: WaitingCall = { reject, decide: (head) => resolve(this.#decide(call, head)) };
			this.#waitingCalls += 1;
			const others = this.#lookups.get(call.stream);
			if (others !== undefined) return void others.push(waiting);
			this.#lookups.set(call.stream, [waiting]);
			const lookingUp = this.#lookUp(call.stream).finally(() => this.#lookingUp.delete(lookingUp));
			this.#lookingUp.add(lookingUp);
		});
	}

	async #lookUp(stream: StreamName): Promise<void> {
		const takeCalls = (): readonly WaitingCall[] => {
			const calls = this.#lookups.get(stream) ?? [];
			this.#lookups.delete(stream);
			this.#waitingCalls -= calls.length;
			return calls;
		};
		try {
			const head = await this.#options.findHead(stream);
			// All in one go: nothing can come in between and be decided first.
			for (const { decide } of takeCalls()) decide(head);
		} catch (error) {
			if (isStoreFault(error) && error.reason === "corrupt") this.refuse(error);
			for (const { reject } of takeCalls()) reject(error);
		}
	}

	/** Decides and enqueues before its first await. `head`: of a stream that has nothing pending. */
	async #decide(call: Call, head: StreamHead | undefined): Promise<AppendResult> {
		if (this.failure !== undefined) throw this.failure;
		const { stream, events, expected } = call;
		const before = this.#lastPending.get(stream);
		const version = before === undefined ? (head?.version ?? 0) : lastVersion(before);
		if (expected !== "any" && (expected === "no-stream" ? 0 : expected) !== version) {
			// What caused the conflict must be durable before anybody is told of it.
			await before?.settled;
			return { _tag: "WrongExpectedVersion", actualVersion: version };
		}
		const follows = before ?? head?.position ?? 0;
		const pending = this.#encode(call, { firstVersion: version + 1, follows });
		this.#refuseFullLog(events.length);
		this.#refuseOverload(pending.bytes);
		this.#enqueue(pending);
		return pending.settled;
	}

	/** Changes nothing: it may throw what the clock or `JSON.stringify` throw. */
	#encode(call: Call, place: Pick<PendingAppend, "firstVersion" | "follows">): PendingAppend {
		const { stream, hash, events } = call;
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
		return { stream, hash, ...place, position: 0, bodies, bodyBytes, bytes, settled, resolve, reject };
	}

	#refuseOverload(bytes: number): void {
		const { maxPendingAppends, maxPendingBytes } = this.#options;
		const calls = this.#pendingAppends + this.#waitingCalls;
		if (calls < maxPendingAppends && this.#pendingBytes + bytes <= maxPendingBytes) return;
		throw storeFault("overloaded", "too many appends wait for the disk; try again later");
	}

	#refuseFullLog(events: number): void {
		const { index, maxEvents } = this.#options;
		if (index.position + this.#pendingEvents + events <= maxEvents) return;
		throw storeFault("io", `the event log is full: it holds ${maxEvents} events, its limit; raise maxEvents`);
	}

	#enqueue(pending: PendingAppend): void {
		this.#queue.push(pending);
		this.#pendingAppends += 1;
		this.#pendingEvents += pending.bodies.length;
		this.#pendingBytes += pending.bytes;
		this.#lastPending.set(pending.stream, pending);
		this.#flushing ??= this.#flush();
	}

	async #flush(): Promise<void> {
		// One turn of the microtask queue: appends of the same tick share the first batch, at no cost in time.
		await Promise.resolve();
		const { tail, index } = this.#options;
		while (this.#queue.length > 0) {
			const batch = this.#takeBatch();
			const records = batchRecords(batch, index.position);
			try {
				await tail.write(batchBytes(records));
			} catch (error) {
				await this.#undo(batch, error);
				continue;
			}
			try {
				await tail.datasync();
			} catch (error) {
				this.#fail(batch, error);
				continue;
			}
			this.#commit(batch, records);
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

	#commit(batch: readonly PendingAppend[], records: readonly BatchRecord[]): void {
		const { index, onDurable } = this.#options;
		this.#trouble = undefined;
		let at = 0;
		for (const pending of batch) {
			let previous = typeof pending.follows === "number" ? pending.follows : pending.follows.position;
			for (const _ of pending.bodies) {
				index.add(pending.hash, previous, (records[at] as BatchRecord).length);
				previous = index.position;
				at += 1;
			}
			pending.position = previous;
			pending.follows = 0; // The one before is no longer needed, nor kept in memory.
			this.#settle(pending);
			const version = lastVersion(pending);
			pending.resolve({ _tag: "Appended", version, position: toPosition(pending.position) });
		}
		onDurable();
	}

	#settle(pending: PendingAppend): void {
		this.#pendingAppends -= 1;
		this.#pendingEvents -= pending.bodies.length;
		this.#pendingBytes -= pending.bytes;
		if (this.#lastPending.get(pending.stream) === pending) this.#lastPending.delete(pending.stream);
	}

	/**
	 * A write that failed, on a full disk say, is undone: what is durable is as it was, so the log goes on once there is
	 * room. Only when it cannot be undone is the handle given up.
	 */
	async #undo(batch: readonly PendingAppend[], error: unknown): Promise<void> {
		const why = isFull(error) ? "the disk is full; make room" : "look at the disk";
		const trouble = storeFault("io", `the event log cannot be written: ${why}`, { cause: error });
		try {
			await this.#options.tail.undo();
		} catch {
			return this.#fail(batch, error);
		}
		this.#trouble = trouble;
		this.#rejectAll(batch, trouble);
		this.#options.logger?.error({ err: error }, trouble.message);
	}

	/** The handle is not used again: after a failed sync nobody knows what of it is on the disk. */
	#fail(batch: readonly PendingAppend[], error: unknown): void {
		const why = isFull(error) ? "the disk is full; make room" : "look at the disk";
		const message = `the event log could not be written or synced: ${why}; it is opened anew until that succeeds`;
		const failure = storeFault("failed", message, { cause: error, retryable: true });
		this.#failure = failure;
		this.#rejectAll(batch, failure);
		this.#options.logger?.error({ err: error }, message);
		this.#recovering = this.#recover();
	}

	/** What was durable before the failure is on the disk; what was not is removed through a new handle. */
	async #recover(): Promise<void> {
		const { clock, tail, logger } = this.#options;
		const { signal } = this.#stopping;
		for (let delayMs = FIRST_RECOVERY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RECOVERY_MS)) {
			await clock.sleep(delayMs, signal);
			if (signal.aborted) return;
			try {
				await tail.reopen();
				break;
			} catch (error) {
				logger?.warn({ err: error, delayMs }, "the event log still cannot be written; trying again");
			}
		}
		this.#failure = undefined;
		logger?.info({}, "the event log can be written again");
	}

	/** Those behind the batch too: they were decided on the versions that it would have made. */
	#rejectAll(batch: readonly PendingAppend[], fault: StoreFault): void {
		for (const pending of [...batch, ...this.#queue.splice(0)]) {
			this.#settle(pending);
			pending.reject(fault);
		}
	}
}

function isFull(error: unknown): boolean {
	return hasCode(error, "ENOSPC", "EDQUOT");
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
