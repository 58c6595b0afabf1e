import "reflect-metadata/lite";
import { container, inject, injectable, Lifecycle } from "tsyringe";
import { describe, expect, test } from "vitest";
import { createMemoryCheckpointStore } from "../memory/checkpoint-store.js";
import { createMemoryEventStore } from "../memory/event-store.js";
import { createMemoryKeyring } from "../memory/keyring.js";
import { createMemoryLeaseStore } from "../memory/lease-store.js";
import { memoryStorage } from "../memory/plugin.js";
import { createMemorySnapshotStore } from "../memory/snapshot-store.js";
import { createMemoryVideoStore } from "../memory/video-store.js";
import { silentLogger } from "../observe.js";
import type { Clock, EventStore, Get, Plugin, Report, Token, VideoSource } from "../ports/index.js";
import * as tokens from "../ports/tokens.js";
import {
	ADMISSION,
	CHECKPOINT_STORE,
	CLOCK,
	EVENT_STORE,
	HEALTH,
	IDS,
	KEYRING,
	LEASE_STORE,
	LINK_REFRESHER,
	LOGGER,
	NOTICES,
	RECEIVE,
	SNAPSHOT_STORE,
	TELEMETRY,
	VERIFIER,
	VIDEO_SOURCE,
	VIDEO_STORE,
} from "../ports/tokens.js";
import { admitEveryApp, noLinkRefresher, noTelemetry, systemClock } from "./defaults.js";
import { createReelkeep } from "./reelkeep.js";

const NOW = Date.UTC(2025, 5, 1);
const clock: Clock = { ...systemClock, now: () => NOW };
const report: Report = {
	appKey: "app",
	metadata: {},
	requestParam: JSON.stringify({
		game_id: "game",
		track_info: "track",
		account_domain: 0,
		download_url: "http://bucket.example.com/720p.mp4",
		version: 1,
		account_id: "account",
		expire_time: 0,
		action: "SCREEN_RECORDING_CALL_BACK",
		project_id: "project",
	}),
};

const source = (): VideoSource => ({
	open: async () => ({ _tag: "Unavailable", reason: "failed", message: "nothing there" }),
});
const verifier = () => ({
	verify: async () => ({ _tag: "NotAuthentic", reason: "missing-signature", message: "no" }) as const,
});

/** A plugin for the ports that neither the core nor a storage provides. */
const worker: Plugin = {
	name: "worker",
	provides: [VIDEO_SOURCE, VERIFIER],
	needs: [EVENT_STORE, VIDEO_STORE, LEASE_STORE, CHECKPOINT_STORE],
	register(registry) {
		registry.provide(VIDEO_SOURCE, source);
		registry.provide(VERIFIER, verifier);
	},
};

/** One of the user's own for each port. */
const own: ReadonlyMap<Token<unknown>, () => object> = new Map<Token<unknown>, () => object>([
	[EVENT_STORE, () => createMemoryEventStore({ clock })],
	[CHECKPOINT_STORE, createMemoryCheckpointStore],
	[LEASE_STORE, () => createMemoryLeaseStore({ clock })],
	[SNAPSHOT_STORE, createMemorySnapshotStore],
	[VIDEO_STORE, createMemoryVideoStore],
	[VIDEO_SOURCE, source],
	[VERIFIER, verifier],
	[ADMISSION, () => ({ ...admitEveryApp })],
	[KEYRING, () => createMemoryKeyring()],
	[CLOCK, () => ({ ...clock })],
	[IDS, () => ({ next: () => "own-id" })],
	[LOGGER, () => ({ ...silentLogger })],
	[TELEMETRY, () => ({ ...noTelemetry })],
	[LINK_REFRESHER, () => ({ ...noLinkRefresher })],
	[NOTICES, () => ({ emit: () => undefined })],
	[RECEIVE, () => async () => ({ _tag: "Refused", message: "own" })],
	[HEALTH, () => ({ check: async () => [] })],
]);

const compose = (mine = container.createChildContainer()) =>
	createReelkeep({ plugins: [memoryStorage(), worker], container: mine });

