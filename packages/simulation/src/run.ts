// What all lives of one seed share.

import type { Logger } from "@reelkeep/core/ports";
import type { CheckpointModel } from "./checkpoint-model.js";
import type { Chronicle } from "./chronicle.js";
import type { Model } from "./model.js";
import type { Random } from "./random.js";
import type { Wiring } from "./wiring.js";

/** Where the store lies on the simulated disk. Two directories deep: both have to be made durable. */
export const DIRECTORY = "/srv/reelkeep";

export interface Run {
	readonly chronicle: Chronicle;
	readonly random: Random;
	readonly model: Model;
	readonly checkpoints: CheckpointModel;
	readonly wiring: Wiring;
	/** Sessions and events that there were, so that each has a name of its own. */
	readonly serial: Serial;
}

export class Serial {
	#last: number;

	constructor(last = 0) {
		this.#last = last;
	}

	next(): number {
		this.#last += 1;
		return this.#last;
	}
}

/** Writes down what the store says. */
export function chronicleLogger(chronicle: Chronicle): Logger {
	const say =
		(level: keyof Logger) =>
		(_details: object, message: string): void =>
			chronicle.say(`     ${level}: ${message}`);
	return {
		trace: say("trace"),
		debug: say("debug"),
		info: say("info"),
		warn: say("warn"),
		error: say("error"),
	};
}
