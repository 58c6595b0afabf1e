// What the core takes from its surroundings instead of reaching for it: time, ids, logging, measuring.

export interface Clock {
	/** UTC milliseconds. */
	now(): number;
	/** Resolves after `delayMs`, or at once when `signal` aborts; never rejects. */
	sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Ids {
	/** A new id, unique across processes; also the id of an event. */
	next(): string;
}

/** Pino's shape, so that a pino logger is one. What is logged never holds a link, a secret or a query string. */
export interface Logger {
	trace(details: object, message: string): void;
	debug(details: object, message: string): void;
	info(details: object, message: string): void;
	warn(details: object, message: string): void;
	error(details: object, message: string): void;
}

/** Names are fixed and few; attributes hold ids and tags, never links or secrets. */
export interface Telemetry {
	count(name: string, attributes?: Readonly<Record<string, string>>): void;
	/** `value` carries its unit in the name, e.g. `reelkeep.receive.durationMs`. */
	record(name: string, value: number, attributes?: Readonly<Record<string, string>>): void;
}

/** Something that keeps Reelkeep from doing its whole job, in words that say what to do. */
export interface Problem {
	/** The part that says so: a plugin's name. */
	readonly source: string;
	readonly message: string;
	/**
	 * - `failing` (default): callbacks cannot be received
	 * - `degraded`: they can, and something else is not done as it must be
	 */
	readonly severity?: "failing" | "degraded";
}

export interface Health {
	/** What is wrong now; empty when ready. */
	check(): Promise<readonly Problem[]>;
}
