// Several processes on the same stores: one of them keeps the videos, and another takes over.

import {
	createFakeClock,
	sampleVideo,
	startObjectStore,
	startTestReelkeep,
	type TestStores,
} from "@reelkeep/testing";
import { afterEach, expect, it } from "vitest";
import { archiver } from "./plugin.js";

/** Longer than who stands by sleeps. */
const TAKEOVER_MS = 15_000;
const clock = createFakeClock();
const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const end of ending.splice(0).reverse()) await end();
});

async function startProcess(stores: Partial<TestStores> = {}) {
	const plugin = archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
	const reelkeep = await startTestReelkeep({ plugins: [plugin], clock, stores });
	ending.push(reelkeep.stop);
	return { reelkeep, plugin };
}

it("keeps each video once, in one of them, and in the next once that one stops", async () => {
	const video = await sampleVideo();
	const names = ["a.mp4", "b.mp4", "c.mp4", "d.mp4"];
	const objects = Object.fromEntries(names.map((name) => [name, video]));
	const origin = await startObjectStore({ objects, now: clock.now });
	ending.push(() => origin.close());
	const one = await startProcess();
	const other = await startProcess(one.reelkeep);
	const report = async (name: string, by: typeof one): Promise<void> => {
		const expiresAt = clock.now() + 600_000;
		const link = { download_url: origin.presign(name, expiresAt), expire_time: expiresAt };
		await by.reelkeep.report({ ...link, track_info: name });
	};
	for (const [index, name] of names.slice(0, 3).entries()) await report(name, index % 2 === 0 ? one : other);
	await expect.poll(async () => (await one.plugin.whenIdle()).archived, { timeout: 10_000 }).toBe(3);
	expect(await other.plugin.check?.()).toEqual([]);
	await one.reelkeep.stop();
	await report("d.mp4", other);
	await clock.advance(TAKEOVER_MS);
	await expect.poll(() => origin.requests("d.mp4"), { timeout: 10_000 }).toBe(1);
	expect(await other.plugin.whenIdle()).toMatchObject({ archived: 1, waiting: 0 });
	expect(names.map((name) => origin.requests(name))).toEqual([1, 1, 1, 1]);
});