describe("your own container", () => {
	test("can replace every port that there is", () => {
		expect(new Set(own.keys())).toEqual(new Set(Object.values(tokens)));
	});

	for (const [token, make] of own) {
		test(`replaces ${String(token.description)} by its own, everywhere`, async () => {
			const mine = container.createChildContainer();
			const value = make();
			mine.register(token, { useValue: value });
			let seen: unknown;
			const looking: Plugin = {
				name: "looking",
				provides: [],
				needs: [token],
				start: async (get: Get) => {
					seen = get(token);
				},
			};
			const plugins = [looking, memoryStorage(), worker];
			const reelkeep = createReelkeep({ plugins, container: mine });
			expect(reelkeep.get(token)).toBe(value);
			await reelkeep.start();
			expect(seen).toBe(value);
			expect(await reelkeep.receive(report)).toMatchObject({
				_tag: token === RECEIVE ? "Refused" : "Reported",
			});
			await reelkeep.stop();
			expect(mine.resolve(token)).toBe(value);
		});
	}

	test("replaces all of them at once, without any storage plugin", async () => {
		const mine = container.createChildContainer();
		for (const [token, make] of own) if (token !== RECEIVE) mine.register(token, { useValue: make() });
		const reelkeep = createReelkeep({ plugins: [], container: mine });
		await reelkeep.start();
		expect(await reelkeep.receive(report)).toMatchObject({ _tag: "Reported" });
		const events = [];
		for await (const event of mine.resolve<EventStore>(EVENT_STORE).readAll()) events.push(event);
		expect(events).toMatchObject([{ id: "own-id", recordedAt: NOW }]);
		await reelkeep.stop();
	});

	test("is not changed, and is not needed", async () => {
		const mine = container.createChildContainer();
		const reelkeep = compose(mine);
		await reelkeep.start();
		await reelkeep.receive(report);
		await reelkeep.stop();
		for (const token of Object.values(tokens)) expect(mine.isRegistered(token, true)).toBe(false);
	});

	test("may hold a receive that rejects: the sender is asked to try again all the same", async () => {
		const mine = container.createChildContainer();
		mine.register(RECEIVE, { useValue: () => Promise.reject(new Error("mine")) });
		expect(await compose(mine).receive(report)).toMatchObject({ _tag: "Unavailable", reason: "fault" });
	});

	test("may stand between a parent of yours and Reelkeep", () => {
		const parent = container.createChildContainer();
		parent.register(CLOCK, { useValue: clock });
		expect(compose(parent.createChildContainer()).get(CLOCK)).toBe(clock);
	});

	test("counts when a plugin is checked: what it has registered is not missing, and conflicts with nothing", () => {
		const mine = container.createChildContainer();
		mine.register(EVENT_STORE, { useValue: createMemoryEventStore({ clock }) });
		const second: Plugin = { ...memoryStorage(), name: "second", provides: [EVENT_STORE], needs: [] };
		const register: Plugin["register"] = (registry) =>
			registry.provide(EVENT_STORE, () => createMemoryEventStore({ clock }));
		const plugins = [memoryStorage(), { ...second, register }];
		expect(() => createReelkeep({ plugins, container: mine })).not.toThrow();
	});
});

/** A user's event store as a class; `@inject(CLOCK)` on its parameter, written by hand below. */
class OwnEventStore implements EventStore {
	static made = 0;
	readonly #store: EventStore;
	readonly supports = { persistence: false };
	readonly clock: Clock;
	constructor(clock: Clock) {
		OwnEventStore.made += 1;
		this.clock = clock;
		this.#store = createMemoryEventStore({ clock });
	}
	append: EventStore["append"] = (...given) => this.#store.append(...given);
	read: EventStore["read"] = (...given) => this.#store.read(...given);
	readAll: EventStore["readAll"] = (...given) => this.#store.readAll(...given);
	onAppended: EventStore["onAppended"] = (hint) => this.#store.onAppended(hint);
	close = () => this.#store.close();
}
/** A user's video source that wants the store and the clock itself. */
class OwnVideoSource implements VideoSource {
	readonly store: EventStore;
	readonly clock: Clock;
	constructor(store: EventStore, clock: Clock) {
		this.store = store;
		this.clock = clock;
	}
	open: VideoSource["open"] = source().open;
}
// What `@injectable()` and `@inject(TOKEN)` do; vitest does not compile parameter decorators in this package.
inject(CLOCK)(OwnEventStore, undefined, 0);
injectable()(OwnEventStore);
inject(EVENT_STORE)(OwnVideoSource, undefined, 0);
inject(CLOCK)(OwnVideoSource, undefined, 1);
injectable()(OwnVideoSource);

