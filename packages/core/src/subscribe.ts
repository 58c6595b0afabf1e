// Durable subscriptions: a named reader of the log, at least once, from where it stopped; in position order, each
// recording for itself or all together.

import { whenCaughtUp } from "./caught-up.js";
import type { DeliveryParked } from "./delivery-ledger.js";
import type { ReelkeepEvent, UnknownEvent } from "./events.js";
import { holdLease, noLeases } from "./hold-lease.js";
import { describeError, observe } from "./observe.js";
import type { CheckpointStore } from "./ports/checkpoint-store.js";
import type { EventStore, Position, StreamName } from "./ports/event-store.js";
import type { LeaseStore } from "./ports/lease-store.js";
import type { Clock, Ids, Logger } from "./ports/runtime.js";
import { isStoreFault } from "./ports/store-fault.js";
import { createProgress } from "./progress.js";
import { replayEvents } from "./replay.js";
import { sha256Hex } from "./sha256.js";
import { resolveSubscribeOptions } from "./subscribe-options.js";
import { type Running, runSubscription } from "./subscription-run.js";

const MAX_NAME_CHARACTERS = 256;
/** By then it is known whose the lease is. */
const OWNED_PAUSE_MS = 10_000;

/** How an event comes to a handler. */
export interface Delivery {
	/** Of this event and this subscription: the same for every try, also after a restart and in a replay. */
	readonly id: string;
	/** 1 for the first. Counted on over a restart only once the event is parked. */
	readonly attempt: number;
	/** Somebody asked for it again. */
	readonly isReplay: boolean;
	/** Aborts when the subscription is stopped. */
	readonly signal: AbortSignal;
}

/**
 * Handles one event. A rejection is tried again with growing pauses, and later events of the recording wait; an event that
 * this release does not know arrives with the type `unknown:…`.
 */
export type SubscriptionHandler = (event: ReelkeepEvent | UnknownEvent, delivery: Delivery) => Promise<void>;

export interface SubscribeOptions {
	/**
	 * `recording` (default): events of one recording in order, and one that keeps failing is parked with the recording's later
	 * ones; others go on. `log`: one after the other over all recordings; one that fails holds up everything.
	 */
	readonly order?: "recording" | "log";
	/** Handlers at once, each for another recording. 1 (default; then events come in position order) to 1 000. */
	readonly concurrency?: number;
	/** Tries before a recording is parked. Default 6: some 3 s. */
	readonly triesBeforeParking?: number;
	/** Tries, with pauses of up to an hour, after which what is parked waits for `retryParked`. Default 24: some 15 hours. */
	readonly maxTries?: number;
	/** Recordings parked at once; one more holds the subscription up. Default 1 000. */
	readonly maxParked?: number;
	/** Handed nothing that was in the log before its first start, and no replay. Default `false`. */
	readonly liveOnly?: boolean;
	/** Told of every failed try: what the log must not hold may stand in the error. */
	readonly onFailure?: (error: unknown, event: ReelkeepEvent | UnknownEvent, attempt: number) => void;
}

export interface ReplayOptions {
	/** Exclusive; default: from the start of the log. */
	readonly after?: Position;
	/** At most so many events a second. Default 100. */
	readonly eventsPerSecond?: number;
}

export interface Subscription {
	readonly name: string;
	/** What keeps it from going on, in words; `undefined` while nothing does, or it was stopped. */
	problem(): string | undefined;
	/** The recordings that are set aside: which event of each failed, how often, and when it is tried next. */
	parked(): readonly DeliveryParked[];
	/** Tries what is parked now, or that of one recording; also what had its last try. Returns how many recordings. */
	retryParked(stream?: StreamName): number;
	/**
	 * Hands events out again, up to where the subscription is now, beside what comes meanwhile; of a parked recording only what
	 * is parked comes again. Resolves with how many, once they are handled or parked. It ends with the process: ask again
	 * after a restart.
	 * *Errors*: rejects with a `TypeError` for one that is `liveOnly`, a `RangeError` for a rate that is not above 0, a `StoreFault`
	 * when the log cannot be read, an `Error` when the subscription ends before.
	 */
	replay(options?: ReplayOptions): Promise<number>;
	/**
	 * Resolves when every event that is in the log now has been handled or parked, or the subscription was stopped; a fault of
	 * the log that passes is waited out. Where another process has the subscription, it waits until this one has. *Errors*: rejects as `ended`, or with a `StoreFault` that will not pass.
	 */
	whenCaughtUp(): Promise<void>;
	/** Lets the handlers under way finish, saves the checkpoint, and resolves. Idempotent. */
	stop(): Promise<void>;
	/** Resolves when the subscription has ended; rejects when it cannot go on, e.g. another owner moved its checkpoint. */
	readonly ended: Promise<void>;
}

export interface SubscribeDeps {
	readonly store: EventStore;
	readonly checkpoints: CheckpointStore;
	readonly clock: Clock;
	readonly ids: Ids;
	readonly logger: Logger;
	/** Who may hand out events, of several processes. Left out: this one. */
	readonly leases?: LeaseStore;
}

