// Decides what happens next: one thing at a time, chosen by the seed, then everything that follows from it.

import type { Chronicle } from "./chronicle.js";
import type { Random } from "./random.js";

/** Something that a process waits for. */
export interface Task {
	/** Which process waits; its end takes the task away. */
	readonly process: number;
	readonly what: string;
	/** Takes long on some machines: a sync. */
	readonly isSlow: boolean;
	/** The deed itself, at one moment. Does not throw. */
	readonly take: () => void;
	/** Tells whoever waits. */
	readonly settle: () => void;
}

interface Sleeper {
	readonly process: number;
	readonly wakeAt: number;
	readonly wake: () => void;
}

/** 2025-01-01T00:00:00Z: any fixed time will do. */
const START = Date.UTC(2025, 0, 1);
const MAX_STEP_MS = 3;
/** At times a disk is so slow that a sleeper wakes first; none sleeps so long that this would be a stall. */
const JUMP_CHANCE = 0.04;
const MAX_JUMP_MS = 3000;
const nothing = (): void => undefined;

type Order = "any" | "oldest" | "newest" | "slow-syncs";
const ORDERS: readonly Order[] = ["any", "any", "oldest", "newest", "slow-syncs"];

export interface SchedulerOptions {
	readonly random: Random;
	readonly chronicle: Chronicle;
	/** How often a deed is done before its caller learns of it. */
	readonly lateReplies: number;
	/** UTC milliseconds. */
	readonly startAt?: number;
}

export class Scheduler {
	readonly #options: SchedulerOptions;
	readonly #order: Order;
	#tasks: Task[] = [];
	#sleepers: Sleeper[] = [];
	#now: number;
	#steps = 0;

	constructor(options: SchedulerOptions) {
		this.#options = options;
		this.#order = options.random.pick(ORDERS);
		this.#now = options.startAt ?? START;
	}

	/** UTC milliseconds of the simulated time. */
	get now(): number {
		return this.#now;
	}

	get steps(): number {
		return this.#steps;
	}

	add(task: Task): void {
		this.#tasks.push(task);
	}

	/** Calls `wake` once after `delayMs`; returns how to call it off. */
	sleep(process: number, delayMs: number, wake: () => void): () => void {
		const sleeper: Sleeper = { process, wakeAt: this.#now + Math.max(0, delayMs), wake };
		this.#sleepers.push(sleeper);
		return () => this.#remove(sleeper);
	}

	/** Ends a process: what it waits for may still be done, and nobody is told. */
	drop(process: number): void {
		const { random, chronicle } = this.#options;
		const dropped = this.#tasks.filter((task) => task.process === process);
		this.#tasks = this.#tasks.filter((task) => task.process !== process);
		this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.process !== process);
		for (const { what, take } of random.shuffle(dropped)) {
			if (random.chance(0.5)) continue;
			chronicle.say(`     ${what} is done, though nobody waits for it any more`);
			take();
		}
	}

	/** Lets one thing happen, and all that follows from it; resolves with `false` when nobody waits for anything. */
	async step(): Promise<boolean> {
		const { random, chronicle, lateReplies } = this.#options;
		this.#steps += 1;
		this.#now += random.below(MAX_STEP_MS + 1);
		const task = this.#wakeSleeper() ? undefined : this.#takeTask();
		if (task !== undefined) {
			chronicle.say(`${String(this.#steps).padStart(4)} ${task.what}`);
			task.take();
			const isLate = task.take !== nothing && random.chance(lateReplies);
			if (isLate) this.add({ ...task, what: `${task.what}: told`, take: nothing });
			else task.settle();
		} else if (this.#sleepers.length === 0 && this.#tasks.length === 0) {
			await turn();
			return this.#tasks.length + this.#sleepers.length > 0;
		}
		await turn();
		return true;
	}

	/** Wakes whose time has come; when nothing else can happen, or sometimes before that, the time of the next one comes. */
	#wakeSleeper(): boolean {
		const next = this.#nextSleeper();
		if (next === undefined) return false;
		const { random, chronicle } = this.#options;
		const isNear = next.wakeAt <= this.#now + MAX_JUMP_MS;
		if (this.#tasks.length === 0 || (isNear && random.chance(JUMP_CHANCE))) {
			this.#now = Math.max(this.#now, next.wakeAt);
		}
		if (next.wakeAt > this.#now || (this.#tasks.length > 0 && random.chance(0.5))) return false;
		this.#remove(next);
		chronicle.say(`${String(this.#steps).padStart(4)} a sleeper wakes`);
		next.wake();
		return true;
	}

	#nextSleeper(): Sleeper | undefined {
		let next: Sleeper | undefined;
		for (const sleeper of this.#sleepers) {
			if (next === undefined || sleeper.wakeAt < next.wakeAt) next = sleeper;
		}
		return next;
	}

	#remove(sleeper: Sleeper): void {
		this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
	}

	#takeTask(): Task | undefined {
		const first = this.#chooseTask();
		const isPutOff = this.#order === "slow-syncs" && this.#tasks[first]?.isSlow === true;
		const at = isPutOff && this.#options.random.chance(0.8) ? this.#chooseTask() : first;
		return this.#tasks.splice(at, 1)[0];
	}

	#chooseTask(): number {
		const { random } = this.#options;
		const count = this.#tasks.length;
		if (this.#order === "oldest" && random.chance(0.7)) return 0;
		if (this.#order === "newest" && random.chance(0.5)) return count - 1;
		return random.below(count);
	}
}

/** One turn of the event loop: every promise that could settle has settled. */
function turn(): Promise<void> {
	return new Promise((resolve) => {
		setImmediate(resolve);
	});
}
