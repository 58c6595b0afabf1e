// Appends on their way to the server: those that wait while others are under way share the next statement.

import { type AppendResult, type StoreFault, storeFault } from "@reelkeep/core/ports";
import { type EncodedAppend, inLockOrder, type Outcomes, resultOf } from "./append-statement.js";
import { isLostRace, isRefused, toFault } from "./postgres-fault.js";

/** A statement: more of them cost the server more than they save. */
const MAX_BATCH_EVENTS = 1_000;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Fewer appends are not shared out over statements. */
const MIN_SHARE = 32;
/** As many races lost mean that something else is wrong. */
const MAX_RACES = 64;

export interface AppendQueueOptions {
	/** Appends a batch in one transaction. Rejects with what `pg` rejects with. */
	readonly send: (batch: readonly EncodedAppend[]) => Promise<Outcomes>;
	/** Resolves when readers of the log see everything up to this transaction, or when that takes too long. Never rejects. */
	readonly whenVisible: (transaction: bigint) => Promise<void>;
	/** Called once a batch is durable. Does not throw. */
	readonly onDurable: () => void;
	/** Statements under way at once. */
	readonly statements: number;
	readonly maxPendingAppends: number;
	readonly maxPendingBytes: number;
}

interface Pending {
	readonly append: EncodedAppend;
	races: number;
	readonly resolve: (result: AppendResult) => void;
	readonly reject: (fault: StoreFault) => void;
}

export class AppendQueue {
	readonly #options: AppendQueueOptions;
	/** In the order of the calls. */
	#waiting: Pending[] = [];
	/** Streams of what is under way: their next appends wait, so that they are decided in the order of the calls. */
	readonly #busy = new Set<string>();
	#pending = 0;
	#bytes = 0;
	#underWay = 0;
	#isScheduled = false;
	readonly #idle = new Set<() => void>();

	constructor(options: AppendQueueOptions) {
		this.#options = options;
	}

	/** *Errors*: throws `overloaded` at once. */
	append(append: EncodedAppend): Promise<AppendResult> {
		const { maxPendingAppends, maxPendingBytes } = this.#options;
		if (this.#pending >= maxPendingAppends || this.#bytes + append.bytes > maxPendingBytes) {
			throw storeFault("overloaded", "too many appends wait for PostgreSQL; try again later");
		}
		this.#pending += 1;
		this.#bytes += append.bytes;
		return new Promise((resolve, reject) => {
			this.#waiting.push({ append, races: 0, resolve, reject });
			this.#schedule();
		});
	}

	/** Resolves when nothing is pending any more. */
	async drain(): Promise<void> {
		if (this.#pending > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
	}

	/** Behind the microtasks of this turn: what is appended in one go is sent in one go. */
	#schedule(): void {
		if (this.#isScheduled || this.#underWay >= this.#options.statements) return;
		this.#isScheduled = true;
		queueMicrotask(() => {
			this.#isScheduled = false;
			for (let free = this.#options.statements - this.#underWay; free > 0; free -= 1) {
				const batch = this.#takeBatch(Math.max(MIN_SHARE, Math.ceil(this.#waiting.length / free)));
				if (batch.length === 0) return;
				void this.#send(batch);
			}
		});
	}

	/** The next appends, `most` of them, one for each stream and none for one that is busy. */
	#takeBatch(most: number): readonly Pending[] {
		const batch: Pending[] = [];
		const left: Pending[] = [];
		const passed = new Set<string>();
		let events = 0;
		let bytes = 0;
		for (const pending of this.#waiting) {
			const { stream } = pending.append;
			const isFull = batch.length >= most || events >= MAX_BATCH_EVENTS || bytes >= MAX_BATCH_BYTES;
			if (isFull || this.#busy.has(stream) || passed.has(stream)) {
				passed.add(stream);
				left.push(pending);
				continue;
			}
			passed.add(stream);
			batch.push(pending);
			events += pending.append.events.length;
			bytes += pending.append.bytes;
		}
		this.#waiting = left;
		for (const { append } of batch) this.#busy.add(append.stream);
		return inLockOrder(batch);
	}

	async #send(batch: readonly Pending[]): Promise<void> {
		this.#underWay += 1;
		let outcomes: Outcomes;
		try {
			outcomes = await this.#options.send(batch.map(({ append }) => append));
		} catch (error) {
			this.#underWay -= 1;
			await this.#fail(batch, error);
			return this.#schedule();
		}
		this.#underWay -= 1;
		const { decided, behind } = outcomes;
		const results = decided.map(resultOf);
		for (const [index, pending] of batch.entries()) if (results[index] === undefined) this.#again(pending);
		this.#schedule();
		this.#options.onDurable();
		if (behind !== undefined) await this.#options.whenVisible(behind);
		for (const [index, pending] of batch.entries()) {
			const result = results[index];
			if (result === undefined) continue;
			this.#end(pending);
			pending.resolve(result);
		}
		this.#schedule();
	}

	/** One that the server will not take must not fail those that came with it. */
	async #fail(batch: readonly Pending[], error: unknown): Promise<void> {
		if (isLostRace(error)) {
			for (const pending of batch.toReversed()) this.#again(pending);
			return;
		}
		if (isRefused(error) && batch.length > 1) {
			await Promise.all(batch.map((pending) => this.#send([pending])));
			return;
		}
		const fault = toFault(error, "appending events");
		for (const pending of batch) {
			this.#end(pending);
			pending.reject(fault);
		}
	}

	/** Before all others of its stream: it was called first. */
	#again(pending: Pending): void {
		pending.races += 1;
		if (pending.races > MAX_RACES) {
			this.#end(pending);
			pending.reject(storeFault("overloaded", "the stream is written to by too many at once; try again"));
			return;
		}
		this.#busy.delete(pending.append.stream);
		this.#waiting.unshift(pending);
	}

	#end({ append }: Pending): void {
		this.#busy.delete(append.stream);
		this.#pending -= 1;
		this.#bytes -= append.bytes;
		if (this.#pending > 0) return;
		for (const resolve of this.#idle) resolve();
		this.#idle.clear();
	}
}
