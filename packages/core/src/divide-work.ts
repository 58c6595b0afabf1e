// Work that is divided among processes: each holds its part of the shares by leases, gives some back when another joins,
// and takes those of one that left. A lease besides, a seat, says who takes part.

import { holdLease, isForEver } from "./hold-lease.js";
import { describeError, observe } from "./observe.js";
import type { Lease, LeaseHolder, LeaseStore } from "./ports/lease-store.js";
import type { Clock, Logger } from "./ports/runtime.js";
import { isStoreFault } from "./ports/store-fault.js";
import { quotaOf, shareOf } from "./share-out.js";
import { whenAborted } from "./when-aborted.js";

/** A process that dies is replaced within this and a third more. */
const DURATION_MS = 30_000;
/** More processes than these stand by. Those that died sit for a while: more than there are shares. */
const SEATS = 64;

export interface DivideWorkOptions {
	/** What the work is: the same in all processes. *Shape*: at most 240 characters. */
	readonly name: string;
	/** This process: unlike all others. */
	readonly owner: string;
	/** How many shares there are: the same in all processes. */
	readonly shares: number;
	/** Works at one share, counted from 0, until `held` aborts, then resolves: somebody else may be at it by then. */
	readonly work: (share: number, held: AbortSignal) => Promise<void>;
	/** Ends it all: the work is stopped, and the leases given back. */
	readonly signal: AbortSignal;
	/** Milliseconds; default 30 seconds. */
	readonly durationMs?: number;
}

export interface DividedWork {
	/** Resolves once it is known which shares are ours to begin with, and they are worked at. Rejects as `ended`. */
	readonly decided: Promise<void>;
	/** Resolves when `signal` has aborted and the work has stopped; rejects with what the work rejects with. */
	readonly ended: Promise<void>;
}

/** A share that this process has, or asks for. */
interface Wanted {
	readonly share: number;
	drop(): void;
	readonly decided: Promise<unknown>;
	readonly ended: Promise<void>;
}

/**
 * Works at this process's part of the shares, as long as it takes part: that is alone at all of them, and of `n` processes
 * at one `n`th. A store that fails is asked again; what is held meanwhile is worked at until its lease may be over.
 * *Promise*: of each share as `holdLease`. Every share is held again within 40 seconds after its holder died (a lease and
 * a third of `durationMs`), and within 10 after it stopped.
 */
