// Who else there is: another process that wants to own the directory, and a saver of checkpoints.

import { type CheckpointStore, isStoreFault, type Position, toPosition } from "@reelkeep/core/ports";
import { createFsEventStore } from "@reelkeep/storage-fs";
import type { SimulatedProcess } from "./machine.js";
import { chronicleLogger, DIRECTORY } from "./run.js";
import { pause, persist, type Scene } from "./scene.js";

/** Tries to own a directory that is owned. */
export async function contend({ run }: Pick<Scene, "run">, process: SimulatedProcess): Promise<void> {
	const { fileSystem, ownership, clock } = process;
	const { chronicle } = run;
	const logger = chronicleLogger(chronicle);
	const store = createFsEventStore({ directory: DIRECTORY, fileSystem, ownership, clock, logger });
	try {
		await store.open();
		chronicle.violate("two processes own the directory");
	} catch (error) {
		const reason = isStoreFault(error) ? error.reason : undefined;
		if (reason === "owned") chronicle.count("contender.refused");
		else if (reason !== "io") chronicle.violate(`a contender was told ${String(error)}`);
	}
}

const NAME = "manual";

/** Moves a checkpoint of its own on, now and then from where it is not. */
export async function saveCheckpoints(
	scene: Scene,
	checkpoints: CheckpointStore,
	saves: number,
): Promise<void> {
	const { random } = scene;
	for (let made = 0; made < saves; made += 1) {
		await pause(scene);
		const loaded = await persist(scene, 3, () => checkpoints.load(NAME));
		if (loaded === undefined) continue;
		const to = toPosition(Number(loaded.value ?? 0) + random.between(1, 9));
		const expected: Position | undefined = random.chance(0.9) ? loaded.value : undefined;
		await persist(scene, 1, () => checkpoints.save(NAME, to, expected));
	}
}
