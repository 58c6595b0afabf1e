// A whole Reelkeep for one test: everything in memory, time in the test's hands, each store able to fail on demand.

import {
	createMemoryCheckpointStore,
	createMemoryEventStore,
	createMemoryKeyring,
	createMemoryLeaseStore,
	createMemorySnapshotStore,
	createMemoryVideoStore,
	type EventType,
	type ReelkeepEvent,
	silentLogger,
} from "@reelkeep/core";
import { createReelkeep, type Reelkeep, type ReelkeepOptions } from "@reelkeep/core/container";
import {
	CHECKPOINT_STORE,
	type CheckpointStore,
	CLOCK,
	type Clock,
	EVENT_STORE,
	type EventStore,
	KEYRING,
	type Keyring,
	LEASE_STORE,
	type LeaseStore,
	type Plugin,
	type ReceiveOutcome,
	SNAPSHOT_STORE,
	type SnapshotStore,
	type StreamName,
	VIDEO_STORE,
	type VideoStore,
} from "@reelkeep/core/ports";
import { checkMembers } from "./check-members.js";
import { createFakeClock, type FakeClock } from "./fake-clock.js";
import { type Faulty, faulty, unwrap } from "./faulty.js";
import { PROVIDED_PORTS, refuseProvidedPorts } from "./provided-ports.js";
import { firstOf, readHistory, untilRecorded } from "./recorded-events.js";
import { type CallbackMember, sampleCallback } from "./sample-callback.js";
import { SAMPLE_APP } from "./sdk-request.js";

/** The stores of a test's Reelkeep. */
export interface TestStores {
	readonly eventStore: EventStore;
	readonly checkpointStore: CheckpointStore;
	readonly snapshotStore: SnapshotStore;
	readonly leaseStore: LeaseStore;
	readonly videoStore: VideoStore;
	readonly keyring: Keyring;
}

/** `container` may bring anything but the clock and the stores, which have options of their own here. */
export interface TestReelkeepOptions extends Omit<ReelkeepOptions, "plugins"> {
	/** What is tested beside the stores: an archiver, an ingress, yours. */
	readonly plugins?: readonly Plugin[];
	/** Default: a `FakeClock`, which stands still; `createShiftingClock()` where real sockets and time go together. */
	readonly clock?: Clock;
	/**
	 * Stores of the test's in place of empty ones in memory. Of a Reelkeep that was stopped: `{ stores: earlier }` is its
	 * restart; faults that were planned stay behind.
	 */
	readonly stores?: Partial<TestStores>;
}

export interface ReportOptions {
	/** Of the app that reports. Default: that of the captures. */
	readonly appKey?: string;
	/** Members that no callback has, for who wants to see what becomes of them. */
	readonly extra?: Readonly<Record<string, unknown>>;
}

/** The stores as Reelkeep sees them, to look at and to plan faults with. */
export type FaultyStores = { readonly [Name in keyof TestStores]: Faulty<TestStores[Name]> };

export interface TestReelkeep<Time extends Clock = FakeClock> extends Reelkeep, FaultyStores {
	readonly clock: Time;
	/**
	 * Reports a recording, as an ingress does once it is authentic: that of `sampleCallback` with `changes`, of which
	 * `undefined` leaves a member out. *Errors*: rejects with a `TypeError` for a member that no callback has.
	 */
	report(
		changes?: { readonly [Member in CallbackMember]?: unknown },
		options?: ReportOptions,
	): Promise<ReceiveOutcome>;
	/** Everything that is recorded, or recorded in one stream; past planned faults. */
	history(stream?: StreamName): Promise<readonly ReelkeepEvent[]>;
	/**
	 * The first event of `type`, of everything or of one stream, once it is there; past planned faults. It waits in real time
	 * and moves no clock. *Errors*: rejects when none has come after 10 s.
	 */
	until<Type extends EventType>(
		type: Type,
		stream?: StreamName,
	): Promise<Extract<ReelkeepEvent, { readonly type: Type }>>;
	/** Forgets all planned faults, lets go on what waits, and stops. Idempotent. */
	stop(): Promise<void>;
	/** `stop`, for `await using`. */
	[Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a Reelkeep in memory. It logs nothing unless a `logger` is given. Stop it when the test is over.
 * *Errors*: rejects as `createReelkeep` and `start` do, also when a plugin or the container brings the clock or a store.
 */
export function startTestReelkeep(
	options?: TestReelkeepOptions & { readonly clock?: FakeClock },
): Promise<TestReelkeep>;
export function startTestReelkeep<Time extends Clock>(
	options: TestReelkeepOptions & { readonly clock: Time },
): Promise<TestReelkeep<Time>>;
export async function startTestReelkeep(options: TestReelkeepOptions = {}): Promise<TestReelkeep<Clock>> {
	const { clock = createFakeClock(), plugins = [], stores: given = {}, ...others } = options;
	refuseProvidedPorts({ plugins, container: others.container });
	const stores = createStores(clock, given);
	const eventStore = unwrap(stores.eventStore);
	const reelkeep = createReelkeep({
		logger: silentLogger,
		...others,
		// Last: what is told of `plugins[0]` is of the caller's first.
		plugins: [...plugins, testStorage(stores, clock)],
	});
	await reelkeep.start();
	const stop = async (): Promise<void> => {
		for (const { faults } of Object.values(stores)) faults.clear();
		await reelkeep.stop();
	};
	return {
		...reelkeep,
		...stores,
		clock,
		stop,
		report: async (changes = {}, { appKey = SAMPLE_APP.appKey, extra = {} } = {}) => {
			checkMembers(changes);
			const requestParam = JSON.stringify(sampleCallback({ ...changes, ...extra }));
			return reelkeep.receive({ requestParam, appKey, metadata: { ingress: "test", appKey } });
		},
		history: (stream) => readHistory(eventStore, stream),
		until: async (type, stream) => firstOf(type, await untilRecorded(eventStore, type, stream)),
		[Symbol.asyncDispose]: stop,
	};
}

function createStores(clock: Clock, given: Partial<TestStores>): FaultyStores {
	return {
		eventStore: faulty(given.eventStore ?? createMemoryEventStore({ clock }), { clock }),
		checkpointStore: faulty(given.checkpointStore ?? createMemoryCheckpointStore(), { clock }),
		snapshotStore: faulty(given.snapshotStore ?? createMemorySnapshotStore(), { clock }),
		leaseStore: faulty(given.leaseStore ?? createMemoryLeaseStore({ clock }), { clock }),
		videoStore: faulty(given.videoStore ?? createMemoryVideoStore(), { clock }),
		keyring: faulty(given.keyring ?? createMemoryKeyring(), { clock }),
	};
}

function testStorage(stores: TestStores, clock: Clock): Plugin {
	return {
		name: "test-storage",
		provides: PROVIDED_PORTS,
		needs: [],
		register(registry) {
			registry.provide(CLOCK, () => clock);
			registry.provide(EVENT_STORE, () => stores.eventStore);
			registry.provide(CHECKPOINT_STORE, () => stores.checkpointStore);
			registry.provide(SNAPSHOT_STORE, () => stores.snapshotStore);
			registry.provide(LEASE_STORE, () => stores.leaseStore);
			registry.provide(VIDEO_STORE, () => stores.videoStore);
			registry.provide(KEYRING, () => stores.keyring);
		},
	};
}
