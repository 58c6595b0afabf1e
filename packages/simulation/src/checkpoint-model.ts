// What must hold of checkpoints: one that was saved is there, or a newer one that was being saved.

import { comparePositions, type Position } from "@reelkeep/core/ports";

interface Saves {
	/** The last one that was acknowledged. */
	readonly saved: Position | undefined;
	/** Those that were begun since, and not acknowledged. */
	readonly begun: readonly Position[];
}

const NONE: Saves = { saved: undefined, begun: [] };

export class CheckpointModel {
	readonly #report: (violation: string) => void;
	readonly #saves = new Map<string, Saves>();

	constructor(report: (violation: string) => void) {
		this.#report = report;
	}

	fork(report: (violation: string) => void): CheckpointModel {
		const fork = new CheckpointModel(report);
		for (const [name, saves] of this.#saves) fork.#saves.set(name, saves);
		return fork;
	}

	begun(name: string, position: Position): void {
		const { saved, begun } = this.#of(name);
		this.#saves.set(name, { saved, begun: [...begun, position] });
	}

	saved(name: string, position: Position): void {
		const { saved, begun } = this.#of(name);
		if (saved !== undefined && comparePositions(position, saved) < 0) {
			this.#report(`the checkpoint of ${name} was moved back from ${saved} to ${position}`);
		}
		this.#saves.set(name, {
			saved: position,
			begun: begun.filter((other) => comparePositions(other, position) > 0),
		});
	}

	/** The save that was begun last for `position` was not done. */
	refused(name: string, position: Position): void {
		const { saved, begun } = this.#of(name);
		this.#saves.set(name, { saved, begun: begun.toSpliced(begun.lastIndexOf(position), 1) });
	}

	/** The store says where `name` stands. */
	told(name: string, position: Position | undefined): void {
		const { saved, begun } = this.#of(name);
		if (position === saved || (position !== undefined && begun.includes(position))) return;
		this.#report(
			`the checkpoint of ${name} is ${position}; ${saved} was saved, and ${begun.join(", ") || "none"} begun`,
		);
	}

	#of(name: string): Saves {
		return this.#saves.get(name) ?? NONE;
	}
}
