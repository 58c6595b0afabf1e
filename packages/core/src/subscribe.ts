// Durable subscriptions: a named reader of the log, in position order, at least once, from where it stopped.

import { decodeEvent, type ReelkeepEvent, toUnknownEvent, type UnknownEvent } from "./events.js";
import { followLog, lastPosition } from "./follow.js";
import { describeError, errorName, observe } from "./observe.js";
import type { CheckpointStore } from "./ports/checkpoint-store.js";
import type { EventStore, Position } from "./ports/event-store.js";
import { comparePositions } from "./ports/position.js";
import type { Clock, Logger } from "./ports/runtime.js";
import { isStoreFault, storeFault } from "./ports/store-fault.js";

/** A checkpoint costs a sync: one is saved at the latest after so many events, and whenever all are done. */
const EVENTS_PER_CHECKPOINT = 256;
const MAX_NAME_CHARACTERS = 256;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 30_000;
/** A checkpoint store that fails is asked again after this. */
const FAULT_DELAY_MS = 1000;

/**
 * Handles one event; a rejection is tried again, with growing pauses, and later events wait: nothing is skipped.
 * An event that this release does not know arrives with the type `unknown:…`.
 */
export type SubscriptionHandler = (event: ReelkeepEvent | UnknownEvent, signal: AbortSignal) => Promise<void>;

export interface SubscribeOptions {
	/** Told of every failed try: what the log must not hold may stand in the error. */
	readonly onFailure?: (error: unknown, event: ReelkeepEvent | UnknownEvent, attempt: number) => void;
}

export interface Subscription {
	readonly name: string;
	/** What keeps it from going on, in words; `undefined` while nothing does. */
	problem(): string | undefined;
	/** Resolves when every event that is in the log now has been handled, or the subscription was stopped. */
	whenCaughtUp(): Promise<void>;
	/** Lets the handler under way finish, saves the checkpoint, and resolves. Idempotent. */
	stop(): Promise<void>;
	/** Resolves when the subscription has ended; rejects when it cannot go on, e.g. another owner moved its checkpoint. */
	readonly ended: Promise<void>;
}

export interface SubscribeDeps {
	readonly store: EventStore;
	readonly checkpoints: CheckpointStore;
	readonly clock: Clock;
	readonly logger: Logger;
}

/**
 * Starts the subscription `name`. Each name has one checkpoint and must have one owner at a time.
 * *Errors*: throws a `TypeError` for a name that is empty or longer than 256 characters.
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
	const stopping = new AbortController();
	const progress = createProgress();
	let problem: string | undefined;
	const onState = (state: string | undefined): void => {
		problem = state;
	};
	const handle = createHandling(deps, name, handler, { ...options, onState });
	const ended = run({ ...deps, onState }, name, handle, stopping.signal, progress).catch((error) => {
		// What was not saved comes again: a fault that would pass is no reason to fail a stop.
		if (!(stopping.signal.aborted && isStoreFault(error) && error.retryable)) throw error;
	});
	// Whoever looks at `ended` is told; that nobody looks is no unhandled rejection.
	ended.catch((error: unknown) => {
		problem = `subscription ${name} ended: ${describeError(error)}`;
		observe(() =>
			deps.logger.error({ subscription: name, error: describeError(error) }, "subscription ended"),
		);
	});
	return {
		name,
		ended,
		problem: () => problem,
		async whenCaughtUp() {
			const last = await lastPosition(deps.store);
			if (last !== undefined) await Promise.race([progress.reached(last), ended]);
		},
		async stop() {
			stopping.abort();
			await ended.catch(() => undefined);
		},
	};
}

/** Handles one event until it is done. `false` when the subscription was stopped before that. */
type Handle = (event: ReelkeepEvent | UnknownEvent, signal: AbortSignal) => Promise<boolean>;

/** What a running subscription works with; `onState` is told what it waits for, and when that is over. */
type Running = SubscribeDeps & { readonly onState: (problem: string | undefined) => void };

