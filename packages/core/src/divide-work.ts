// Work that is divided among processes: each holds its part of the shares by leases, gives some back when another joins,
// and takes those of one that left. A lease besides, a seat, says who takes part.

import { holdLease, isForEver, LEASE_DURATION_MS } from "./hold-lease.js";
import { describeError, observe } from "./observe.js";
import type { Lease, LeaseHolder, LeaseStore } from "./ports/lease-store.js";
import type { Clock, Logger } from "./ports/runtime.js";
import { isStoreFault } from "./ports/store-fault.js";
import { shareOf, shareOut } from "./share-out.js";
import { whenAborted } from "./when-aborted.js";
import { withinTime } from "./within-time.js";

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
	/** Whether it is ours now. */
	isAtWork(): boolean;
	drop(): void;
	readonly decided: Promise<unknown>;
	readonly ended: Promise<void>;
}

/**
 * Works at this process's part of the shares, as long as it takes part: that is alone at all of them, and of `n` processes
 * at one `n`th. A store that fails is asked again; what is held meanwhile is worked at until its lease may be over.
 * *Promise*: of each share as `holdLease`. Where leases can be asked for, every share is held again within 50 seconds after
 * its holder died, and within 20 after it stopped; who joins has its part within 30.
 */
export function divideWork(
	deps: { readonly leases: LeaseStore; readonly clock: Clock; readonly logger: Logger },
	options: DivideWorkOptions,
): DividedWork {
	const { leases, clock, logger } = deps;
	const { name, owner, shares, work, signal, durationMs = LEASE_DURATION_MS } = options;
	const seatName = `${name}/seat/`;
	const shareName = `${name}/share/`;
	let begin = (): void => undefined;
	const begun = new Promise<void>((resolve) => {
		begin = resolve;
	});

	let hasWaited = false;
	const freeSeat = async (): Promise<string | undefined> => {
		const seats = await leases.list(seatName);
		// From before, when an answer was lost.
		const own = seats.find((held) => held.owner === owner);
		if (own !== undefined) return own.name;
		// A process that dies again and again must not count again and again: beside others a seat is for who has lived a while.
		if (seats.length > 0 && !hasWaited) {
			hasWaited = true;
			return undefined;
		}
		const taken = new Set(seats.map((held) => held.name));
		// Those who begin at once ask for different ones.
		const first = shareOf(owner, SEATS);
		return Array.from({ length: SEATS }, (_, seat) => `${seatName}${(first + seat) % SEATS}`).find(
			(seat) => !taken.has(seat),
		);
	};
	const want = (share: number, fail: (error: unknown) => void): Wanted => {
		const dropping = new AbortController();
		let isAtWork = false;
		const held = holdLease(deps, {
			name: `${shareName}${share}`,
			owner,
			durationMs,
			signal: dropping.signal,
			async work(until) {
				isAtWork = true;
				await work(share, until).finally(() => {
					isAtWork = false;
				});
			},
		});
		held.ended.catch(fail);
		const { decided, ended } = held;
		return { share, isAtWork: () => isAtWork, drop: () => dropping.abort(), decided, ended };
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
		const drop = (one: Wanted | undefined): void => {
			if (one === undefined) return;
			wanted.delete(one.share);
			leaving.set(one.share, one);
			one.drop();
			const leave = (): void => void leaving.delete(one.share);
			one.ended.then(leave, leave);
		};
		let looks = 0;
		/** Returns whether this process asks for as much as it should. A look that took too long is not followed. */
		const look = async (): Promise<boolean> => {
			looks += 1;
			const own = looks;
			const ask = (share: number): void => void wanted.set(share, want(share, fail));
			if (isForEver(seat)) {
				for (let share = 0; share < shares; share += 1) ask(share);
				return true;
			}
			const members = ownersOf(await leases.list(seatName), seatName);
			const holders = holdersOf(await leases.list(shareName), shareName);
			if (over.signal.aborted || own !== looks) return false;
			const { giveBack, askFor, isEnough } = shareOut({
				...{ shares, members, self: owner, holders },
				wanted: [...wanted.keys()],
				leaving,
			});
			for (const share of giveBack) drop(wanted.get(share));
			for (const share of askFor) ask(share);
			return isEnough;
		};
		const lookAgain = async (): Promise<boolean> => {
			try {
				const isEnough = await withinTime(clock, look(), durationMs, over.signal);
				const decided = Promise.allSettled([...wanted.values()].map((one) => one.decided));
				await withinTime(clock, decided, durationMs, over.signal);
				return isEnough === true && [...wanted.values()].every((one) => one.isAtWork());
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

/** Each once, in the order of the seats. */
function ownersOf(seats: readonly LeaseHolder[], prefix: string): readonly string[] {
	const sorted = seats.toSorted((left, right) => numberOf(left, prefix) - numberOf(right, prefix));
	return [...new Set(sorted.map(({ owner }) => owner))];
}

function holdersOf(held: readonly LeaseHolder[], prefix: string): ReadonlyMap<number, string> {
	return new Map(held.map((lease) => [numberOf(lease, prefix), lease.owner]));
}

function numberOf({ name }: LeaseHolder, prefix: string): number {
	return Number(name.slice(prefix.length));
}
