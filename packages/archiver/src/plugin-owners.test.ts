// Several processes on the same stores: one of them keeps the videos, and another takes over.

import {
	createMemoryCheckpointStore,
	createMemoryEventStore,
	createMemoryKeyring,
	createMemoryLeaseStore,
	createMemorySnapshotStore,
	createMemoryVideoStore,
} from "@reelkeep/core";
import { createReelkeep, systemClock } from "@reelkeep/core/container";
import {
	CHECKPOINT_STORE,
	EVENT_STORE,
	KEYRING,
	LEASE_STORE,
	type Plugin,
	SNAPSHOT_STORE,
	type Token,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { createRecordingScene } from "@reelkeep/harness/recording-scene";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { sampleVideo, startObjectStore } from "@reelkeep/testing";
import { afterEach, expect, it, vi } from "vitest";
import { archiver } from "./plugin.js";

/** Longer than who stands by sleeps. */
const TAKEOVER_MS = 15_000;
const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const end of ending.splice(0).reverse()) await end();
});

/** The stores of all processes, each of which composes them anew. */
function sharedStores(): () => Plugin {
	const stores: readonly (readonly [Token<unknown>, unknown])[] = [
		[EVENT_STORE, createMemoryEventStore({ clock: systemClock })],
		[CHECKPOINT_STORE, createMemoryCheckpointStore()],
		[SNAPSHOT_STORE, createMemorySnapshotStore()],
		[VIDEO_STORE, createMemoryVideoStore()],
		[KEYRING, createMemoryKeyring()],
		[LEASE_STORE, createMemoryLeaseStore({ clock: systemClock })],
	];
	return () => ({
		name: "shared",
		provides: stores.map(([token]) => token),
		needs: [],
		register(registry) {
			for (const [token, store] of stores) registry.provide(token, () => store);
		},
	});
}

async function startProcess(stores: () => Plugin) {
	const plugin = archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
	const reelkeep = createReelkeep({ plugins: [stores(), plugin], logger: transcribingLogger() });
	await reelkeep.start();
	ending.push(() => reelkeep.stop());
	return { reelkeep, plugin };
}

it(
	"keeps each video once, in one of them, and in the next once that one stops",
	async () => {
		const video = await sampleVideo();
		const names = ["a.mp4", "b.mp4", "c.mp4", "d.mp4"];
		const origin = await startObjectStore({
			objects: Object.fromEntries(names.map((name) => [name, video])),
		});
		ending.push(() => origin.close());
		const stores = sharedStores();
		const [one, other] = [await startProcess(stores), await startProcess(stores)];
		const reporters = [one, other].map(({ reelkeep }) => createRecordingScene({ receive: reelkeep.receive }));
		const report = (name: string, by: number) =>
			reporters[by]?.report(origin.presign(name, Date.now() + 600_000), { trackInfo: name });
		for (const [index, name] of names.slice(0, 3).entries()) await report(name, index % 2);
		await vi.waitFor(async () => expect((await one.plugin.whenIdle()).archived).toBe(3), TAKEOVER_MS);
		expect(await other.plugin.check?.()).toEqual([]);
		await one.reelkeep.stop();
		await report("d.mp4", 1);
		await vi.waitFor(() => expect(origin.requests("d.mp4")).toBe(1), TAKEOVER_MS);
		expect(await other.plugin.whenIdle()).toMatchObject({ archived: 1, waiting: 0 });
		expect(names.map((name) => origin.requests(name))).toEqual([1, 1, 1, 1]);
	},
	3 * TAKEOVER_MS,
);