async function run(
	deps: Running,
	name: string,
	handle: Handle,
	signal: AbortSignal,
	progress: Progress,
): Promise<void> {
	let saved = await untilItWorks(deps, name, signal, () => deps.checkpoints.load(name));
	const last = await untilItWorks(deps, name, signal, () => lastPosition(deps.store));
	if (saved !== undefined && (last === undefined || comparePositions(saved, last) > 0)) {
		// Its positions will be given out again: to go on would skip those events in silence.
		throw storeFault(
			"corrupt",
			`the checkpoint of subscription ${name} lies behind the end of the log: the log was cut, or replaced by an ` +
				"older one; restore it, or subscribe under another name to see everything again",
		);
	}
	let finished = saved;
	let unsaved = 0;
	const save = async (): Promise<void> => {
		if (finished === undefined || finished === saved) return;
		await saveCheckpoint(deps, name, signal, { position: finished, expected: saved });
		saved = finished;
		unsaved = 0;
	};
	for await (const followed of followLog(deps, { after: finished, signal })) {
		if (followed._tag === "CaughtUp") {
			await save();
			progress.reach(followed.position);
			continue;
		}
		const event = decodeEvent(followed.event) ?? toUnknownEvent(followed.event);
		if (!(await handle(event, signal))) break;
		finished = followed.event.position;
		unsaved += 1;
		const isAwaited = progress.isAwaited(finished);
		if (isAwaited || unsaved >= EVENTS_PER_CHECKPOINT) await save();
		if (isAwaited) progress.reach(finished);
	}
	await save();
}

function createHandling(
	{ clock, logger }: SubscribeDeps,
	name: string,
	handler: SubscriptionHandler,
	options: SubscribeOptions & { readonly onState: (problem: string | undefined) => void },
): Handle {
	return async (event, signal) => {
		const { id, position } = event;
		let delayMs = FIRST_RETRY_MS;
		for (let attempt = 1; ; attempt += 1, delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
			try {
				await handler(event, signal);
				options.onState(undefined);
				return true;
			} catch (error) {
				if (signal.aborted) return false;
				options.onState(
					`subscription ${name} is stuck at position ${position}: its handler failed ${attempt} times`,
				);
				const failure = errorName(error);
				const details = { subscription: name, id, position, failure, attempt, delayMs };
				observe(() => logger.warn(details, "handler failed; trying again"));
				observe(() => options.onFailure?.(error, event, attempt));
				await clock.sleep(delayMs, signal);
				if (signal.aborted) return false;
			}
		}
	};
}

async function saveCheckpoint(
	deps: Running,
	name: string,
	signal: AbortSignal,
	{ position, expected }: { readonly position: Position; readonly expected: Position | undefined },
): Promise<void> {
	let tries = 0;
	const result = await untilItWorks(deps, name, signal, () => {
		tries += 1;
		return deps.checkpoints.save(name, position, expected);
	});
	// A save whose fault came after the deed is found done by the next one.
	const isOurs = result._tag === "Saved" || (tries > 1 && result.actual === position);
	if (!isOurs) throw storeFault("owned", `subscription ${name} has another owner: its checkpoint was moved`);
}

/** Waits a retryable fault of a store out, like one of the log; once stopped there is one try. */
async function untilItWorks<Value>(
	{ clock, logger, onState }: Running,
	name: string,
	signal: AbortSignal,
	work: () => Promise<Value>,
): Promise<Value> {
	for (let tries = 1; ; tries += 1) {
		try {
			const value = await work();
			if (tries > 1) onState(undefined);
			return value;
		} catch (error) {
			if (signal.aborted || !isStoreFault(error) || !error.retryable) throw error;
			onState(`subscription ${name} waits: ${error.message}`);
			const details = { subscription: name, reason: error.reason };
			observe(() => logger.warn(details, "a store does not answer; trying again"));
			await clock.sleep(FAULT_DELAY_MS, signal);
		}
	}
}

/** How far everything is handled and saved, and who waits for that. */
interface Progress {
	reach(position: Position | undefined): void;
	reached(position: Position): Promise<void>;
	/** Whether somebody waits for `position`, or for one before it. */
	isAwaited(position: Position): boolean;
}

function createProgress(): Progress {
	let reachedPosition: Position | undefined;
	let waiters: readonly { readonly position: Position; readonly wake: () => void }[] = [];
	const isBehind = (position: Position): boolean =>
		reachedPosition === undefined || comparePositions(reachedPosition, position) < 0;
	return {
		reach(position) {
			reachedPosition = position;
			for (const { position, wake } of waiters) if (!isBehind(position)) wake();
			waiters = waiters.filter(({ position }) => isBehind(position));
		},
		isAwaited: (position) => waiters.some((waiter) => comparePositions(waiter.position, position) <= 0),
		reached: (position) =>
			new Promise((resolve) => {
				if (!isBehind(position)) return resolve();
				waiters = [...waiters, { position, wake: resolve }];
			}),
	};
}
