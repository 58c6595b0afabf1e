// Appends to streams that may exist wait until it is read where those end.

import { type AppendResult, isStoreFault, type StoreFault, type StreamName } from "@reelkeep/core/ports";
import type { PendingAppend } from "./batch.js";
import type { StreamHead } from "./stream-head.js";

interface WaitingCall {
	readonly bytes: number;
	readonly decide: (head: StreamHead | undefined) => void;
	readonly reject: (error: unknown) => void;
}

export class HeadLookups {
	readonly #findHead: (stream: StreamName) => Promise<StreamHead | undefined>;
	readonly #onDamage: (damage: StoreFault) => void;
	/** By stream, while its end is being read. */
	readonly #calls = new Map<StreamName, WaitingCall[]>();
	readonly #underWay = new Set<Promise<void>>();
	#waiting = 0;
	#waitingBytes = 0;

	constructor(
		findHead: (stream: StreamName) => Promise<StreamHead | undefined>,
		onDamage: (damage: StoreFault) => void,
	) {
		this.#findHead = findHead;
		this.#onDamage = onDamage;
	}

	/** How many calls wait. */
	get waiting(): number {
		return this.#waiting;
	}

	get waitingBytes(): number {
		return this.#waitingBytes;
	}

	/** Calls `decide` once the stream's end is known; appends that come meanwhile for it follow, in their order. */
	whenKnown(
		{ stream, bytes }: Pick<PendingAppend, "stream" | "bytes">,
		decide: (head: StreamHead | undefined) => Promise<AppendResult>,
	): Promise<AppendResult> {
		return new Promise((resolve, reject) => {
			this.#waiting += 1;
			this.#waitingBytes += bytes;
			const call: WaitingCall = { bytes, reject, decide: (head) => resolve(decide(head)) };
			const others = this.#calls.get(stream);
			if (others !== undefined) return void others.push(call);
			this.#calls.set(stream, [call]);
			const lookUp = this.#lookUp(stream).finally(() => this.#underWay.delete(lookUp));
			this.#underWay.add(lookUp);
		});
	}

	/** Resolves when the look-ups under way are done and decided. */
	async drain(): Promise<void> {
		await Promise.all(this.#underWay);
	}

	async #lookUp(stream: StreamName): Promise<void> {
		try {
			const head = await this.#findHead(stream);
			// All in one go: nothing can come in between and be decided first.
			for (const { decide } of this.#take(stream)) decide(head);
		} catch (error) {
			if (isStoreFault(error) && error.reason === "corrupt") this.#onDamage(error);
			for (const { reject } of this.#take(stream)) reject(error);
		}
	}

	#take(stream: StreamName): readonly WaitingCall[] {
		const calls = this.#calls.get(stream) ?? [];
		this.#calls.delete(stream);
		this.#waiting -= calls.length;
		for (const { bytes } of calls) this.#waitingBytes -= bytes;
		return calls;
	}
}
