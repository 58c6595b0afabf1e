// One machine from the time it has power until it is cut: a disk, a time, and processes that come and go.

import type { Clock } from "@reelkeep/core/ports";
import type { FileSystem, Ownership } from "@reelkeep/storage-fs";
import type { Chronicle } from "./chronicle.js";
import { type FaultRates, Faults } from "./faults.js";
import type { Random } from "./random.js";
import { Scheduler } from "./scheduler.js";
import { createSimulatedClock } from "./simulated-clock.js";
import type { SimulatedDisk } from "./simulated-disk.js";
import { createSimulatedFileSystem } from "./simulated-file-system.js";
import { Owners } from "./simulated-ownership.js";
import { PLAIN_WIRING, type Role, type Wiring } from "./wiring.js";

export interface MachineOptions {
	readonly disk: SimulatedDisk;
	readonly chronicle: Chronicle;
	readonly random: Random;
	readonly rates: FaultRates;
	readonly lateReplies: number;
	/** UTC milliseconds. */
	readonly startAt?: number;
	readonly wiring?: Pick<Wiring, "fileSystem" | "ownership">;
}

/** What a process sees of the machine. Whatever it waits for when it ends, it waits for ever. */
export interface SimulatedProcess {
	readonly id: number;
	readonly name: string;
	readonly isAlive: boolean;
	/** Resolves when the process is killed. */
	readonly killed: Promise<void>;
	readonly fileSystem: FileSystem;
	readonly clock: Clock;
	readonly ownership: Ownership;
	/** How many files it has open. */
	openFiles: number;
	/** Does `work` at a moment that the scheduler chooses; settles as `work` does. */
	perform<T>(what: string, work: () => T, options?: { readonly isSlow?: boolean }): Promise<T>;
}

export class Machine {
	readonly disk: SimulatedDisk;
	readonly chronicle: Chronicle;
	readonly random: Random;
	readonly faults: Faults;
	readonly scheduler: Scheduler;
	readonly #owners: Owners;
	readonly #wiring: Pick<Wiring, "fileSystem" | "ownership">;
	readonly #living = new Map<SimulatedProcess, () => void>();
	#lastProcess = 0;

	constructor(options: MachineOptions) {
		const { disk, chronicle, random, lateReplies, startAt, wiring = PLAIN_WIRING } = options;
		this.disk = disk;
		this.chronicle = chronicle;
		this.random = random;
		this.faults = new Faults(random.fork(), options.rates);
		this.scheduler = new Scheduler({
			random: random.fork(),
			chronicle,
			lateReplies,
			...(startAt === undefined ? {} : { startAt }),
		});
		this.#owners = new Owners(this);
		this.#wiring = wiring;
	}

	/** A reader that changes the disk is at fault. */
	startProcess(name: string, role: Role): SimulatedProcess {
		this.#lastProcess += 1;
		const id = this.#lastProcess;
		let kill = (): void => undefined;
		const killed = new Promise<void>((resolve) => {
			kill = resolve;
		});
		const living = this.#living;
		const process: SimulatedProcess = {
			id,
			name,
			killed,
			openFiles: 0,
			get isAlive() {
				return living.has(process);
			},
			perform: (what, work, { isSlow = false } = {}) => this.#perform(process, what, work, isSlow),
			clock: createSimulatedClock(this.scheduler, () => process),
			get fileSystem() {
				return fileSystem;
			},
			get ownership() {
				return ownership;
			},
		};
		living.set(process, kill);
		const fileSystem = this.#wiring.fileSystem(createSimulatedFileSystem(this, process, role), role);
		const ownership = this.#wiring.ownership(this.#owners.seenBy(process), this);
		return process;
	}

	/** Ends a process between two of its steps, as SIGKILL does: the disk keeps what it has seen. */
	kill(process: SimulatedProcess): void {
		this.chronicle.say(`     ${process.name} is killed`);
		const tell = this.#living.get(process);
		this.#living.delete(process);
		this.scheduler.drop(process.id);
		this.#owners.drop(process);
		tell?.();
	}

	/** Ends every process at once; what the disk holds then is for `SimulatedDisk.afterPowerCut` to say. */
	cutPower(): void {
		this.#living.clear();
	}

	#perform<T>(process: SimulatedProcess, what: string, work: () => T, isSlow: boolean): Promise<T> {
		if (!process.isAlive) return new Promise(() => undefined);
		return new Promise((resolve, reject) => {
			let settle = (): void => undefined;
			this.scheduler.add({
				process: process.id,
				what: `${process.name}: ${what}`,
				isSlow,
				take() {
					try {
						const result = work();
						settle = () => resolve(result);
					} catch (error) {
						settle = () => reject(error);
					}
				},
				settle: () => settle(),
			});
		});
	}
}
