// Several processes on the same stores: they divide the recordings among them, and go on for who is gone.

import { decodeCallback, recordingIdOf, recordingStream, shareOf } from "@reelkeep/core";
import {
	createFakeClock,
	type ObjectStore,
	sampleCallback,
	sampleVideo,
	startObjectStore,
	startTestReelkeep,
	type TestStores,
} from "@reelkeep/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { archiver } from "./plugin.js";

/** Until each has its part, after another has joined. */
const DIVIDED_MS = 31_000;
/** Until the part of one that stopped is another's; and of one that died. */
const STOPPED_MS = 21_000;
const DIED_MS = 51_000;
const HOUR_MS = 3_600_000;
const SHARES = 16;
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
	return { reelkeep, plugin, kept: async () => (await plugin.whenIdle()).archived };
}
type Process = Awaited<ReturnType<typeof startProcess>>;

/** Two, each with its part: `ofOne` says whether a share is the first one's. */
async function startTwo() {
	const one = await startProcess();
	const { eventStore, checkpointStore, snapshotStore, leaseStore, videoStore, keyring } = one.reelkeep;
	const [first] = await leaseStore.list("archiver/seat/");
	const stores = { eventStore, checkpointStore, snapshotStore, leaseStore, videoStore, keyring };
	const other = await startProcess(stores);
	await clock.advance(DIVIDED_MS);
	const shares = await leaseStore.list("archiver/share/");
	const isOnes = new Map(shares.map(({ name, owner }) => [name, owner === first?.owner]));
	expect(shares.filter(({ owner }) => owner === first?.owner)).toHaveLength(SHARES / 2);
	return { one, other, ofOne: (share: number) => isOnes.get(`archiver/share/${share}`) === true };
}

const callbackOf = (name: string) => {
	const expiresAt = clock.now() + HOUR_MS;
	return { download_url: origin.presign(name, expiresAt), expire_time: expiresAt, track_info: name };
};

/** Names whose recordings belong to these shares. */
function named(prefix: string, count: number, isWanted = (_share: number): boolean => true): string[] {
	const names: string[] = [];
	for (let index = 0; names.length < count; index += 1) {
		const name = `${prefix}-${index}.mp4`;
		const callback = decodeCallback(JSON.stringify(sampleCallback(callbackOf(name))));
		if (callback._tag === "Left") throw new Error("a sample is not decoded");
		if (isWanted(shareOf(recordingStream(recordingIdOf(callback.right)), SHARES))) names.push(name);
	}
	return names;
}

async function report(by: Process, names: readonly string[]): Promise<void> {
	for (const name of names) {
		origin.put(name, video);
		await by.reelkeep.report(callbackOf(name));
	}
}

const askedFor = (names: readonly string[]) => names.map((name) => origin.requests(name));
const times = (count: number, names: readonly string[]) => names.map(() => count);

async function keptIn({ reelkeep }: Process): Promise<number> {
	return (await reelkeep.history()).filter(({ type }) => type === "RecordingArchived").length;
}
const allKept = (by: Process, count: number) => expect.poll(() => keptIn(by), POLL).toBe(count);

it("divides the recordings: each video is kept once, by the process that has its share", async () => {
	const { one, other, ofOne } = await startTwo();
	const [ones, others] = [named("ones", 12, ofOne), named("others", 8, (share) => !ofOne(share))];
	const names = [...ones, ...others];
	await report(one, names);
	await allKept(one, names.length);
	expect(askedFor(names)).toEqual(times(1, names));
	expect([await one.kept(), await other.kept()]).toEqual([ones.length, others.length]);
	for (const { plugin } of [one, other]) expect(await plugin.check?.()).toEqual([]);
});

it("has the part of one that stops kept by the others", async () => {
	const { one, other } = await startTwo();
	await one.reelkeep.stop();
	const names = named("stopped", 20);
	await report(other, names);
	await clock.advance(STOPPED_MS);
	await allKept(other, names.length);
	expect(askedFor(names)).toEqual(times(1, names));
	expect(await other.kept()).toBe(names.length);
});

it("goes on with the downloads of one that is cut off, once its leases are over", async () => {
	const { one, other, ofOne } = await startTwo();
	const [ones, others] = [named("ones", 6, ofOne), named("others", 4, (share) => !ofOne(share))];
	for (const name of others) origin.fault(name, { _tag: "Stall", afterBytes: 5_000 });
	await report(one, [...ones, ...others]);
	await allKept(one, ones.length);
	await expect.poll(() => askedFor(others), POLL).toEqual(times(1, others));
	for (const call of ["acquire", "renew", "release", "list"] as const) {
		other.reelkeep.leaseStore.faults.failNext(call, { times: Number.POSITIVE_INFINITY });
	}
	// Step by step, as time goes: one that missed 30 seconds would lose its leases too.
	for (let passed = 0; passed < DIED_MS; passed += 1_000) await clock.advance(1_000);
	await allKept(one, ones.length + others.length);
	expect([askedFor(ones), askedFor(others)]).toEqual([times(1, ones), times(2, others)]);
	expect(await one.kept()).toBe(ones.length + others.length);
	expect(await other.plugin.check?.()).toEqual([]);
});