/**
 * Starts the subscription `name`. Each name has one checkpoint and one owner at a time: who holds its lease; the others
 * stand by.
 * *Errors*: throws a `TypeError` for a name that is empty or longer than 256 characters, and a `RangeError` or `TypeError`
 * for options that make no sense.
 */
export function subscribe(
	deps: SubscribeDeps,
	name: string,
	handler: SubscriptionHandler,
	options: SubscribeOptions = {},
): Subscription {
	if (name === "" || name.length > MAX_NAME_CHARACTERS) {
		throw new TypeError(`a subscription's name has 1 to ${MAX_NAME_CHARACTERS} characters`);
	}
	const resolved = resolveSubscribeOptions(options);
	const ending = new AbortController();
	const { signal } = ending;
	const progress = createProgress();
	let isStopped = false;
	let lastWords: string | undefined;
	let waitsFor: string | undefined;
	let running: Running | undefined;
	const onWait = (problem: string | undefined): void => {
		waitsFor = problem;
	};
	/** Who waits for this process to run it, which may stand by for long. */
	const waitingForRun = new Set<(it: Running) => void>();
	const onRunning = (it: Running): void => {
		running = it;
		for (const tell of waitingForRun) tell(it);
		waitingForRun.clear();
	};
	const waiting = { name, clock: deps.clock, logger: deps.logger, signal, onWait };
	const leases = deps.leases ?? noLeases;
	/** One run after the other, as long as the lease is ours. */
	const work = async (held: AbortSignal): Promise<void> => {
		while (await runOnce(held)) await deps.clock.sleep(OWNED_PAUSE_MS, held);
	};
	/** Whether to run again: another process wrote what only the owner writes, before we knew that we no longer are. */
	const runOnce = async (held: AbortSignal): Promise<boolean> => {
		const run = new AbortController();
		const end = (): void => run.abort(signal.aborted ? signal.reason : "lost");
		held.addEventListener("abort", end, { once: true });
		if (held.aborted) end();
		const ownWaiting = { ...waiting, signal: run.signal };
		try {
			await runSubscription(deps, ownWaiting, handler, resolved, { ending: run, progress, onRunning });
		} catch (error) {
			// Once it is lost, whoever has it now went on from the last checkpoint.
			if (run.signal.reason !== "lost") {
				if (leases === noLeases || !isStoreFault(error) || error.reason !== "owned") throw error;
				return !held.aborted;
			}
		} finally {
			running = undefined;
		}
		if (run.signal.reason === "lost")
			observe(() => deps.logger.warn({ subscription: name }, "another process has it now"));
		return false;
	};
	const owner = deps.ids.next();
	const lease = { name: leaseOf(name), owner, work, signal };
	const holding = holdLease({ ...deps, leases }, lease);
	const ended = holding.ended.catch((error) => {
		ending.abort("ended");
		// What was not saved comes again: a fault that would pass, or a read that the stop cut short, is no reason to fail it.
		const isHarmless = error === signal.reason || (isStoreFault(error) && error.retryable);
		if (!(isStopped && isHarmless)) throw error;
	});
	// Whoever looks at `ended` is told; that nobody looks is no unhandled rejection.
	ended.catch((error: unknown) => {
		lastWords = `subscription ${name} ended: ${describeError(error)}`;
		observe(() =>
			deps.logger.error({ subscription: name, error: describeError(error) }, "subscription ended"),
		);
	});
	return {
		name,
		ended,
		problem: () => lastWords ?? (isStopped ? undefined : (waitsFor ?? describeProblem(name, running))),
		parked: () => [...(running?.ledger.state.parked.values() ?? [])],
		retryParked: (stream) => running?.parking.retryNow(stream) ?? 0,
		async replay(replay = {}) {
			if (resolved.liveOnly) throw new TypeError(`subscription ${name} is live-only: nothing is replayed`);
			const whenRunning = async (): Promise<Running | undefined> => {
				if (running !== undefined) return running;
				const begun = new Promise<Running>((resolve) => waitingForRun.add(resolve));
				const over = ended.then(
					() => undefined,
					() => undefined,
				);
				return Promise.race([begun, over]);
			};
			return replayEvents({ ...deps, running: whenRunning, ended, name }, replay);
		},
		whenCaughtUp: () => whenCaughtUp({ store: deps.store, progress, waiting, ended }),
		async stop() {
			isStopped = true;
			ending.abort("stopped");
			await ended.catch(() => undefined);
		},
	};
}

/** Names of subscriptions may be as long as those of leases. */
function leaseOf(name: string): string {
	return `subscription-${sha256Hex(name)}`;
}

function describeProblem(name: string, running: Running | undefined): string | undefined {
	const stuck = running?.parking.stuck();
	if (stuck !== undefined) {
		return `subscription ${name} is stuck at position ${stuck.position}: its handler failed ${stuck.failures} times`;
	}
	const parked = running?.ledger.state.parked.size ?? 0;
	if (parked === 0) return undefined;
	const recordings = parked === 1 ? "1 recording" : `${parked} recordings`;
	return `subscription ${name} has parked ${recordings}: their handler keeps failing`;
}
