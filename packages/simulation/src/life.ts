// One life of the machine: it gets power, processes own and read the store one after another, the power is cut.

import type { FaultRates } from "./faults.js";
import { Machine, type SimulatedProcess } from "./machine.js";
import { collect, followFromOutside, openReader } from "./readers.js";
import type { Run } from "./run.js";
import { type Phase, runSession, type SessionPlan } from "./session.js";
import type { SimulatedDisk } from "./simulated-disk.js";
import type { Role } from "./wiring.js";

/** More than any life takes: one that goes on is stuck. */
const MAX_STEPS = 20_000;
/** Steps from a fault to the end of a process that dies of it. */
const MAX_LAST_STEPS = 12;
/** What watches over the owner starts the next one after so long. */
const MAX_RESTART_MS = 2000;
/** Whoever waits outside of all processes. */
const NOBODY = 0;

export interface PlannedSession extends SessionPlan {
	/** The owner is killed after so many steps; `undefined`: it closes by itself. */
	readonly killAfter: number | undefined;
	/** The owner is killed soon after a call has failed, before it has come to terms with that. */
	readonly diesOfFaults: boolean;
}

export interface LifePlan {
	readonly rates: FaultRates;
	readonly lateReplies: number;
	/** From this step on nothing fails. */
	readonly soundFrom: number;
	readonly sessions: readonly PlannedSession[];
	readonly isFollowed: boolean;
	/** When the power is cut; `undefined`: when everything is over. */
	readonly cutAt: number | undefined;
	/** In the end a reader without an owner must find everything. */
	readonly endsWithReader: boolean;
	/** UTC milliseconds. */
	readonly startAt?: number;
}

export interface LifeEnd {
	readonly machine: Machine;
	/** What the owner was about when the power was cut. */
	readonly phase: Phase;
}

/** `onStep`: called after each step, when everything that follows from it has happened. */
export async function runLife(
	run: Run,
	disk: SimulatedDisk,
	plan: LifePlan,
	onStep?: (machine: Machine) => Promise<void>,
): Promise<LifeEnd> {
	const { chronicle } = run;
	const { rates, lateReplies, startAt } = plan;
	const machine = new Machine({
		disk,
		chronicle,
		random: run.random.fork(),
		rates,
		lateReplies,
		wiring: run.wiring,
		...(startAt === undefined ? {} : { startAt }),
	});
	const { scheduler } = machine;
	const life = new Life(run, machine, plan);
	let isOver = false;
	life.live().then(
		() => {
			isOver = true;
		},
		(error: unknown) =>
			chronicle.violate(error instanceof Error ? (error.stack ?? String(error)) : String(error)),
	);
	while (!isOver && chronicle.violation === undefined && scheduler.steps < (plan.cutAt ?? MAX_STEPS + 1)) {
		if (scheduler.steps === plan.soundFrom) machine.faults.stop();
		life.killIfDue();
		const hasMore = await scheduler.step();
		await onStep?.(machine);
		if (isOver) break;
		if (!hasMore) chronicle.violate(`everybody waits, and for nothing (${life.phase})`);
		if (scheduler.steps > MAX_STEPS) chronicle.violate(`it does not come to an end (${life.phase})`);
	}
	machine.cutPower();
	return { machine, phase: life.phase };
}

class Life {
	readonly #run: Run;
	readonly #machine: Machine;
	readonly #plan: LifePlan;
	#phase: Phase = "opening";
	#due: { readonly step: number; readonly processes: readonly SimulatedProcess[] } | undefined;
	/** Who dies of the next fault. */
	#frail: { readonly injected: number; readonly processes: readonly SimulatedProcess[] } | undefined;

	constructor(run: Run, machine: Machine, plan: LifePlan) {
		this.#run = run;
		this.#machine = machine;
		this.#plan = plan;
	}

	get phase(): Phase {
		return this.#phase;
	}

	async live(): Promise<void> {
		const run = this.#run;
		let isOver = false;
		const follower = this.#start("reader", "reader");
		const following = this.#plan.isFollowed
			? followFromOutside({ run, process: follower, random: run.random.fork(), isOver: () => isOver }).catch(
					(error: unknown) => run.chronicle.violate(`the reader fails: ${String(error)}`),
				)
			: undefined;
		for (const [at, session] of this.#plan.sessions.entries()) await this.#session(session, at + 1);
		isOver = true;
		await following;
		if (this.#plan.endsWithReader) await this.#readWithoutOwner();
	}

	killIfDue(): void {
		const { faults, scheduler, random } = this.#machine;
		if (this.#frail !== undefined && faults.injected > this.#frail.injected && this.#phase === "working") {
			const { processes } = this.#frail;
			this.#frail = undefined;
			this.#due ??= { step: scheduler.steps + random.between(1, MAX_LAST_STEPS), processes };
		}
		if (this.#due === undefined || this.#machine.scheduler.steps < this.#due.step) return;
		this.#run.chronicle.count(`kill.${this.#phase}`);
		const { processes } = this.#due;
		this.#due = undefined;
		for (const process of processes) this.#machine.kill(process);
	}

	async #session(plan: PlannedSession, number: number): Promise<void> {
		const process = this.#start(`owner${number}`, "owner");
		const processes = [process];
		if (plan.killAfter !== undefined) {
			this.#due = { step: this.#machine.scheduler.steps + plan.killAfter, processes };
		}
		const context = {
			run: this.#run,
			machine: this.#machine,
			process,
			plan,
			startRival: () => {
				const rival = this.#start(`rival${number}`, "owner");
				processes.push(rival);
				return rival;
			},
			onPhase: (phase: Phase) => {
				this.#phase = phase;
			},
		};
		if (plan.diesOfFaults) this.#frail = { injected: this.#machine.faults.injected, processes };
		await Promise.race([runSession(context), process.killed]);
		this.#due = undefined;
		this.#frail = undefined;
		if (!process.isAlive) await this.#restart();
	}

	#restart(): Promise<void> {
		const { scheduler, random } = this.#machine;
		return new Promise((resolve) => {
			scheduler.sleep(NOBODY, random.below(MAX_RESTART_MS), resolve);
		});
	}

	/** Everything is closed: what is in the log is there for whoever looks. */
	async #readWithoutOwner(): Promise<void> {
		const run = this.#run;
		const process = this.#start("late reader", "reader");
		const handle = { isClosing: false };
		const never = (): boolean => false;
		const reader = await openReader({ run, process, random: run.random.fork() }, handle, never);
		if (reader === undefined) return;
		const log = await collect(reader.readAll());
		if (log.length !== run.model.lastPosition) {
			run.chronicle.violate(
				`a reader without an owner finds ${log.length} of ${run.model.lastPosition} events`,
			);
		}
		handle.isClosing = true;
		await reader.close();
		if (process.openFiles > 0) run.chronicle.violate("the reader is closed, and has files open");
	}

	#start(name: string, role: Role): SimulatedProcess {
		return this.#machine.startProcess(name, role);
	}
}
