/**
 * Grants the right to do a piece of work to one owner at a time, across processes.
 * *Shape*: `name` and `owner` are any strings of 1 to 256 characters (UTF-16 code units), told apart by each of them;
 * `durationMs` is a whole number of milliseconds, from 1 to 30 days.
 * *Errors*: what has another shape is a `TypeError` or a `RangeError`, and changes nothing; rejects with a `StoreFault`.
 * *Promise*: the time of a lease is over at its `expiresAt`, by the store's clock, whatever its holder believes. What an
 * owner does late is stopped by the fencing token, not by the clock.
 */
export interface LeaseStore {
	/**
	 * Takes `name` for `durationMs` from now, when nobody holds it or its holder's time is over. An owner that holds it
	 * gets it anew, under a higher token, and loses the lease that it had: so it goes on after a crash.
	 * *Errors*: `Held` when another holds it, with who and until when.
	 * *Promise*: of owners that ask at once one gets it; the token is higher than any that this name ever had.
	 */
	acquire(name: string, owner: string, durationMs: number): Promise<AcquireResult>;

	/**
	 * Extends a lease that is still held, to `durationMs` from now; its token stays. The lease is told by its name, owner
	 * and token: one that was renewed since may be handed in.
	 * *Errors*: `LeaseLost` when its time is over, whether or not another took it, when it was released, and when it is
	 * another's.
	 */
	renew(lease: Lease, durationMs: number): Promise<RenewResult>;

	/** Gives a lease back: the name is free. Nothing happens when it was lost already. */
	release(lease: Lease): Promise<void>;

	/**
	 * Who holds what now, of all names that begin with `prefix`, in any order. What is taken, renewed or given back meanwhile
	 * is told as before or as after.
	 * *Shape*: `prefix` as a name.
	 */
	list(prefix: string): Promise<readonly LeaseHolder[]>;
}

/** Who holds a name, and until when; without the token, which is its holder's. */
export type LeaseHolder = Omit<Lease, "fencingToken">;

/** Frozen. */
export interface Lease {
	readonly name: string;
	readonly owner: string;
	/**
	 * Grows with every grant of this name: what is guarded by the lease refuses a lower token than it has seen.
	 * *Shape*: a positive safe integer.
	 */
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
