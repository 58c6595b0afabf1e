// For the tests of the archiver only: an origin, a scene of memory stores, and archivers that are stopped afterwards.

import { createRecordingScene, type RecordingScene } from "@reelkeep/harness/recording-scene";
import { transcribe } from "@reelkeep/harness/transcript";
import { type ObjectStore, sampleVideo, startObjectStore } from "@reelkeep/testing";
import { afterEach, beforeEach } from "vitest";
import { type Archiver, type ArchiverDeps, type ArchiverOptions, createArchiver } from "./archiver.js";
import { createHttpVideoSource } from "./http-video-source.js";

export const NAME = "720p.mp4";
export const HOUR = 3_600_000;
export const LOCAL = createHttpVideoSource({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
/** As the default, a thousand times faster. */
export const QUICK = { firstDelayMs: 2, minDelayMs: 1, maxDelayMs: 40, confirmationDelayMs: 2 };

export let scene: RecordingScene;
export let origin: ObjectStore;
export let video: Uint8Array;
const archivers: Archiver[] = [];

beforeEach(async () => {
	scene = createRecordingScene();
	video = await sampleVideo();
	origin = await startObjectStore({ objects: { [NAME]: video }, now: scene.clock.now });
});
afterEach(async () => {
	for (const archiver of archivers.splice(0)) {
		for (const { message } of await archiver.check()) transcribe("error", message);
		await archiver.stop();
	}
	await origin.close();
});

export function start(deps: Partial<ArchiverDeps> = {}, options: ArchiverOptions = {}): Archiver {
	const archiver = createArchiver({ ...scene, source: LOCAL, ...deps }, { retry: QUICK, ...options });
	archivers.push(archiver);
	archiver.start();
	return archiver;
}

export const presign = (name = NAME): string => origin.presign(name, scene.clock.now() + HOUR);
export const typesOf = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);

export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
	const giveUpAt = Date.now() + 8_000;
	while (!(await condition())) {
		if (Date.now() > giveUpAt) throw new Error("it does not come about");
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}
