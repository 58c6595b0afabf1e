// One owner of the store, from its opening to its close: everything is checked first, then worked with.

import type { Subscription } from "@reelkeep/core";
import type { CheckpointStore, EventStore, StoreFaultReason } from "@reelkeep/core/ports";
import {
	createFsCheckpointStore,
	createFsEventStore,
	type FsCheckpointStore,
	type FsEventStore,
} from "@reelkeep/storage-fs";
import type { Machine, SimulatedProcess } from "./machine.js";
import { newEvent } from "./payloads.js";
import { produce } from "./producers.js";
import { browse, collect } from "./readers.js";
import { contend, saveCheckpoints } from "./rivals.js";
import { chronicleLogger, DIRECTORY, type Run } from "./run.js";
import { persist, type Scene } from "./scene.js";
import { watchCheckpoints } from "./watched-checkpoints.js";
import { judgeFault, type Watch, watchStore } from "./watched-store.js";
import { isWork, startWork, WORKER, workMissing } from "./work.js";

/** Tries to open a store on a disk that fails. */
const MAX_OPENINGS = 8;
/** How long the subscription may take to be done with everything; a life in which things fail does not wait for it. */
const CATCH_UP_MS = 60_000;
const PATIENCE_MS = 3000;

export interface SessionPlan {
	readonly producers: number;
	readonly appendsEach: number;
	readonly readers: number;
	readonly saves: number;
	readonly works: boolean;
	readonly contends: boolean;
	/** Waits until the work of every event is done, and appends once more, which must succeed. */
	readonly finishes: boolean;
	/** Limits that a burst reaches. */
	readonly isTight: boolean;
	/** A file of the log that has so many bytes is followed by the next one. */
	readonly segmentBytes: number;
}

export type Phase = "opening" | "checking" | "working" | "closing" | "closed";

export interface SessionContext {
	readonly run: Run;
	readonly machine: Machine;
	readonly process: SimulatedProcess;
	readonly plan: SessionPlan;
	/** Starts another process that ends with this session. */
	readonly startRival: () => SimulatedProcess;
	readonly onPhase: (phase: Phase) => void;
}

/** Resolves when the store is closed, or could not be opened. */
export async function runSession(context: SessionContext): Promise<void> {
	const { run, machine, process, plan, onPhase } = context;
	const { chronicle, wiring } = run;
	const state = { isClosing: false };
	const mayFail = (reason: StoreFaultReason): boolean =>
		(reason === "closed" && state.isClosing) ||
		(reason === "overloaded" && plan.isTight) ||
		((reason === "io" || reason === "failed") && machine.faults.injected > 0);
	const watch: Watch = {
		who: process.name,
		model: run.model,
		chronicle,
		now: () => process.clock.now(),
		session: run.serial.next(),
		isOwner: true,
		mayFail,
	};
	onPhase("opening");
	const opened = await openStore(context, watch);
	if (opened === undefined) {
		chronicle.count("session.not-opened");
		return;
	}
	chronicle.count("session.opened");
	const store = watchStore(wiring.eventStore(opened, "owner"), watch);
	const checkpointStore = await openCheckpoints(context);
	const checkpoints = watchCheckpoints(wiring.checkpoints(checkpointStore), {
		who: process.name,
		model: run.checkpoints,
		chronicle,
		mayFail,
	});
	const scene: Scene = { run, process, store, random: run.random.fork(), session: watch.session };
	onPhase("checking");
	await checkEverything(scene, checkpoints);
	onPhase("working");
	await work(context, scene, checkpoints);
	onPhase("closing");
	state.isClosing = true;
	await checkpointStore.close();
	await close(store, context);
	onPhase("closed");
}

async function openStore(
	{ process, plan, run, machine }: SessionContext,
	watch: Watch,
): Promise<FsEventStore | undefined> {
	for (let tried = 1; tried <= MAX_OPENINGS; tried += 1) {
		// Spread in, so that it may be named before the store knows it.
		const soon = { segmentBytes: plan.segmentBytes };
		const store = createFsEventStore({
			directory: DIRECTORY,
			clock: process.clock,
			logger: chronicleLogger(run.chronicle),
			fileSystem: process.fileSystem,
			ownership: process.ownership,
			...(plan.isTight ? { maxPendingAppends: 4, maxPendingBytes: 6000 } : {}),
			...soon,
		});
		const injected = machine.faults.injected;
		try {
			await store.open();
			const troubles = store.troubles();
			if (troubles.length > 0)
				run.chronicle.violate(`a store that was just opened has troubles: ${troubles.join("; ")}`);
			return store;
		} catch (error) {
			run.chronicle.say(`     ${process.name} cannot open: ${String(error)}`);
			run.chronicle.count("open.failed");
			judgeFault(error, `${process.name} opens the store`, {
				...watch,
				mayFail: (reason) => reason === "io" && machine.faults.injected > injected,
			});
			await store.close();
			await process.clock.sleep(50);
		}
	}
	return undefined;
}

