// Who owns the data directory of a simulated machine: one living process, which readers in others connect to.

import { storeFault } from "@reelkeep/core/ports";
import type { Owned, OwnerConnection, OwnerIdentity, Ownership, Watermark } from "@reelkeep/storage-fs";
import type { Machine, SimulatedProcess } from "./machine.js";

/** As the real one: how long a reader waits for an owner that still recovers its log. */
const FIRST_WATERMARK_TIMEOUT_MS = 30_000;
const CONNECT_ATTEMPTS = 4;

interface Owner {
	readonly process: SimulatedProcess;
	readonly identity: OwnerIdentity;
	readonly connections: Set<Connection>;
	/** Readers that wait for the first watermark, or for the owner's end. */
	readonly waiting: Set<() => void>;
	durable: Watermark | undefined;
}

export class Owners {
	readonly #machine: Machine;
	#owner: Owner | undefined;

	constructor(machine: Machine) {
		this.#machine = machine;
	}

	seenBy(process: SimulatedProcess): Ownership {
		return {
			acquire: (_directory, startedAt) => process.perform("acquire", () => this.#acquire(process, startedAt)),
			connect: async () => {
				for (let attempt = 1; attempt <= CONNECT_ATTEMPTS; attempt += 1) {
					const found = await this.#connect(process);
					if (found !== "hung-up") return found;
				}
				throw storeFault("io", "the owner hangs up; try again");
			},
		};
	}

	/** The process has ended. */
	drop(process: SimulatedProcess): void {
		if (this.#owner?.process === process) this.#leave(this.#owner);
	}

	#acquire(process: SimulatedProcess, startedAt: number): Owned {
		this.#failAtTimes("acquire", "cannot tell who owns the directory");
		if (this.#owner !== undefined) {
			this.#machine.chronicle.count("owner.refused");
			throw storeFault("owned", `the directory is in use by ${this.#owner.process.name}`);
		}
		const owner: Owner = {
			process,
			identity: { pid: process.id, host: "simulated", startedAt },
			connections: new Set(),
			waiting: new Set(),
			durable: undefined,
		};
		this.#owner = owner;
		return {
			publish: (durable) => {
				if (process.isAlive && this.#owner === owner) publish(owner, durable);
			},
			release: () =>
				process.perform("release", () => {
					if (this.#owner === owner) this.#leave(owner);
				}),
		};
	}

	async #connect(process: SimulatedProcess): Promise<OwnerConnection | "hung-up" | undefined> {
		const owner = await process.perform("connect", () => {
			this.#failAtTimes("connect", "the owner does not answer");
			return this.#owner;
		});
		if (owner === undefined) return undefined;
		if (owner.durable === undefined) await this.#firstWatermark(process, owner);
		if (this.#owner !== owner) return "hung-up";
		if (owner.durable === undefined) throw storeFault("io", "the owner says nothing in time; try again");
		const ask = (lastTold: Watermark | undefined): Watermark | undefined => this.#ask(owner, lastTold);
		return new Connection(process, owner, ask);
	}

	async #firstWatermark(process: SimulatedProcess, owner: Owner): Promise<void> {
		const timer = new AbortController();
		const end = (): void => timer.abort("told");
		owner.waiting.add(end);
		await process.clock.sleep(FIRST_WATERMARK_TIMEOUT_MS, timer.signal);
		owner.waiting.delete(end);
	}

	#ask(owner: Owner, lastTold: Watermark | undefined): Watermark | undefined {
		if (this.#owner !== owner) return undefined;
		const isSilent = this.#machine.faults.decide("ask") !== undefined;
		if (isSilent) this.#machine.chronicle.count("fault.ask.before");
		return isSilent ? lastTold : owner.durable;
	}

	#leave(owner: Owner): void {
		this.#owner = undefined;
		for (const end of owner.waiting) end();
		for (const connection of owner.connections) connection.end();
	}

	#failAtTimes(operation: "acquire" | "connect", what: string): void {
		if (this.#machine.faults.decide(operation) === undefined) return;
		this.#machine.chronicle.count(`fault.${operation}.before`);
		throw storeFault("io", `${what}; try again`);
	}
}

function publish(owner: Owner, durable: Watermark): void {
	owner.durable = durable;
	for (const end of owner.waiting) end();
	for (const connection of owner.connections) connection.tell(durable);
}

class Connection implements OwnerConnection {
	readonly #process: SimulatedProcess;
	readonly #owner: Owner;
	readonly #ask: (lastTold: Watermark | undefined) => Watermark | undefined;
	readonly #listeners = new Set<() => void>();
	#lastTold: Watermark | undefined;
	#isOpen = true;
	#isTelling = false;

	constructor(
		process: SimulatedProcess,
		owner: Owner,
		ask: (lastTold: Watermark | undefined) => Watermark | undefined,
	) {
		this.#process = process;
		this.#owner = owner;
		this.#ask = ask;
		this.#lastTold = owner.durable;
		owner.connections.add(this);
	}

	get owner(): OwnerIdentity {
		return this.#owner.identity;
	}

	/** News take their time; several may come as one. */
	tell(durable: Watermark): void {
		const isFirst = !this.#isTelling;
		this.#isTelling = true;
		if (!isFirst) return;
		void this.#process.perform("hear of the owner", () => {
			this.#isTelling = false;
			this.#lastTold = this.#owner.durable ?? durable;
			this.#callListeners();
		});
	}

	/** The owner is gone; so the reader's end shows soon. */
	end(): void {
		void this.#process.perform("lose the owner", () => {
			this.#isOpen = false;
			this.#callListeners();
		});
	}

	async durable(): Promise<Watermark | undefined> {
		if (!this.#isOpen) return undefined;
		return this.#process.perform("ask the owner", () => {
			const answer = this.#ask(this.#lastTold);
			if (answer !== undefined) this.#lastTold = answer;
			return answer;
		});
	}

	isOpen(): boolean {
		return this.#isOpen;
	}

	onChange(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	close(): void {
		this.#isOpen = false;
		this.#owner.connections.delete(this);
	}

	#callListeners(): void {
		for (const listener of this.#listeners) listener();
	}
}
