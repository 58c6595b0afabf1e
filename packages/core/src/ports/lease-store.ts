/** Grants the right to do a piece of work to one owner at a time, across processes. */
export interface LeaseStore {
	/** Takes `name` for `durationMs`, when nobody holds it or its holder's time is over. */
	acquire(name: string, owner: string, durationMs: number): Promise<AcquireResult>;

	/** Extends a lease that is still held. *Errors*: `LeaseLost` when its time is over, whether or not another took it. */
	renew(lease: Lease, durationMs: number): Promise<RenewResult>;

	/** Gives a lease back; nothing happens when it was lost already. */
	release(lease: Lease): Promise<void>;
}

export interface Lease {
	readonly name: string;
	readonly owner: string;
	/** Grows with every grant of this name: what is guarded by the lease refuses a lower token than it has seen. */
	readonly fencingToken: number;
	/** UTC milliseconds. */
	readonly expiresAt: number;
}

export type AcquireResult =
	| { readonly _tag: "Acquired"; readonly lease: Lease }
	| { readonly _tag: "Held"; readonly owner: string; readonly expiresAt: number };

export type RenewResult =
	| { readonly _tag: "Renewed"; readonly lease: Lease }
	| { readonly _tag: "LeaseLost" };
