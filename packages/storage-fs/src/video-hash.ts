// SHA-256 of uploads, on a thread of its own: what a service does meanwhile must not wait half a second for each GiB that
// it downloads. Small videos are hashed in place, and all where network and disk have no more than two processors: to hand
// them over would cost more.

import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { SHARE_ENV, Worker } from "node:worker_threads";
import { storeFault } from "@reelkeep/core/ports";

/** Of a hash whose first chunk is shorter all are hashed in place. */
const MIN_CHUNK_BYTES = 64 * 1024;
const SLOT_BYTES = 1024 * 1024;
/** For what is on its way to the thread, of all uploads together. */
const SLOTS = 4;

export interface VideoHash {
	/** Adds `chunk`, in the order of the calls. Resolves when it may be changed. *Errors*: rejects with a `StoreFault`. */
	update(chunk: Uint8Array): Promise<void>;
	/** Of everything so far, lower-case hex; more may follow. *Errors*: rejects with a `StoreFault`. */
	digest(): Promise<string>;
	/** Nothing more is asked of it. Idempotent. */
	end(): void;
}

export interface VideoHashes {
	begin(): VideoHash;
	/** The thread ends with the last hash that is begun by now. */
	close(): void;
}

/** What the thread is told: more bytes of a hash, or to say what a hash is, or to forget it. */
type Order =
	| { readonly id: number; readonly slot: number; readonly bytes: number }
	| { readonly id: number; readonly question: number }
	| { readonly id: number };
type Reply = { readonly slot: number } | { readonly question: number; readonly sha256: string };

/** As text: no bundler loses it, and no loader has to find it. */
const THREAD = `
const { createHash } = require("node:crypto");
const { parentPort, workerData } = require("node:worker_threads");
const { memory, slotBytes } = workerData;
const hashes = new Map();
parentPort.on("message", ({ id, slot, bytes, question }) => {
	const hash = hashes.get(id) ?? createHash("sha256");
	hashes.set(id, hash);
	if (slot !== undefined) {
		hash.update(Buffer.from(memory, slot * slotBytes, bytes));
		parentPort.postMessage({ slot });
	} else if (question !== undefined) {
		parentPort.postMessage({ question, sha256: hash.copy().digest("hex") });
	} else hashes.delete(id);
});
`;

/** Makes the hashes of one video store. The thread is started with the first that is worth it; `hasThread`: there may be one. */
export function createVideoHashes({ hasThread = availableParallelism() > 2 } = {}): VideoHashes {
	let thread: HashThread | undefined;
	let begun = 0;
	let isClosed = false;
	const endIfClosed = (): void => {
		if (!isClosed || begun > 0) return;
		thread?.stop();
		thread = undefined;
	};
	return {
		begin() {
			begun += 1;
			let hash: VideoHash | undefined;
			let isOver = false;
			const choose = (firstBytes: number): VideoHash => {
				if (!hasThread || firstBytes < MIN_CHUNK_BYTES || thread?.isBroken() === true) return hashInPlace();
				thread ??= startThread();
				return thread.begin();
			};
			return {
				update: (chunk) => {
					hash ??= choose(chunk.length);
					return hash.update(chunk);
				},
				digest: () => {
					hash ??= hashInPlace();
					return hash.digest();
				},
				end() {
					if (isOver) return;
					isOver = true;
					begun -= 1;
					hash?.end();
					endIfClosed();
				},
			};
		},
		close() {
			isClosed = true;
			endIfClosed();
		},
	};
}

function hashInPlace(): VideoHash {
	const hash = createHash("sha256");
	return {
		update: async (chunk) => void hash.update(chunk),
		digest: async () => hash.copy().digest("hex"),
		end: () => undefined,
	};
}

interface HashThread {
	begin(): VideoHash;
	isBroken(): boolean;
	stop(): void;
}

interface Waiting<Value> {
	resolve(value: Value): void;
	reject(error: unknown): void;
}

function startThread(): HashThread {
	const memory = new SharedArrayBuffer(SLOTS * SLOT_BYTES);
	const worker = new Worker(THREAD, {
		eval: true,
		name: "reelkeep video hashes",
		workerData: { memory, slotBytes: SLOT_BYTES },
		// What this process was started with may load half a program into the thread.
		execArgv: [],
		env: SHARE_ENV,
		resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
	});
	const free = Array.from({ length: SLOTS }, (_, slot) => slot);
	const forSlots: Waiting<number>[] = [];
	const forDigests = new Map<number, Waiting<string>>();
	let last = 0;
	let failure: unknown;

	/** The thread keeps the process alive as long as it owes an answer. */
	const hold = (): void => {
		if (free.length < SLOTS || forDigests.size > 0) worker.ref();
		else worker.unref();
	};
	const fail = (): void => {
		failure ??= storeFault("io", "the thread that hashes videos has ended");
		for (const { reject } of [...forSlots.splice(0), ...forDigests.values()]) reject(failure);
		forDigests.clear();
	};
	worker.unref();
	worker.on("error", fail);
	worker.on("exit", fail);
	worker.on("message", (reply: Reply) => {
		if ("slot" in reply) {
			const next = forSlots.shift();
			if (next === undefined) free.push(reply.slot);
			else next.resolve(reply.slot);
		} else {
			forDigests.get(reply.question)?.resolve(reply.sha256);
			forDigests.delete(reply.question);
		}
		hold();
	});
	const tell = (order: Order): void => {
		worker.postMessage(order);
		hold();
	};
	const takeSlot = async (): Promise<number> => {
		const slot = forSlots.length === 0 ? free.pop() : undefined;
		return slot ?? new Promise((resolve, reject) => forSlots.push({ resolve, reject }));
	};
	return {
		begin() {
			last += 1;
			const id = last;
			return {
				async update(chunk) {
					for (let at = 0; at < chunk.length; at += SLOT_BYTES) {
						const piece = chunk.subarray(at, at + SLOT_BYTES);
						if (failure !== undefined) throw failure;
						const slot = await takeSlot();
						new Uint8Array(memory, slot * SLOT_BYTES, piece.length).set(piece);
						tell({ id, slot, bytes: piece.length });
					}
				},
				digest() {
					if (failure !== undefined) return Promise.reject(failure);
					last += 1;
					const question = last;
					return new Promise((resolve, reject) => {
						forDigests.set(question, { resolve, reject });
						tell({ id, question });
					});
				},
				end: () => tell({ id }),
			};
		},
		isBroken: () => failure !== undefined,
		stop: () => void worker.terminate(),
	};
}