export function divideWork(
	deps: { readonly leases: LeaseStore; readonly clock: Clock; readonly logger: Logger },
	options: DivideWorkOptions,
): DividedWork {
	const { leases, clock, logger } = deps;
	const { name, owner, shares, work, signal, durationMs = DURATION_MS } = options;
	const seatName = `${name}/seat/`;
	const shareName = `${name}/share/`;
	const all = Array.from({ length: shares }, (_, share) => share);
	let begin = (): void => undefined;
	const begun = new Promise<void>((resolve) => {
		begin = resolve;
	});

	const freeSeat = async (): Promise<string | undefined> => {
		const taken = new Set((await leases.list(seatName)).map((held) => held.name));
		// Those who begin at once ask for different ones.
		const first = shareOf(owner, SEATS);
		const seats = Array.from({ length: SEATS }, (_, seat) => `${seatName}${(first + seat) % SEATS}`);
		return seats.find((seat) => !taken.has(seat));
	};
	const want = (share: number, fail: (error: unknown) => void): Wanted => {
		const dropping = new AbortController();
		let tell = (): void => undefined;
		const atWork = new Promise<void>((resolve) => {
			tell = resolve;
		});
		const held = holdLease(deps, {
			name: `${shareName}${share}`,
			owner,
			durationMs,
			signal: dropping.signal,
			work: (until) => {
				tell();
				return work(share, until);
			},
		});
		held.ended.catch(fail);
		const begins = held.decided.then((isOurs) => (isOurs ? atWork : undefined));
		const decided = Promise.race([begins, held.ended]);
		return { share, drop: () => dropping.abort(), decided, ended: held.ended };
	};
	/** While the seat is ours: looks who takes part, and asks for what is ours, or gives back what is no longer. */
	const takePart = async (until: AbortSignal, seat: Lease): Promise<void> => {
		const wanted = new Map<number, Wanted>();
		/** Given back, and perhaps worked at still. */
		const leaving = new Map<number, Wanted>();
		const over = new AbortController();
		const stop = (): void => over.abort();
		let failure: { readonly error: unknown } | undefined;
		const fail = (error: unknown): void => {
			failure ??= { error };
			stop();
		};
		const drop = (one: Wanted): void => {
			wanted.delete(one.share);
			leaving.set(one.share, one);
			one.drop();
			const leave = (): void => void leaving.delete(one.share);
			one.ended.then(leave, leave);
		};
		const ask = (share: number): void => void wanted.set(share, want(share, fail));
		/** Returns whether this process has as much as it should. */
		const look = async (): Promise<boolean> => {
			if (isForEver(seat)) {
				for (const share of all) ask(share);
				return true;
			}
			const seats = [...(await leases.list(seatName))].sort(bySeat(seatName));
			const rank = seats.findIndex((held) => held.owner === owner);
			// Its time is over: whoever renews it is about to find out.
			if (rank < 0) return false;
			const held = await leases.list(shareName);
			const isOthers = others(held, owner, shareName);
			for (const one of [...wanted.values()]) if (isOthers(one.share)) drop(one);
			const quota = quotaOf(shares, seats.length, rank);
			for (const one of [...wanted.values()].slice(quota)) drop(one);
			// Those who begin at once begin in different places.
			const from = Math.floor((rank * shares) / seats.length);
			for (const share of [...all.slice(from), ...all.slice(0, from)]) {
				if (wanted.size >= quota) break;
				if (!isOthers(share) && !wanted.has(share) && !leaving.has(share)) ask(share);
			}
			return wanted.size >= quota;
		};
		const lookAgain = async (): Promise<boolean> => {
			try {
				return await look();
			} catch (error) {
				if (!isStoreFault(error) || !error.retryable) throw error;
				const details = { work: name, error: describeError(error) };
				observe(() => logger.warn(details, "leases cannot be listed; trying again"));
				return true;
			}
		};
		until.addEventListener("abort", stop, { once: true });
		if (until.aborted) stop();
		try {
			while (!over.signal.aborted) {
				const isEnough = await lookAgain();
				await Promise.allSettled([...wanted.values()].map(({ decided }) => decided));
				begin();
				// What another is about to give back is not waited for longer than need be.
				if (isForEver(seat)) await whenAborted(over.signal);
				else await clock.sleep(Math.ceil(durationMs / (isEnough ? 3 : 30)), over.signal);
			}
		} finally {
			until.removeEventListener("abort", stop);
			const ending = [...wanted.values(), ...leaving.values()];
			for (const one of wanted.values()) one.drop();
			await Promise.allSettled(ending.map(({ ended }) => ended));
		}
		if (failure !== undefined) throw failure.error;
	};
	const seated = holdLease(deps, { name: freeSeat, owner, durationMs, signal, work: takePart });
	const decided = Promise.race([seated.decided.then((isOurs) => (isOurs ? begun : undefined)), seated.ended]);
	decided.catch(() => undefined);
	return { decided, ended: seated.ended };
}

/** Whether another holds a share. */
function others(held: readonly LeaseHolder[], owner: string, shareName: string): (share: number) => boolean {
	const names = new Set(held.filter((lease) => lease.owner !== owner).map(({ name }) => name));
	return (share) => names.has(`${shareName}${share}`);
}

function bySeat(seatName: string): (left: LeaseHolder, right: LeaseHolder) => number {
	const seat = ({ name }: LeaseHolder): number => Number(name.slice(seatName.length));
	return (left, right) => seat(left) - seat(right);
}
