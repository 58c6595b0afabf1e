// Which calls fail, when and how: chosen by the seed, at rates that each life has of its own.

import type { FileSystem, OpenFile } from "@reelkeep/storage-fs";
import type { Random } from "./random.js";

export type Operation = keyof OpenFile | keyof FileSystem | "acquire" | "connect" | "ask";

export interface Fault {
	/**
	 * - `before`: nothing happened
	 * - `midway`: a part of the bytes arrived
	 * - `after`: it happened, and the caller is told that it failed
	 * - `clean`: the bytes did not reach the disk, and count as written
	 */
	readonly when: "before" | "midway" | "after" | "clean";
	readonly code: string;
}

export interface FaultRates {
	/** Of each kind of call, how often it fails; what is not named never does. */
	readonly calls: Readonly<Partial<Record<Operation, number>>>;
	/** How often a read brings less than was asked for. */
	readonly shortReads: number;
	/** How often a write arrives in two parts, with anything between them. */
	readonly splitWrites: number;
}

export const NO_FAULTS: FaultRates = { calls: {}, shortReads: 0, splitWrites: 0 };

const DISK_ERRORS = ["EIO", "ENOSPC", "EDQUOT"] as const;
const CODES: Readonly<Partial<Record<Operation, readonly string[]>>> = {
	open: ["EIO", "EMFILE", "ENFILE", "ENOSPC"],
	write: DISK_ERRORS,
	datasync: DISK_ERRORS,
	rename: DISK_ERRORS,
	link: DISK_ERRORS,
	makeDirectory: DISK_ERRORS,
	list: ["EIO", "EMFILE"],
	syncDirectory: ["EIO", "EMFILE", "ENOSPC"],
};

const MANNERS: Readonly<Partial<Record<Operation, readonly Fault["when"][]>>> = {
	read: ["before"],
	status: ["before"],
	list: ["before"],
	connect: ["before"],
	ask: ["before"],
	acquire: ["before"],
	// Linux lets go of the descriptor, whatever it answers.
	close: ["after"],
	write: ["before", "midway", "midway", "after"],
	datasync: ["before", "after", "clean", "clean", "clean"],
};

const OPERATIONS: readonly Operation[] = [
	"open",
	"read",
	// Twice: what is chosen among them is these more often.
	"write",
	"write",
	"datasync",
	"datasync",
	"truncate",
	"status",
	"close",
	"makeDirectory",
	"list",
	"rename",
	"unlink",
	"syncDirectory",
	"acquire",
	"connect",
	"ask",
];

export class Faults {
	readonly #random: Random;
	#rates: FaultRates;
	#injected = 0;

	constructor(random: Random, rates: FaultRates) {
		this.#random = random;
		this.#rates = rates;
	}

	get rates(): FaultRates {
		return this.#rates;
	}

	/** How many calls have failed. */
	get injected(): number {
		return this.#injected;
	}

	/** From now on nothing fails. */
	stop(): void {
		this.#rates = NO_FAULTS;
	}

	/** Whether this call fails. */
	decide(operation: Operation): Fault | undefined {
		const rate = this.#rates.calls[operation];
		if (rate === undefined || !this.#random.chance(rate)) return undefined;
		this.#injected += 1;
		return {
			when: this.#random.pick(MANNERS[operation] ?? ["before", "after"]),
			code: this.#random.pick(CODES[operation] ?? ["EIO"]),
		};
	}
}

/** Rates for one life: of everything a little, or of a few kinds of calls a lot. */
export function chooseRates(random: Random, severity: "none" | "some" | "many"): FaultRates {
	const odd = { shortReads: random.pick([0, 0.1, 0.5]), splitWrites: random.pick([0, 0.2, 0.6]) };
	if (severity === "none") return { calls: {}, ...odd };
	if (random.chance(0.5)) {
		const rate = severity === "some" ? 0.015 : 0.06;
		return { calls: Object.fromEntries(OPERATIONS.map((operation) => [operation, rate])), ...odd };
	}
	const kinds = random.shuffle(OPERATIONS).slice(0, random.between(1, 3));
	const rate = severity === "some" ? 0.1 : 0.3;
	return { calls: Object.fromEntries(kinds.map((operation) => [operation, rate])), ...odd };
}
