// Directories of the simulated disk: the names that everybody sees, those that would survive, and the changes between.

import type { SimulatedFile } from "./simulated-file.js";

export class SimulatedDirectory {
	/** What everybody sees. */
	readonly seen = new Map<string, Entry>();
	/** What would survive for certain. */
	readonly durable = new Map<string, Entry>();
}

export type Entry = SimulatedFile | SimulatedDirectory;

/** Names that change at once: a rename takes one away and gives another, or neither. */
export interface EntryChange {
	readonly moment: number;
	readonly names: readonly NameChange[];
}

export interface NameChange {
	readonly directory: SimulatedDirectory;
	readonly name: string;
	/** `undefined`: the name is gone. */
	readonly entry: Entry | undefined;
}

export function applyName(names: Map<string, Entry>, { name, entry }: NameChange): void {
	if (entry === undefined) names.delete(name);
	else names.set(name, entry);
}
