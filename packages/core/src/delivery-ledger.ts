// What a subscription must remember beside its checkpoint: which recordings are parked. It is kept in the log itself, in
// a stream of the subscription's own, which no subscription is handed (ADR 0033).

import * as t from "io-ts";
import { outwait, type Waiting } from "./outwait.js";
import type { EventStore, JsonObject, Position, RecordedEvent, StreamName } from "./ports/event-store.js";
import { isPosition } from "./ports/position.js";
import type { Ids } from "./ports/runtime.js";
import { storeFault } from "./ports/store-fault.js";
import { hashFields } from "./recording-id.js";

const PREFIX = "subscription-";
const LEDGER_STREAM = /^subscription-[0-9a-f]{64}$/;

const Position_ = new t.Type<Position>(
	"Position",
	isPosition,
	(input, context) => (isPosition(input) ? t.success(input) : t.failure(input, context)),
	t.identity,
);

/** A recording whose event keeps failing is set aside: that event and the recording's later ones wait. */
export const DeliveryParked = t.type(
	{
		subscription: t.string,
		stream: t.string,
		/** Of the event that failed, in `stream`. */
		version: t.number,
		position: Position_,
		eventId: t.string,
		/** How often its handler has failed. */
		failures: t.number,
		/** The name of the last error; its message may hold anything. */
		error: t.string,
		/** UTC milliseconds. */
		parkedAt: t.number,
		/** `null`: only when it is asked for. */
		nextTryAt: t.union([t.number, t.null]),
		/** What waits up to here had been handled before a replay; `null`: nothing had. */
		replayTo: t.union([Position_, t.null]),
	},
	"DeliveryParked",
);
export type DeliveryParked = t.TypeOf<typeof DeliveryParked>;

/** Everything of a parked recording has been handled. */
const DeliveryResumed = t.type({ subscription: t.string, stream: t.string }, "DeliveryResumed");

/** Where a subscription began that is handed nothing older. */
const SubscriptionStarted = t.type(
	{ subscription: t.string, after: t.union([Position_, t.null]) },
	"SubscriptionStarted",
);
type SubscriptionStarted = t.TypeOf<typeof SubscriptionStarted>;

const CODECS = { DeliveryParked, DeliveryResumed, SubscriptionStarted };
type Entry = {
	[Type in keyof typeof CODECS]: { type: Type; data: t.TypeOf<(typeof CODECS)[Type]> };
}[keyof typeof CODECS];

interface LedgerState {
	readonly parked: Map<StreamName, DeliveryParked>;
	started: SubscriptionStarted | undefined;
}

/** `subscription-<64 hex>`. */
function subscriptionStream(name: string): StreamName {
	return PREFIX + hashFields([name]);
}

/** Whether an event is a subscription's own record. */
export function isSubscriptionStream(stream: StreamName): boolean {
	return LEDGER_STREAM.test(stream);
}

function enterInto(state: LedgerState, { type, data }: Entry): void {
	if (type === "SubscriptionStarted") state.started = data;
	else if (type === "DeliveryParked") state.parked.set(data.stream, data);
	else state.parked.delete(data.stream);
}

export interface DeliveryLedger {
	readonly state: {
		readonly parked: ReadonlyMap<StreamName, DeliveryParked>;
		readonly started: SubscriptionStarted | undefined;
	};
	/**
	 * Records one fact, durably. *Errors*: rejects with a `StoreFault`: `owned` when another process has written to the ledger
	 * of this subscription.
	 */
	record(entry: Entry): Promise<void>;
}

/** Reads the ledger of the subscription `waiting.name`. */
export async function openLedger(
	{ store, ids }: { readonly store: EventStore; readonly ids: Ids },
	waiting: Waiting,
): Promise<DeliveryLedger> {
	const { name, signal } = waiting;
	const stream = subscriptionStream(name);
	const loaded = await outwait(waiting, () => load(store, stream, signal));
	const { state } = loaded;
	let { version } = loaded;
	let last: Promise<unknown> = Promise.resolve();

	const append = async (entry: Entry): Promise<void> => {
		const data = entry.data as unknown as JsonObject;
		const event = { id: ids.next(), type: entry.type, schemaVersion: 1, data, metadata: {} };
		await outwait(waiting, async (tries) => {
			const result = await store.append(stream, [event], version === 0 ? "no-stream" : version);
			// An append whose fault came after the deed is found done by the next one.
			if (result._tag === "Appended" || (tries > 1 && (await lastId(store, stream)) === event.id)) return;
			throw storeFault("owned", `subscription ${name} has another owner: it wrote what is parked`);
		});
		version += 1;
		enterInto(state, entry);
	};
	return {
		state,
		record(entry) {
			const turn = last.then(() => append(entry));
			last = turn.catch(() => undefined);
			return turn;
		},
	};
}

async function load(store: EventStore, stream: StreamName, signal: AbortSignal) {
	const state: LedgerState = { parked: new Map(), started: undefined };
	let version = 0;
	for await (const event of store.read(stream, { signal })) {
		const entry = decodeEntry(event);
		if (entry !== undefined) enterInto(state, entry);
		version = event.version;
	}
	return { state, version };
}

function decodeEntry({ id, type, schemaVersion, data }: RecordedEvent): Entry | undefined {
	if (!Object.hasOwn(CODECS, type) || schemaVersion > 1) return undefined;
	const codec = CODECS[type as keyof typeof CODECS];
	if (!codec.is(data)) throw storeFault("corrupt", `event ${id} is no ${type}`);
	return { type, data } as unknown as Entry;
}

async function lastId(store: EventStore, stream: StreamName): Promise<string | undefined> {
	for await (const { id } of store.read(stream, { direction: "backward", limit: 1 })) return id;
	return undefined;
}
