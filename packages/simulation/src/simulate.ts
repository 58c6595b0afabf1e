// One seed: lives that end with power cuts, each checked by the next, and a last one in which nothing may fail any more.

import { damageAndCheck } from "./bit-rot.js";
import { CheckpointModel } from "./checkpoint-model.js";
import { Chronicle } from "./chronicle.js";
import { checkAfterCut } from "./every-cut.js";
import { type LifeEnd, runLife } from "./life.js";
import type { Machine } from "./machine.js";
import { Model } from "./model.js";
import { chooseLife, lastLife, type Severity, shortLife } from "./plans.js";
import type { Dice } from "./power-cut.js";
import { createRandom } from "./random.js";
import { type Run, Serial } from "./run.js";
import { SimulatedDisk } from "./simulated-disk.js";
import { PLAIN_WIRING, type Wiring } from "./wiring.js";

/** Every so many seeds a short life is cut at each of its steps. */
const SEEDS_PER_EVERY_CUT = 40;
/** Every so many seeds bytes are damaged in the end. */
const SEEDS_PER_BIT_ROT = 4;

export interface Outcome {
	readonly seed: number;
	/** What was found wrong first. */
	readonly violation: string | undefined;
	/** Every step. */
	readonly lines: readonly string[];
	/** How often each kind of thing happened. */
	readonly counts: ReadonlyMap<string, number>;
}

export async function simulate(seed: number, wiring: Partial<Wiring> = {}): Promise<Outcome> {
	const chronicle = new Chronicle();
	const report = (violation: string): void => chronicle.violate(violation);
	const run: Run = {
		chronicle,
		random: createRandom(seed),
		model: new Model(report),
		checkpoints: new CheckpointModel(report),
		wiring: { ...PLAIN_WIRING, ...wiring },
		serial: new Serial(),
	};
	chronicle.count("seeds");
	const onUnhandled = (error: unknown): void => report(`a rejection that nobody handles: ${String(error)}`);
	process.on("unhandledRejection", onUnhandled);
	await liveThrough(run, seed);
	process.off("unhandledRejection", onUnhandled);
	return { seed, violation: chronicle.violation, lines: chronicle.lines, counts: chronicle.counts };
}

async function liveThrough(run: Run, seed: number): Promise<void> {
	const { random, chronicle } = run;
	const severity: Severity = random.pick(["none", "some", "many", "many"]);
	const isCutEverywhere = seed % SEEDS_PER_EVERY_CUT === 0;
	const lives = isCutEverywhere ? random.below(2) : random.between(2, 3);
	const dice: Dice = { random: random.fork(), count: (name) => chronicle.count(name) };
	let disk = new SimulatedDisk();
	let lastEnd: number | undefined;
	const live = async (
		name: string,
		plan: Parameters<typeof runLife>[2],
		onStep?: (machine: Machine) => Promise<void>,
	): Promise<LifeEnd> => {
		chronicle.say(`---- ${name}`);
		chronicle.count("lives");
		const end = await runLife(run, disk, plan, onStep);
		lastEnd = end.machine.scheduler.now;
		chronicle.say(`---- the power is cut (${end.phase})`);
		chronicle.count(`cut.${end.phase}`);
		chronicle.count("cuts");
		disk = disk.afterPowerCut(dice);
		return end;
	};
	for (let life = 1; life <= lives && chronicle.violation === undefined; life += 1) {
		await live(`life ${life}`, chooseLife(random, severity, lastEnd));
	}
	if (isCutEverywhere && chronicle.violation === undefined) {
		await live("a life that is cut at each step", shortLife(random, lastEnd), (machine) =>
			checkAfterCut(run, machine),
		);
	}
	if (chronicle.violation !== undefined) return;
	await live("the last life, in which nothing fails", lastLife(random, lastEnd));
	if (chronicle.violation === undefined && seed % SEEDS_PER_BIT_ROT === 0)
		await damageAndCheck(run, disk, lastEnd);
}
