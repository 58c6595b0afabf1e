// Who may write a data directory: one process at a time. A port, so that a simulated disk needs no sockets.

import type { Watermark } from "./log-files.js";

/** What an owner says of itself to whoever connects. */
export interface OwnerIdentity {
	readonly pid: number;
	readonly host: string;
	/** UTC milliseconds. */
	readonly startedAt: number;
}

export interface Ownership {
	/**
	 * Becomes the owner of `directory`, which exists.
	 * *Errors*: rejects with a `StoreFault` `owned`, which names the other owner, or `io`.
	 * *Promise*: at most one live owner at any time; an owner that died does not stand in the way.
	 */
	acquire(directory: string, startedAt: number): Promise<Owned>;

	/**
	 * Connects to the live owner; resolves with `undefined` when there is none.
	 * *Errors*: rejects with a retryable `StoreFault` `io` when there is one that does not answer in time.
	 */
	connect(directory: string): Promise<OwnerConnection | undefined>;
}

export interface Owned {
	/** Tells every connected reader, now or soon, that the log is durable up to here. Never waits for a slow one. */
	publish(durable: Watermark): void;
	/** Gives the directory up. Idempotent. */
	release(): Promise<void>;
}

export interface OwnerConnection {
	readonly owner: OwnerIdentity;
	/**
	 * Asks how far the log is durable now; `undefined`: the owner is gone. One that does not answer within seconds
	 * counts as it last spoke: that much is durable in any case.
	 */
	durable(): Promise<Watermark | undefined>;
	/** Whether the owner is still there. */
	isOpen(): boolean;
	/** Calls `listener` when the owner tells of more, and when it goes; returns how to stop that. */
	onChange(listener: () => void): () => void;
	close(): void;
}