async function openCheckpoints({ process }: SessionContext): Promise<FsCheckpointStore> {
	const { fileSystem } = process;
	for (;;) {
		const store = createFsCheckpointStore({ directory: DIRECTORY, fileSystem });
		if ((await persist({ process }, MAX_OPENINGS, () => store.open())) !== undefined) return store;
	}
}

/** What was promised before is kept: read at once, before anything is added. */
async function checkEverything(scene: Scene, checkpoints: CheckpointStore): Promise<void> {
	const { run, store, session } = scene;
	const log = await persist(scene, MAX_OPENINGS, () => collect(store.readAll()));
	if (log === undefined) {
		run.chronicle.count("check.skipped");
		return;
	}
	const { there, gone } = run.model.checkLog(log.value, session);
	run.chronicle.count("unanswered.there", there);
	run.chronicle.count("unanswered.gone", gone);
	run.chronicle.count("check.events", log.value.length);
	const checkpoint = await persist(scene, MAX_OPENINGS, () => checkpoints.load(WORKER));
	if (checkpoint === undefined) return;
	for (const { id, position } of workMissing(log.value, checkpoint.value)) {
		run.chronicle.violate(
			`the checkpoint is at ${checkpoint.value}, and the work of ${id} at ${position} is not done`,
		);
	}
}

async function work(context: SessionContext, scene: Scene, checkpoints: CheckpointStore): Promise<void> {
	const { run, plan, startRival } = context;
	const subscription = plan.works ? startSubscription(context, scene, checkpoints) : undefined;
	const actors: Promise<void>[] = [];
	for (let made = 0; made < plan.producers; made += 1) {
		actors.push(produce({ ...scene, random: run.random.fork() }, plan.appendsEach));
	}
	for (let made = 0; made < plan.readers; made += 1) {
		actors.push(browse({ ...scene, random: run.random.fork() }, 4));
	}
	actors.push(saveCheckpoints(scene, checkpoints, plan.saves));
	if (plan.contends) actors.push(contend(scene, startRival()));
	await Promise.all(actors);
	if (plan.finishes) await scene.store.append("end", [newEvent(scene.random, run.serial.next())], "any");
	if (subscription !== undefined) await endSubscription(context, scene, subscription);
}

function startSubscription(
	{ run }: SessionContext,
	scene: Scene,
	checkpoints: CheckpointStore,
): Subscription {
	return startWork({
		store: scene.store,
		checkpoints,
		clock: scene.process.clock,
		logger: chronicleLogger(run.chronicle),
		nextId: () => `w${run.serial.next()}`,
		wrap: (handler) => run.wiring.handler(handler),
	});
}

async function endSubscription(
	{ run, plan }: SessionContext,
	scene: Scene,
	subscription: Subscription,
): Promise<void> {
	const { chronicle } = run;
	subscription.ended.catch((error: unknown) => chronicle.violate(`the subscription ended: ${String(error)}`));
	if (plan.finishes || scene.random.chance(0.5)) {
		const tooLate = scene.process.clock.sleep(plan.finishes ? CATCH_UP_MS : PATIENCE_MS).then(() => false);
		const caughtUp = subscription.whenCaughtUp().then(() => true);
		const isCaughtUp = await Promise.race([caughtUp, tooLate]).catch(() => false);
		chronicle.count(isCaughtUp ? "work.caught-up" : "work.behind");
		if (plan.finishes && !isCaughtUp)
			chronicle.violate(`the subscription does not catch up: ${subscription.problem()}`);
	}
	await subscription.stop();
	if (plan.finishes) await checkAllWork(scene);
}

/** In the end nothing was skipped. */
async function checkAllWork({ store, run }: Scene): Promise<void> {
	const log = await collect(store.readAll());
	const last = log.findLast((event) => !isWork(event));
	for (const { id, position } of workMissing(log, last?.position)) {
		run.chronicle.violate(`the subscription has skipped ${id} at ${position}`);
	}
}

async function close(store: EventStore, { machine, process, run }: SessionContext): Promise<void> {
	await store.close();
	if (machine.faults.injected === 0 && process.openFiles > 0) {
		run.chronicle.violate(`${process.name} has closed everything, and ${process.openFiles} files are open`);
	}
}
