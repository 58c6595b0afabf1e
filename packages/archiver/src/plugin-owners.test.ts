// Several processes on the same stores: they divide the recordings among them, and go on for who is gone.

import {
	createFakeClock,
	type ObjectStore,
	sampleVideo,
	startObjectStore,
	startTestReelkeep,
	type TestStores,
} from "@reelkeep/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { archiver } from "./plugin.js";

/** Until each has its part, after another has joined. */
const DIVIDED_MS = 21_000;
/** Until the part of one that stopped is another's; and of one that died. */
const STOPPED_MS = 11_000;
const DIED_MS = 41_000;
const POLL = { timeout: 20_000 };
const clock = createFakeClock();
let origin: ObjectStore;
let video: Uint8Array;
const ending: (() => Promise<void>)[] = [];
beforeEach(async () => {
	video = await sampleVideo();
	origin = await startObjectStore({ objects: {}, now: clock.now });
});
afterEach(async () => {
	for (const end of ending.splice(0).reverse()) await end();
	await origin.close();
});

async function startProcess(stores: Partial<TestStores> = {}) {
	const plugin = archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
	const reelkeep = await startTestReelkeep({ plugins: [plugin], clock, stores });
	ending.push(reelkeep.stop);
	const kept = async () => (await plugin.whenIdle()).archived;
	return { reelkeep, plugin, kept };
}
type Process = Awaited<ReturnType<typeof startProcess>>;

function storesOf({ reelkeep }: Process): Partial<TestStores> {
	const { eventStore, checkpointStore, snapshotStore, leaseStore, videoStore, keyring } = reelkeep;
	return { eventStore, checkpointStore, snapshotStore, leaseStore, videoStore, keyring };
}

/** Two, each with its part. */
async function startTwo() {
	const one = await startProcess();
	const other = await startProcess(storesOf(one));
	await clock.advance(DIVIDED_MS);
	return { one, other };
}

async function report(by: Process, names: readonly string[]): Promise<void> {
	for (const name of names) {
		origin.put(name, video);
		const expiresAt = clock.now() + 3_600_000;
		const link = { download_url: origin.presign(name, expiresAt), expire_time: expiresAt };
		await by.reelkeep.report({ ...link, track_info: name });
	}
}
const named = (prefix: string, count: number) =>
	Array.from({ length: count }, (_, index) => `${prefix}-${index}.mp4`);
const askedFor = (names: readonly string[]) => names.map((name) => origin.requests(name));
const once = (names: readonly string[]) => names.map(() => 1);

async function countOf({ reelkeep }: Process, type: string): Promise<number> {
	return (await reelkeep.history()).filter((event) => event.type === type).length;
}
const allKept = (by: Process, count: number) =>
	expect.poll(() => countOf(by, "RecordingArchived"), POLL).toBe(count);

it("divides the recordings: each video is kept once, and everybody has some", async () => {
	const { one, other } = await startTwo();
	const names = named("divided", 40);
	await report(one, names);
	await allKept(one, names.length);
	expect(askedFor(names)).toEqual(once(names));
	const parts = [await one.kept(), await other.kept()];
	expect(parts.reduce((sum, part) => sum + part, 0)).toBe(names.length);
	expect(Math.min(...parts)).toBeGreaterThan(names.length / 5);
	for (const { plugin } of [one, other]) expect(await plugin.check?.()).toEqual([]);
});

it("has the part of one that stops kept by the others", async () => {
	const { one, other } = await startTwo();
	await one.reelkeep.stop();
	const names = named("stopped", 20);
	await report(other, names);
	await clock.advance(STOPPED_MS);
	await allKept(other, names.length);
	expect(askedFor(names)).toEqual(once(names));
	expect(await other.kept()).toBe(names.length);
});

it("goes on with the downloads of one that is cut off, once its leases are over", async () => {
	const { one, other } = await startTwo();
	const names = named("cut-off", 12);
	for (const name of names)
		origin.fault(name, { _tag: "Drip", chunkBytes: Math.ceil(video.length / 40), delayMs: 50 });
	await report(one, names);
	await expect.poll(() => askedFor(names).filter((asked) => asked > 0).length, POLL).toBe(8);
	for (const call of ["acquire", "renew", "release", "list"] as const) {
		other.reelkeep.leaseStore.faults.failNext(call, { times: Number.POSITIVE_INFINITY });
	}
	// Step by step, as time goes: one that missed 30 seconds would lose its leases too.
	for (let passed = 0; passed < DIED_MS; passed += 1_000) await clock.advance(1_000);
	await allKept(one, names.length);
	expect(await one.kept()).toBe(names.length);
	// The four that the other was at are gone on with.
	expect([...askedFor(names)].sort()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
	expect(await other.plugin.check?.()).toEqual([]);
});
