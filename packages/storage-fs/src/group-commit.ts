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
import {
	type BatchRecord,
	batchBytes,
	batchRecords,
	encodeAppend,
	lastVersion,
	type PendingAppend,
} from "./batch.js";
import { cannotWrite, fullLog, writeFailed } from "./commit-faults.js";
import { HeadLookups } from "./head-lookups.js";
import type { LogIndex } from "./log-index.js";
import type { LogTail } from "./log-tail.js";
import type { RecentBytes } from "./recent-bytes.js";
import type { StreamHead } from "./stream-head.js";

/** Appends that wait for a sync: several times what any ingress lets in at once. */
export const MAX_PENDING_APPENDS = 16_384;
/** Their bytes: what the process can spare while a disk stalls for seconds. */
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** One write: bounds how long an append waits for the one before it. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** After a failed sync the log is opened anew, with growing pauses. */
const FIRST_RECOVERY_MS = 1000;
const MAX_RECOVERY_MS = 30_000;

export interface GroupCommitOptions {
	readonly tail: LogTail;
	/** Holds what is durable; only the writer adds to it. */
	readonly index: LogIndex;
	/** Is given each batch once it is durable. */
	readonly recent: Pick<RecentBytes, "add">;
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
	/** Called when everything is durable and nothing has followed at once. Does not throw. */
	readonly onIdle: () => void;
}

export class GroupCommit {
	readonly #options: GroupCommitOptions;
	#queue: PendingAppend[] = [];
	#pendingAppends = 0;
	#pendingEvents = 0;
	#pendingBytes = 0;
	/** The last append of each stream that is not durable yet. */
	readonly #lastPending = new Map<StreamName, PendingAppend>();
	readonly #lookups: HeadLookups;
	#flushing: Promise<void> | undefined;
	#failure: StoreFault | undefined;
	#damage: StoreFault | undefined;
	#trouble: StoreFault | undefined;
	#recovering: Promise<void> | undefined;
	readonly #stopping = new AbortController();

	constructor(options: GroupCommitOptions) {
		this.#options = options;
		this.#lookups = new HeadLookups(options.findHead, (damage) => this.refuse(damage));
	}

	/** Set while every append rejects with it: a sync failed, or a write that could not be undone, or the log is damaged. */
	get failure(): StoreFault | undefined {
		return this.#damage ?? this.#failure;
	}

	/** Why the last write failed, when nothing was lost by that; gone with the next one that succeeds. */
	get trouble(): StoreFault | undefined {
		return this.#trouble;
	}

	/**
	 * Appends to one stream are decided in the order of the calls; those to a new stream at once.
	 * *Errors*: a fault that is known at once is thrown, not rejected with: no promise but the append's own is made.
	 */
	append(stream: StreamName, events: readonly NewEvent[], expected: ExpectedVersion): Promise<AppendResult> {
		if (this.failure !== undefined) throw this.failure;
		const { index } = this.#options;
		const hash = index.hash(stream);
		const pending = encodeAppend(stream, hash, events, this.#options.clock.now());
		this.#refuseOverload(pending.bytes);
		const mayExist = !this.#lastPending.has(stream) && index.candidates(hash).length > 0;
		if (!mayExist) return this.#decide(pending, expected, undefined);
		return this.#lookups.whenKnown(pending, async (head) => this.#decide(pending, expected, head));
	}

	/**
	 * Writes appends that are decided already, in this order, when the log ends at `after` and nothing is on its way behind
	 * that; resolves with whether it does. *Errors*: as `append`.
	 */
	async writeDecided(appends: readonly PendingAppend[], after: number): Promise<boolean> {
		if (this.failure !== undefined) throw this.failure;
		const { position } = this.#options.index;
		if (position !== after || this.#pendingAppends + this.#lookups.waiting > 0) return false;
		this.#refuseFullLog(appends.length);
		for (const pending of appends) this.#enqueue(pending);
		await Promise.all(appends.map(({ settled }) => settled));
		return true;
	}

	/** Nothing is written any more: the log is damaged. */
	refuse(damage: StoreFault): void {
		if (this.#damage === undefined) this.#options.logger?.error({}, damage.message);
		this.#damage ??= damage;
	}

	/** Resolves when nothing is pending any more, whether that was stored or has failed; ends the tries to recover. */
	async drain(): Promise<void> {
		this.#stopping.abort();
		while (this.#flushing !== undefined || this.#lookups.waiting > 0) {
			await Promise.all([this.#flushing, this.#lookups.drain()]);
		}
		await this.#recovering;
	}

	/** Decides and enqueues at once. `head`: of a stream that has nothing pending. */
	#decide(
		pending: PendingAppend,
		expected: ExpectedVersion,
		head: StreamHead | undefined,
	): Promise<AppendResult> {
		if (this.failure !== undefined) throw this.failure;
		const before = this.#lastPending.get(pending.stream);
		const version = before === undefined ? (head?.version ?? 0) : lastVersion(before);
		if (expected !== "any" && (expected === "no-stream" ? 0 : expected) !== version) {
			return this.#tellConflict(before, version);
		}
		this.#refuseFullLog(pending.bodies.length);
		pending.firstVersion = version + 1;
		pending.follows = before ?? head?.position ?? 0;
		this.#enqueue(pending);
		return pending.settled;
	}

	/** What caused the conflict must be durable before anybody is told of it. */
	async #tellConflict(before: PendingAppend | undefined, actualVersion: number): Promise<AppendResult> {
		await before?.settled;
		return { _tag: "WrongExpectedVersion", actualVersion };
	}

	#refuseOverload(bytes: number): void {
		const { maxPendingAppends, maxPendingBytes } = this.#options;
		const appends = this.#pendingAppends + this.#lookups.waiting;
		const waitingBytes = this.#pendingBytes + this.#lookups.waitingBytes;
		if (appends < maxPendingAppends && waitingBytes + bytes <= maxPendingBytes) return;
		throw storeFault("overloaded", "too many appends wait for the disk; try again later");
	}

	#refuseFullLog(events: number): void {
		const { index, maxEvents } = this.#options;
		if (index.position + this.#pendingEvents + events > maxEvents) throw fullLog(maxEvents);
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
			const bytes = batchBytes(records);
			try {
				await tail.write(bytes);
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
			this.#options.recent.add(index.active.segment, index.active.bytes, bytes);
			this.#commit(batch, records);
		}
		this.#flushing = undefined;
		// Behind the microtasks: whoever waited for this batch may have the next append ready.
		setImmediate(() => this.#flushing ?? this.#options.onIdle());
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
				index.add(pending.hash, previous, (records[at] as BatchRecord).bytes);
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
		const trouble = cannotWrite(error);
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
		const failure = writeFailed(error);
		this.#failure = failure;
		this.#rejectAll(batch, failure);
		this.#options.logger?.error({ err: error }, failure.message);
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
