// A container or a plugin beside the kit's own ports: taken where they do not meet, refused in words where they do.

import { createMemoryVideoStore, memoryStorage } from "@reelkeep/core";
// Before tsyringe, which needs the polyfill that this loads.
import { createReelkeep } from "@reelkeep/core/container";
import {
	CHECKPOINT_STORE,
	CLOCK,
	EVENT_STORE,
	KEYRING,
	LEASE_STORE,
	LOGGER,
	type Logger,
	pickPorts,
	SNAPSHOT_STORE,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { container as globalContainer } from "tsyringe";
import { expect, it } from "vitest";
import { createFakeClock } from "./fake-clock.js";
import { startTestReelkeep } from "./start-test-reelkeep.js";

it("takes a container: its ports are used, and its classes and values are there", async () => {
	const said: string[] = [];
	const say = (_: unknown, text: string): void => void said.push(text);
	const logger: Logger = { trace: say, debug: say, info: say, warn: say, error: say };
	const container = globalContainer.createChildContainer();
	container.register(LOGGER, { useValue: logger }).register("greeting", { useValue: "hello" });
	const reelkeep = await startTestReelkeep({ container });
	expect(reelkeep.get<string>("greeting")).toBe("hello");
	expect(reelkeep.get(LOGGER)).toBe(logger);
	expect(reelkeep.get(CLOCK)).toBe(reelkeep.clock);
	reelkeep.events.on("RecordingReported", () => {
		throw new Error("as the test wants it");
	});
	await reelkeep.report();
	await reelkeep.clock.advance(1_000);
	expect(said.length).toBeGreaterThan(0);
	await reelkeep.stop();
});

it.each([
	["Clock", CLOCK, "clock"],
	["EventStore", EVENT_STORE, "stores: { eventStore }"],
	["CheckpointStore", CHECKPOINT_STORE, "stores: { checkpointStore }"],
	["SnapshotStore", SNAPSHOT_STORE, "stores: { snapshotStore }"],
	["LeaseStore", LEASE_STORE, "stores: { leaseStore }"],
	["VideoStore", VIDEO_STORE, "stores: { videoStore }"],
	["Keyring", KEYRING, "stores: { keyring }"],
] as const)(
	"refuses a container with a %s, also further up, and says what to do",
	async (name, token, option) => {
		const parent = globalContainer.createChildContainer();
		parent.register<unknown>(token, { useFactory: () => expect.fail("nothing is made") });
		const starting = startTestReelkeep({ container: parent.createChildContainer() });
		await expect(starting).rejects.toThrow(`the container has ${name} registered`);
		await expect(starting).rejects.toThrow(`startTestReelkeep({ ${option} })`);
	},
);

it("refuses a plugin with a store or a clock, and says what to do; names all at once", async () => {
	const storage = memoryStorage();
	const videos = pickPorts(storage, [VIDEO_STORE]);
	await expect(startTestReelkeep({ plugins: [videos] })).rejects.toThrow(
		/^memory-storage provides VideoStore, .* startTestReelkeep\(\{ stores: \{ videoStore \} \}\); .* createReelkeep$/,
	);
	const clock = { name: "time", provides: [CLOCK, KEYRING], needs: [] };
	const container = globalContainer.createChildContainer();
	container.register(EVENT_STORE, { useFactory: () => expect.fail("nothing is made") });
	const all = startTestReelkeep({ plugins: [videos, clock], container });
	await expect(all).rejects.toThrow(
		/memory-storage[\s\S]*\ntime provides Clock, Keyring[\s\S]*\nthe container/,
	);
	await expect(all).rejects.toThrow("startTestReelkeep({ clock, stores: { keyring } })");
	await expect(all).rejects.not.toThrow("pickPorts");
});

it("does what it advises: the store in `stores`, the plugin as it is with createReelkeep", async () => {
	const videoStore = createMemoryVideoStore();
	const reelkeep = await startTestReelkeep({ stores: { videoStore } });
	await (await videoStore.begin("recording-a")).commit();
	expect(await reelkeep.videoStore.stat("recording-a")).toMatchObject({ bytes: 0 });
	await reelkeep.stop();

	const container = globalContainer.createChildContainer();
	const clock = createFakeClock();
	container.register(CLOCK, { useValue: clock });
	const composed = createReelkeep({ plugins: [memoryStorage()], container });
	expect(composed.get(CLOCK)).toBe(clock);
});

it("leaves what is no plugin to createReelkeep", async () => {
	const plugins = [undefined, { name: "x", provides: "nothing" }] as never;
	await expect(startTestReelkeep({ plugins })).rejects.toThrow(
		/plugins\[0\] is undefined[\s\S]*no array provides/,
	);
});
