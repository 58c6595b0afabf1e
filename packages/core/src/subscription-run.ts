// The run of one subscription, from its checkpoint to its end.

import { createCheckpointSaver } from "./checkpoint-saver.js";
import { createLanes } from "./delivery-lanes.js";
import { type DeliveryLedger, isSubscriptionStream, openLedger } from "./delivery-ledger.js";
import { createParking, type Parking, type ParkingLimits } from "./delivery-parking.js";
import { decodeEvent, toUnknownEvent } from "./events.js";
import { followLog, lastPosition } from "./follow.js";
import { outwait, type Waiting } from "./outwait.js";
import type { EventStore, Position, RecordedEvent } from "./ports/event-store.js";
import { comparePositions } from "./ports/position.js";
import { type StoreFault, storeFault } from "./ports/store-fault.js";
import type { Progress } from "./progress.js";
import type { SubscribeDeps, SubscribeOptions, SubscriptionHandler } from "./subscribe.js";
import { createWatermark } from "./watermark.js";

/** A checkpoint costs a sync: one is saved at the latest after so many events, and whenever all are done. */
const EVENTS_PER_CHECKPOINT = 256;

export interface RunOptions extends ParkingLimits, Pick<SubscribeOptions, "onFailure"> {
	readonly order: "recording" | "log";
	readonly liveOnly: boolean;
}

/** What a subscription can be asked while it runs. */
export interface Running {
	readonly ledger: DeliveryLedger;
	readonly parking: Parking;
	/** Hands an event out once more. Resolves when the lanes have it. */
	replay(event: RecordedEvent, settle: () => void): Promise<void>;
	/** Up to where everything is given to the lanes. */
	dispatchedTo(): Position | undefined;
	/** Aborts when this run is over, also when another process goes on. */
	readonly signal: AbortSignal;
}

/** Resolves when `ending` has aborted and what was under way is over; rejects with what nobody can go on from. */
export async function runSubscription(
	deps: SubscribeDeps,
	waiting: Waiting,
	handler: SubscriptionHandler,
	options: RunOptions,
	{ ending, progress, onRunning }: RunHooks,
): Promise<void> {
	const { store } = deps;
	const { name, signal } = waiting;
	const saved = await outwait(waiting, () => deps.checkpoints.load(name));
	await refuseShortLog(store, waiting, saved);
	const ledger = await openLedger(deps, waiting);
	const from = saved ?? (options.liveOnly ? await startAtEnd(store, waiting, ledger) : undefined);

	let fatal: { readonly error: unknown } | undefined;
	const onFatal = (error: unknown): void => {
		fatal ??= { error };
		ending.abort("ended");
	};
	const onSaved = (position: Position) => progress.reach(position);
	const saver = createCheckpointSaver(deps.checkpoints, waiting, saved, { onSaved, onFatal });
	const watermark = createWatermark(from);
	const parking = createParking(ledger, store, waiting, options, options.onFailure);
	let dispatchedTo = from;
	let caughtUpAt: Position | undefined;
	let unsaved = 0;

	const lanes = createLanes({
		concurrency: options.concurrency,
		signal,
		async handle(item) {
			const { event, failures, replayTo } = item;
			const isReplay = replayTo !== undefined;
			await handler(event, { id: `${name}/${event.id}`, attempt: failures + 1, isReplay, signal });
			parking.succeeded(item);
		},
		failed: parking.failed,
		onFatal,
	});
	const saveWhenTime = (): void => {
		const { position, open } = watermark;
		if (position === undefined) return;
		const isIdle = caughtUpAt !== undefined && open === 0;
		if (!isIdle && unsaved < EVENTS_PER_CHECKPOINT && !progress.isAwaited(position)) return;
		unsaved = 0;
		if (position === saver.saved) progress.reach(position);
		else saver.request(position);
	};
	// What was parked before the order was changed keeps its own lane, or later events would pass it.
	const keyOf = ({ stream }: RecordedEvent): string => {
		const isApart = options.order === "recording" || parking.isParked(stream) || lanes.has(stream);
		return isApart ? stream : "";
	};
	const enter = (recorded: RecordedEvent, replayTo: Position | undefined, settle: () => void): void => {
		const isParked = parking.isParked(recorded.stream) && !lanes.has(keyOf(recorded));
		if (isParked || isSubscriptionStream(recorded.stream)) settle();
		else {
			const event = decodeEvent(recorded) ?? toUnknownEvent(recorded);
			lanes.add(keyOf(recorded), { event, failures: 0, replayTo, settle });
		}
	};
	onRunning({
		ledger,
		parking,
		dispatchedTo: () => dispatchedTo,
		signal,
		async replay(event, settle) {
			await lanes.room();
			// What the lane has before it is handled by then, behind the end of the replay too.
			if (!signal.aborted) enter(event, dispatchedTo, settle);
		},
	});

	const onFault = (fault: StoreFault | undefined): void =>
		waiting.onWait(fault && `subscription ${name} waits: ${fault.message}`);
	const resuming = parking.resumeDue(lanes, () => dispatchedTo).catch(onFatal);
	try {
		for await (const followed of followLog(deps, { after: from, signal, onFault })) {
			if (followed._tag === "CaughtUp") {
				caughtUpAt = followed.position;
				saveWhenTime();
				continue;
			}
			caughtUpAt = undefined;
			const { position } = followed.event;
			await lanes.room(() => watermark.hasRoom);
			if (unsaved >= EVENTS_PER_CHECKPOINT) await saver.settled();
			if (signal.aborted) break;
			const done = watermark.begin(position);
			dispatchedTo = position;
			enter(followed.event, undefined, () => {
				done();
				unsaved += 1;
				saveWhenTime();
			});
		}
	} catch (error) {
		onFatal(error);
	}
	await finish();

	async function finish(): Promise<void> {
		ending.abort("ended");
		await Promise.all([lanes.ended(), resuming]);
		if (watermark.position !== undefined && fatal === undefined) saver.request(watermark.position);
		await saver.settled().catch(onFatal);
		if (fatal !== undefined) throw fatal.error;
	}
}

export interface RunHooks {
	/** Aborted by a stop, or from within when it cannot go on; its signal is that of `waiting`. */
	readonly ending: AbortController;
	readonly progress: Progress;
	onRunning(running: Running): void;
}

async function refuseShortLog(
	store: EventStore,
	waiting: Waiting,
	saved: Position | undefined,
): Promise<void> {
	if (saved === undefined) return;
	const last = await outwait(waiting, () => lastPosition(store));
	if (last !== undefined && comparePositions(saved, last) <= 0) return;
	// Its positions will be given out again: to go on would skip those events in silence.
	throw storeFault(
		"corrupt",
		`the checkpoint of subscription ${waiting.name} lies behind the end of the log: the log was cut, or replaced by an ` +
			"older one; restore it, or subscribe under another name to see everything again",
	);
}

/** Where a subscription without history begins: written down, so that it stays so after a crash. */
async function startAtEnd(
	store: EventStore,
	waiting: Waiting,
	ledger: DeliveryLedger,
): Promise<Position | undefined> {
	if (ledger.state.started === undefined) {
		const after = (await outwait(waiting, () => lastPosition(store))) ?? null;
		await ledger.record({ type: "SubscriptionStarted", data: { subscription: waiting.name, after } });
	}
	return ledger.state.started?.after ?? undefined;
}
