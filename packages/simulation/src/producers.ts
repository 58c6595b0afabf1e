// Who appends: once-only creations that come many times, appends of one to five events, some to a version that is stale.

import type { ExpectedVersion, NewEvent, StreamName } from "@reelkeep/core/ports";
import { newEvent } from "./payloads.js";
import { pause, persist, type Scene } from "./scene.js";

const MAX_EVENTS = 5;
const SHARED_STREAMS = 3;
const RETRIES = 3;

/** Makes `appends` appends or creations, one after another; gives up on a store that has failed for good. */
export async function produce(scene: Scene, appends: number): Promise<void> {
	const { random } = scene;
	for (let made = 0; made < appends; made += 1) {
		if (random.chance(0.7)) await pause(scene);
		else await scene.process.clock.sleep(random.below(200));
		const isDone = random.chance(0.35) ? await createOnce(scene) : await appendSome(scene);
		if (isDone) continue;
		// A store that has failed may come to itself.
		if (random.chance(0.2)) return;
		await scene.process.clock.sleep(random.between(100, 3000));
	}
}

/** The same report several times at once, and again until it is answered. */
async function createOnce(scene: Scene): Promise<boolean> {
	const { random, session } = scene;
	const stream = `once-${random.chance(0.8) ? session : random.below(session)}-${random.below(4)}`;
	const senders = Array.from({ length: random.between(1, 4) }, async () => {
		if (random.chance(0.4)) await pause(scene);
		const size = random.chance(0.8) ? 1 : 2;
		return persist(scene, RETRIES, () => append(scene, stream, size, "no-stream"));
	});
	return (await Promise.all(senders)).every((sent) => sent !== undefined);
}

async function appendSome(scene: Scene): Promise<boolean> {
	const { random, run } = scene;
	const stream = `shared-${random.below(SHARED_STREAMS)}`;
	const burst = random.chance(0.2) ? 3 : 1;
	const calls = Array.from({ length: burst }, () => {
		const known = run.model.lengthOf(stream);
		const expected = random.pick<ExpectedVersion>(["any", "any", known, Math.max(0, known - 1)]);
		const size = random.chance(0.6) ? 1 : random.between(2, MAX_EVENTS);
		return persist(scene, 1, () => append(scene, stream, size, expected));
	});
	return (await Promise.all(calls)).every((made) => made !== undefined);
}

function append(scene: Scene, stream: StreamName, size: number, expected: ExpectedVersion): Promise<unknown> {
	const { random, run, store } = scene;
	const events: readonly NewEvent[] = Array.from({ length: size }, () => newEvent(random, run.serial.next()));
	if (size > 1) run.chronicle.count("append.of-several");
	return store.append(stream, events, expected);
}
