// Who reads: beside the writers in the owner's process, and from another process that follows the log.

import {
	type EventStore,
	isStoreFault,
	type Position,
	type RecordedEvent,
	toPosition,
} from "@reelkeep/core/ports";
import { openFsEventReader } from "@reelkeep/storage-fs";
import type { SimulatedProcess } from "./machine.js";
import type { Random } from "./random.js";
import { chronicleLogger, DIRECTORY, type Run } from "./run.js";
import { pause, persist, type Scene } from "./scene.js";
import { judgeFault, type Watch, watchStore } from "./watched-store.js";

/** Reads `rounds` times, one way or another. */
export async function browse(scene: Scene, rounds: number): Promise<void> {
	for (let round = 0; round < rounds; round += 1) {
		await pause(scene);
		await persist(scene, 1, () => collect(readSomehow(scene)));
	}
}

export async function collect(events: AsyncIterable<RecordedEvent>): Promise<readonly RecordedEvent[]> {
	const collected: RecordedEvent[] = [];
	for await (const event of events) collected.push(event);
	return collected;
}

function readSomehow({
	store,
	random,
	run,
}: Pick<Scene, "store" | "random" | "run">): AsyncIterable<RecordedEvent> {
	const { lastPosition } = run.model;
	const direction = random.chance(0.5) ? "forward" : "backward";
	const limit = random.chance(0.5) ? { limit: random.between(1, 8) } : {};
	const near = random.between(Math.max(0, lastPosition - 8), lastPosition + 2);
	if (random.chance(0.5)) {
		const after = random.chance(0.7) ? { after: toPosition(near) } : {};
		return store.readAll({ direction, ...limit, ...after });
	}
	const stream = random.pick(["shared-0", "shared-1", "once-1-0", "once-2-1", "no-such-stream"]);
	const after = random.chance(0.4) ? { after: random.below(run.model.lengthOf(stream) + 2) } : {};
	return store.read(stream, { direction, ...limit, ...after });
}

export interface FollowerOptions {
	readonly run: Run;
	readonly process: SimulatedProcess;
	readonly random: Random;
	readonly isOver: () => boolean;
}

/** Follows the log from outside, with an owner or without, in one handle after another. */
export async function followFromOutside(options: FollowerOptions): Promise<void> {
	const { run, process, random, isOver } = options;
	while (!isOver()) {
		const handle = { isClosing: false };
		const reader = await openReader(options, handle);
		if (reader === undefined) {
			await process.clock.sleep(random.between(50, 500));
			continue;
		}
		const scene: Scene = { run, process, random, store: reader, session: 0 };
		let after: Position | undefined;
		for (let rounds = random.between(2, 8); rounds > 0 && !isOver(); rounds -= 1) {
			after = await follow(scene, after);
		}
		handle.isClosing = true;
		await reader.close();
	}
}

/** Reads on behind `from`, and waits for more; returns how far it came. */
async function follow(scene: Scene, from: Position | undefined): Promise<Position | undefined> {
	const { store, random, process } = scene;
	let after = from;
	await persist(scene, 1, async () => {
		for await (const { position } of store.readAll(after === undefined ? {} : { after })) after = position;
	});
	if (random.chance(0.3)) await persist(scene, 1, () => collect(readSomehow(scene)));
	const waiting = new AbortController();
	// A reason spares the DOMException, with its stack, that an abort makes otherwise.
	const stop = store.onAppended(() => waiting.abort("told"));
	await process.clock.sleep(random.between(10, 400), waiting.signal);
	stop();
	return after;
}

/** `undefined` when that is not possible now: there is no store yet, or a call failed. */
export async function openReader(
	{ run, process }: Omit<FollowerOptions, "isOver">,
	handle: { readonly isClosing: boolean },
	mayFail: Watch["mayFail"] = (reason) => reason === "io",
): Promise<EventStore | undefined> {
	const { chronicle, wiring, model } = run;
	const watch: Watch = {
		who: process.name,
		model,
		chronicle,
		now: () => process.clock.now(),
		session: 0,
		isOwner: false,
		mayFail: (reason) => mayFail(reason) || (reason === "closed" && handle.isClosing),
	};
	try {
		const opened = await openFsEventReader({
			directory: DIRECTORY,
			fileSystem: process.fileSystem,
			ownership: process.ownership,
			logger: chronicleLogger(chronicle),
		});
		chronicle.count("reader.opened");
		return watchStore(wiring.eventStore(opened, "reader"), watch);
	} catch (error) {
		judgeFault(error, `${process.name} opens the log`, watch);
		if (!isStoreFault(error)) throw error;
		return undefined;
	}
}
