// Cuts the power at one step of a life that goes on: in another world the store is opened and checked.

import { Chronicle } from "./chronicle.js";
import { runLife } from "./life.js";
import type { Machine } from "./machine.js";
import { checkingLife } from "./plans.js";
import { type Run, Serial } from "./run.js";

/** Event names and sessions of the other world start here, apart from those of this one. */
const OTHER_WORLD = 1_000_000;

export async function checkAfterCut(run: Run, machine: Machine): Promise<void> {
	const { chronicle } = run;
	if (chronicle.violation !== undefined) return;
	const random = run.random.fork();
	const other = new Chronicle();
	const report = (violation: string): void => other.violate(violation);
	const fork: Run = {
		...run,
		random,
		chronicle: other,
		model: run.model.fork(report),
		checkpoints: run.checkpoints.fork(report),
		serial: new Serial(OTHER_WORLD),
	};
	const disk = machine.disk.afterPowerCut({ random, count: (name) => other.count(name) });
	await runLife(fork, disk, checkingLife(random, machine.scheduler.now));
	chronicle.count("cuts");
	chronicle.count("cut.everywhere");
	chronicle.addCounts(other.counts);
	if (other.violation === undefined) return;
	for (const line of other.lines) chronicle.say(`  |  ${line}`);
	chronicle.violate(`after a power cut at step ${machine.scheduler.steps}: ${other.violation}`);
}
