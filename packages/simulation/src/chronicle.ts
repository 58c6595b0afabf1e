// What happened in a run: a line for each step, counts of what was met with, and the first thing that must not be.

import { createHash } from "node:crypto";

export class Chronicle {
	readonly #lines: string[] = [];
	readonly #counts = new Map<string, number>();
	#violation: string | undefined;

	/** Every step so far, in order. */
	get lines(): readonly string[] {
		return this.#lines;
	}

	/** How often each kind of thing happened. */
	get counts(): ReadonlyMap<string, number> {
		return this.#counts;
	}

	/** What was found first to be wrong; later findings may only follow from it. */
	get violation(): string | undefined {
		return this.#violation;
	}

	say(line: string): void {
		this.#lines.push(line);
	}

	count(name: string, times = 1): void {
		this.#counts.set(name, (this.#counts.get(name) ?? 0) + times);
	}

	violate(what: string): void {
		this.#violation ??= what;
		this.say(`VIOLATION ${what}`);
	}

	/** Takes over the counts of a run within this one. */
	addCounts(counts: ReadonlyMap<string, number>): void {
		for (const [name, times] of counts) this.count(name, times);
	}
}

/** The same for two runs that took the same steps. */
export function traceHash(lines: readonly string[]): string {
	return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16);
}
