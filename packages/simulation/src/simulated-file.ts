// One file of the simulated disk: what everybody reads (the cache), what would survive (the platter), and the
// changes between the two.

import { Content } from "./content.js";

/**
 * - `dirty`: the next sync writes it
 * - `clean`: a sync failed to write it, and none will try again: it is read until the power is cut
 * - `synced`: written, and behind a change that is not
 */
type ChangeState = "dirty" | "clean" | "synced";

export type FileChange = {
	/** When: greater is later. */
	readonly moment: number;
	readonly state: ChangeState;
} & (
	| { readonly kind: "write"; readonly offset: number; readonly bytes: Buffer }
	| { readonly kind: "truncate"; readonly length: number }
);

export class SimulatedFile {
	readonly #cache: Content;
	readonly #platter: Content;
	#changes: readonly FileChange[] = [];
	#failedSyncs = 0;

	constructor(bytes?: Uint8Array) {
		this.#cache = new Content(bytes);
		this.#platter = new Content(bytes);
	}

	get length(): number {
		return this.#cache.length;
	}

	/** Whoever has the file open is told of each failed sync once. */
	get failedSyncs(): number {
		return this.#failedSyncs;
	}

	/** What would survive for certain. */
	get platter(): Content {
		return this.#platter;
	}

	/** What came after that, in order. The first one, if there is one, is not synced. */
	get changes(): readonly FileChange[] {
		return this.#changes;
	}

	read(target: Uint8Array, offset: number): number {
		return this.#cache.read(target, offset);
	}

	write(moment: number, bytes: Uint8Array, offset: number): void {
		if (bytes.byteLength === 0) return;
		this.#cache.write(bytes, offset);
		this.#add({ moment, state: "dirty", kind: "write", offset, bytes: Buffer.from(bytes) });
	}

	truncate(moment: number, length: number): void {
		this.#cache.truncate(length);
		this.#add({ moment, state: "dirty", kind: "truncate", length });
	}

	/** Makes durable what is dirty and came before `began`, and the length that the file had by then. */
	sync(began: number): void {
		const before = this.#changes.filter(({ moment }) => moment < began);
		const after = this.#changes.filter(({ moment }) => moment >= began);
		const hasGaps = before.some(({ state }) => state === "clean");
		const synced = before.map((change) => (change.state === "dirty" ? inState(change, "synced") : change));
		if (hasGaps)
			synced.push({
				moment: began,
				state: "synced",
				kind: "truncate",
				length: lengthAfter(this.#platter, before),
			});
		const first = synced.findIndex(({ state }) => state !== "synced");
		const settled = first === -1 ? synced.length : first;
		for (const change of synced.slice(0, settled)) applyChange(this.#platter, change);
		this.#changes = [...synced.slice(settled), ...after];
	}

	/** As Linux does: written bytes count as clean from now on, and lengths stay to be written. */
	failSync(): void {
		this.#failedSyncs += 1;
		this.#changes = this.#changes.map((change) =>
			change.state === "dirty" && change.kind === "write" ? inState(change, "clean") : change,
		);
	}

	/** A byte goes bad on the platter; only of a file that is synced. */
	damage(offset: number, byte: number): void {
		for (const content of [this.#platter, this.#cache]) content.write(Uint8Array.of(byte), offset);
	}

	#add(change: FileChange): void {
		this.#changes = [...this.#changes, change];
	}
}

export function applyChange(content: Content, change: FileChange): void {
	if (change.kind === "write") content.write(change.bytes, change.offset);
	else content.truncate(change.length);
}

function inState(change: FileChange, state: ChangeState): FileChange {
	return { ...change, state };
}

function lengthAfter(platter: Content, changes: readonly FileChange[]): number {
	return changes.reduce(
		(length, change) =>
			change.kind === "write" ? Math.max(length, change.offset + change.bytes.byteLength) : change.length,
		platter.length,
	);
}
