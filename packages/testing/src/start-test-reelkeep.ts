// A whole Reelkeep in memory, whose time a test moves and whose stores fail when a test says so.

import {
	createMemoryCheckpointStore,
	createMemoryEventStore,
	createMemoryKeyring,
	createMemoryLeaseStore,
	createMemorySnapshotStore,
	createMemoryVideoStore,
} from "@reelkeep/core";
import { createReelkeep, type Reelkeep, type ReelkeepOptions } from "@reelkeep/core/container";
import {
	CHECKPOINT_STORE,
	CLOCK,
	type Clock,
	EVENT_STORE,
	IDS,
	type Ids,
	KEYRING,
	LEASE_STORE,
	type Logger,
	type Plugin,
	type ReceiveOutcome,
	type RecordedEvent,
	SNAPSHOT_STORE,
	type StreamName,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { createFakeClock, type FakeClock } from "./fake-clock.js";
import {
	type FaultyCheckpointStore,
	type FaultyEventStore,
	type FaultyKeyring,
	type FaultyLeaseStore,
	type FaultySnapshotStore,
	type FaultyVideoStore,
	faultyCheckpointStore,
	faultyEventStore,
	faultyKeyring,
	faultyLeaseStore,
	faultySnapshotStore,
	faultyVideoStore,
} from "./faulty-stores.js";
import { sampleCallback } from "./sample-callback.js";

export interface TestReelkeepOptions<TestClock extends Clock = FakeClock>
	extends Omit<ReelkeepOptions, "plugins" | "logger" | "container"> {
	/** Besides the storage in memory: an ingress, the archiver, what you wrote. */
	readonly plugins?: readonly Plugin[];
	/**
	 * Default: `createFakeClock()`. With real sockets, such as the archiver's, take `createShiftingClock()`: it runs, and can
	 * be pushed ahead.
	 */
	readonly clock?: TestClock;
}

/** The stores of a test's Reelkeep. All is well with them until a test plans a fault. */
export interface TestStores {
	readonly events: FaultyEventStore;
	readonly checkpoints: FaultyCheckpointStore;
	readonly snapshots: FaultySnapshotStore;
	readonly leases: FaultyLeaseStore;
	readonly videos: FaultyVideoStore;
	readonly keyring: FaultyKeyring;
}

/** A line of the log of a test's Reelkeep. */
export interface LogLine {
	readonly level: keyof Logger;
	readonly message: string;
	readonly details: object;
}

export interface TestReelkeep<TestClock extends Clock = FakeClock> extends Reelkeep {
	readonly clock: TestClock;
	readonly stores: TestStores;
	/** Everything that was logged, at every level. */
	readonly logged: readonly LogLine[];
	/**
	 * Hands over a callback, past every ingress: `sampleCallback` with a link that lives for an hour, and with `changes`.
	 * Never rejects.
	 */
	report(changes?: Readonly<Record<string, unknown>>): Promise<ReceiveOutcome>;
	/** Everything in the log, or in one stream, in order. It is read past the faults of `stores.events`. */
	recorded(stream?: StreamName): Promise<readonly RecordedEvent[]>;
	/** Forgets all planned faults, releases what is held, and stops. Idempotent. */
	stop(): Promise<void>;
}

/** The app key of `TestReelkeep.report`. */
const APP_KEY = "23456789";
const LINK_LIVES_MS = 3_600_000;

/**
 * Starts a Reelkeep in memory. Ids count up from 1 and time stands still, so that two runs record the same.
 * *Errors*: rejects with a `CompositionError`, as `createReelkeep` does: a plugin that brings a storage of its own is
 * composed by that, with `faultyEventStore` and its like around its stores.
 */
export async function startTestReelkeep<TestClock extends Clock = FakeClock>(
	options: TestReelkeepOptions<TestClock> = {},
): Promise<TestReelkeep<TestClock>> {
	const { plugins = [], clock = createFakeClock() as Clock as TestClock, ...rest } = options;
	const events = createMemoryEventStore({ clock });
	const stores: TestStores = {
		events: faultyEventStore(events, { clock }),
		checkpoints: faultyCheckpointStore(createMemoryCheckpointStore(), { clock }),
		snapshots: faultySnapshotStore(createMemorySnapshotStore(), { clock }),
		leases: faultyLeaseStore(createMemoryLeaseStore({ clock }), { clock }),
		videos: faultyVideoStore(createMemoryVideoStore(), { clock }),
		keyring: faultyKeyring(createMemoryKeyring(), { clock }),
	};
	const logged: LogLine[] = [];
	const reelkeep = createReelkeep({
		...rest,
		plugins: [testStorage(stores, clock), ...plugins],
		logger: collectingLogger(logged),
	});
	const { stop } = reelkeep;
	const clear = (): void => {
		for (const { faults } of Object.values(stores)) faults.clear();
	};
	await reelkeep.start();
	return Object.assign(reelkeep, {
		clock,
		stores,
		logged,
		async report(changes: Readonly<Record<string, unknown>> = {}) {
			const callback = sampleCallback({ ...liveLink(clock.now() + LINK_LIVES_MS), ...changes });
			const metadata = { ingress: "test" };
			return reelkeep.receive({ requestParam: JSON.stringify(callback), appKey: APP_KEY, metadata });
		},
		async recorded(stream?: StreamName) {
			const found: RecordedEvent[] = [];
			for await (const event of stream === undefined ? events.readAll() : events.read(stream)) {
				found.push(event);
			}
			return found;
		},
		async stop() {
			clear();
			await stop();
		},
	});
}

function testStorage(stores: TestStores, clock: Clock): Plugin {
	return {
		name: "test-storage",
		provides: [EVENT_STORE, CHECKPOINT_STORE, SNAPSHOT_STORE, LEASE_STORE, VIDEO_STORE, KEYRING, CLOCK, IDS],
		needs: [],
		register(registry) {
			registry.provide(EVENT_STORE, () => stores.events);
			registry.provide(CHECKPOINT_STORE, () => stores.checkpoints);
			registry.provide(SNAPSHOT_STORE, () => stores.snapshots);
			registry.provide(LEASE_STORE, () => stores.leases);
			registry.provide(VIDEO_STORE, () => stores.videos);
			registry.provide(KEYRING, () => stores.keyring);
			registry.provide(CLOCK, () => clock);
			registry.provide(IDS, countingIds);
		},
	};
}

/** UUIDs in form, and the same ones in every run. */
function countingIds(): Ids {
	let last = 0;
	return {
		next() {
			last += 1;
			return `00000000-0000-4000-8000-${last.toString(16).padStart(12, "0")}`;
		},
	};
}

function collectingLogger(logged: LogLine[]): Logger {
	const write =
		(level: keyof Logger) =>
		(details: object, message: string): void =>
			void logged.push({ level, message, details });
	return {
		trace: write("trace"),
		debug: write("debug"),
		info: write("info"),
		warn: write("warn"),
		error: write("error"),
	};
}

function liveLink(expiresAt: number): Readonly<Record<string, unknown>> {
	const query = `OSSAccessKeyId=LTAI5tTestTestTestTest&Expires=${Math.floor(expiresAt / 1000)}&Signature=dGVzdA%3D%3D`;
	return {
		download_url: `http://recordings.oss-cn-hangzhou.aliyuncs.com/recording.mp4?${query}`,
		expire_time: expiresAt,
	};
}
