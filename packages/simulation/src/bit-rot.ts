// One byte of the log goes bad while the store is closed: that must be told, or do no harm; never may an event be wrong
// or missing in silence.

import { isStoreFault, type StoreFaultReason } from "@reelkeep/core/ports";
import { createFsEventStore } from "@reelkeep/storage-fs";
import { NO_FAULTS } from "./faults.js";
import { Machine, type SimulatedProcess } from "./machine.js";
import type { Random } from "./random.js";
import { collect, openReader } from "./readers.js";
import { chronicleLogger, DIRECTORY, type Run } from "./run.js";
import type { SimulatedDisk } from "./simulated-disk.js";
import { watchStore } from "./watched-store.js";

const DIGITS = Buffer.from("0123456789abcdef");
const DAMAGES = 4;
const MAX_STEPS = 5000;
const EVENTS = `${DIRECTORY}/events`;

/** `behind`: a reader without an owner does not show the last batch, which nothing proves any more. */
type Finding = "told" | "harmless" | "behind";

/** Damages the files of a log that was closed, one byte at a time, each time from the beginning. */
export async function damageAndCheck(
	run: Run,
	disk: SimulatedDisk,
	startAt: number | undefined,
): Promise<void> {
	const { random, chronicle } = run;
	for (let made = 0; made < DAMAGES && chronicle.violation === undefined; made += 1) {
		// It holds nothing that is not synced: this is a copy.
		const damaged = disk.afterPowerCut({ random, count: () => undefined });
		const name = random.pick(damaged.list(EVENTS).toSorted());
		const file = damaged.fileAt(`${EVENTS}/${name}`);
		if (file.length === 0) continue;
		const offset = random.below(file.length);
		const byte = Buffer.alloc(1);
		file.read(byte, offset);
		file.damage(offset, otherByte(byte.readUInt8(), random));
		chronicle.say(`---- byte ${offset} of ${name} goes bad`);
		chronicle.count("rot.bytes");
		const machine = new Machine({
			disk: damaged,
			chronicle,
			random: random.fork(),
			rates: NO_FAULTS,
			lateReplies: 0,
			...(startAt === undefined ? {} : { startAt }),
		});
		await runToEnd(machine, lookAt(run, machine));
	}
}

/**
 * Any other byte; for a digit, mostly another digit: such damage still reads well. The same draws whatever the byte is:
 * index files hold a random key.
 */
function otherByte(byte: number, random: Random): number {
	const [mask, step, swaps] = [random.between(1, 255), random.between(1, 15), random.chance(0.7)];
	const at = DIGITS.indexOf(byte);
	return at !== -1 && swaps ? DIGITS.readUInt8((at + step) % DIGITS.length) : byte ^ mask;
}

async function runToEnd(machine: Machine, work: Promise<void>): Promise<void> {
	const { chronicle, scheduler } = machine;
	let isOver = false;
	work.then(
		() => {
			isOver = true;
		},
		(error: unknown) =>
			chronicle.violate(error instanceof Error ? (error.stack ?? String(error)) : String(error)),
	);
	while (!isOver && chronicle.violation === undefined) {
		const hasMore = await scheduler.step();
		if (isOver) break;
		if (!hasMore || scheduler.steps > MAX_STEPS) chronicle.violate("a damaged store does not come to an end");
	}
	machine.cutPower();
}

async function lookAt(run: Run, machine: Machine): Promise<void> {
	const outside = await lookFromOutside(run, machine.startProcess("reader", "reader"));
	const inside = await lookAsOwner(run, machine.startProcess("owner", "owner"));
	run.chronicle.count(`rot.reader.${outside}`);
	run.chronicle.count(`rot.owner.${inside}`);
	if (outside === "behind" && inside === "told") {
		run.chronicle.violate("a reader is not told of the damage for which the owner refuses the log");
	}
}

const isCorrupt = (reason: StoreFaultReason): boolean => reason === "corrupt";

async function lookFromOutside(run: Run, process: SimulatedProcess): Promise<Finding> {
	const handle = { isClosing: false };
	const reader = await openReader({ run, process, random: run.random.fork() }, handle, isCorrupt);
	if (reader === undefined) return "told";
	let found = 0;
	const finding = await orTold(async () => {
		found = (await collect(reader.readAll())).length;
	});
	handle.isClosing = true;
	await reader.close();
	const { lastPosition, provenPosition } = run.model;
	if (finding === "told" || found >= lastPosition) return finding;
	if (found >= provenPosition) return "behind";
	run.chronicle.violate(`a reader finds ${found} of ${lastPosition} events, and is told nothing`);
	return finding;
}

async function lookAsOwner(run: Run, process: SimulatedProcess): Promise<Finding> {
	const { chronicle, model } = run;
	const { fileSystem, ownership, clock } = process;
	const session = run.serial.next();
	const logger = chronicleLogger(chronicle);
	const opened = createFsEventStore({ directory: DIRECTORY, fileSystem, ownership, clock, logger });
	const finding = await orTold(() => opened.open());
	if (finding === "told") {
		await opened.close();
		return finding;
	}
	const store = watchStore(opened, {
		who: process.name,
		model,
		chronicle,
		now: () => clock.now(),
		session,
		isOwner: true,
		mayFail: isCorrupt,
	});
	const findings = [
		await orTold(async () => model.checkLog(await collect(store.readAll()), session)),
		await orTold(() => collect(store.readAll({ direction: "backward" }))),
	];
	for (const stream of model.streams) findings.push(await orTold(() => collect(store.read(stream))));
	await opened.close();
	return findings.includes("told") ? "told" : "harmless";
}

/** Whether what `work` comes upon is told as damage. Anything else that goes wrong is thrown. */
async function orTold(work: () => Promise<unknown>): Promise<Finding> {
	try {
		await work();
		return "harmless";
	} catch (error) {
		if (isStoreFault(error) && error.reason === "corrupt") return "told";
		throw error;
	}
}