describe("your own decorated classes", () => {
	test("are made with what this composition provides", async () => {
		const mine = container.createChildContainer();
		mine.register(CLOCK, { useValue: clock });
		mine.register(VIDEO_SOURCE, { useClass: OwnVideoSource });
		const reelkeep = compose(mine);
		const made = reelkeep.get(VIDEO_SOURCE) as OwnVideoSource;
		expect(made).toBeInstanceOf(OwnVideoSource);
		expect(made.store).toBe(reelkeep.store);
		expect(made.clock).toBe(clock);
	});

	test("are made by get with this composition's ports, though nobody registered them", () => {
		const reelkeep = compose(container.createChildContainer());
		const made = reelkeep.get(OwnVideoSource);
		expect(made.store).toBe(reelkeep.store);
		expect(made.clock).toBe(systemClock);
	});

	test("are given our defaults for what nobody registered", () => {
		const mine = container.createChildContainer();
		mine.register(EVENT_STORE, { useClass: OwnEventStore });
		expect((compose(mine).store as OwnEventStore).clock).toBe(systemClock);
	});

	for (const order of ["source first", "store first"]) {
		test(`are made once for each Reelkeep, also when registered as transient: ${order}`, async () => {
			OwnEventStore.made = 0;
			const mine = container.createChildContainer();
			mine.register(EVENT_STORE, { useClass: OwnEventStore });
			mine.register(VIDEO_SOURCE, { useClass: OwnVideoSource });
			const reelkeep = compose(mine);
			if (order === "source first") reelkeep.get(VIDEO_SOURCE);
			await reelkeep.start();
			expect(await reelkeep.receive(report)).toMatchObject({ _tag: "Reported" });
			expect(await reelkeep.receive(report)).toMatchObject({ _tag: "AlreadyReported" });
			const events = [];
			for await (const event of reelkeep.store.readAll()) events.push(event);
			expect(events).toHaveLength(1);
			expect((reelkeep.get(VIDEO_SOURCE) as OwnVideoSource).store).toBe(reelkeep.store);
			expect(OwnEventStore.made).toBe(1);
			await reelkeep.stop();
			expect(compose(mine).store).not.toBe(reelkeep.store);
		});
	}

	test("registered as singletons with another Reelkeep's ports in them are refused", () => {
		const mine = container.createChildContainer();
		mine.register(VIDEO_SOURCE, { useClass: OwnVideoSource }, { lifecycle: Lifecycle.Singleton });
		const [one, two] = [compose(mine), compose(mine)];
		expect((one.get(VIDEO_SOURCE) as OwnVideoSource).store).toBe(one.store);
		expect(one.get(VIDEO_SOURCE)).toBe(one.get(VIDEO_SOURCE));
		expect(() => two.get(VIDEO_SOURCE)).toThrow(
			/^VideoSource is a singleton, and was made with the ports of another Reelkeep; write @scoped/,
		);
	});

	test("registered as singletons are the user's own instance", () => {
		const mine = container.createChildContainer();
		mine.register(CLOCK, { useValue: clock });
		mine.register(EVENT_STORE, { useClass: OwnEventStore }, { lifecycle: Lifecycle.Singleton });
		const store = mine.resolve<EventStore>(EVENT_STORE);
		expect(compose(mine).store).toBe(store);
		expect(compose(mine).store).toBe(store);
	});
});
