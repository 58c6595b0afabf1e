// What a projection saves and goes on from. Nothing that goes wrong here stops it: the log has everything.

import { describeError, observe } from "./observe.js";
import type { EventStore, Position } from "./ports/event-store.js";
import type { Snapshot } from "./ports/snapshot-store.js";
import type { ProjectionDefinition, ProjectionDeps, ProjectionOptions } from "./projection.js";

const DEFAULT_SAVE_EVERY_EVENTS = 1000;
const DEFAULT_SAVE_EVERY_MS = 60_000;

/** A state, and the last event that is in it: the two never part. */
export interface Folded<State> {
	readonly state: State;
	readonly last?: {
		readonly id: string;
		readonly position: Position;
		readonly previous: Position | undefined;
	};
}

/** What was saved, if it fits the definition and the log; `undefined`: the state is to be rebuilt. Never rejects. */
export async function restoreProjection<State>(
	{ store, snapshots, logger }: ProjectionDeps,
	{ name, version, codec }: ProjectionDefinition<State>,
	signal: AbortSignal,
): Promise<Folded<State> | undefined> {
	if (snapshots === undefined || codec === undefined) return undefined;
	const rebuilt = (why: string): undefined =>
		observe(() =>
			logger.warn({ projection: name, why }, "a projection is rebuilt from the log"),
		) as undefined;
	try {
		const snapshot = await snapshots.load(name);
		if (snapshot === undefined) return undefined;
		if (snapshot.version !== version) return rebuilt("it was saved by another version");
		if (!(await isOfLog(store, snapshot, signal))) return rebuilt("it was saved of another log");
		const { position, eventId, previous } = snapshot;
		return { state: codec.fromJson(snapshot.state), last: { id: eventId, position, previous } };
	} catch (error) {
		return signal.aborted ? undefined : rebuilt(`what was saved cannot be read: ${describeError(error)}`);
	}
}

/** Whether its last event stands where it stood: a log that was cut or replaced makes the state void. */
async function isOfLog(
	store: EventStore,
	{ position, eventId, previous }: Snapshot,
	signal: AbortSignal,
): Promise<boolean> {
	const after = previous === undefined ? {} : { after: previous };
	for await (const event of store.readAll({ ...after, limit: 1, signal })) {
		return event.position === position && event.id === eventId;
	}
	return false;
}

export interface ProjectionSaver<State> {
	/** Counts an event that is not saved yet. */
	note(): void;
	isDue(): boolean;
	/** Saves what is not saved yet. Never rejects: it is tried again when the next save is due. */
	save(folded: Folded<State>): Promise<void>;
}

/** *Errors*: throws a `RangeError` for options that make no sense, a `TypeError` for a state that cannot be saved. */
export function createProjectionSaver<State>(
	deps: ProjectionDeps,
	{ name, version, codec }: ProjectionDefinition<State>,
	options: ProjectionOptions,
): ProjectionSaver<State> {
	const { snapshots, clock, logger } = deps;
	const { saveEveryEvents = DEFAULT_SAVE_EVERY_EVENTS, saveEveryMs = DEFAULT_SAVE_EVERY_MS } = options;
	if (!Number.isSafeInteger(saveEveryEvents) || saveEveryEvents < 1) {
		throw new RangeError("saveEveryEvents must be a positive integer");
	}
	if (!(saveEveryMs >= 0)) throw new RangeError("saveEveryMs must be 0 or a positive number");
	if (snapshots !== undefined && codec === undefined) {
		throw new TypeError(
			`the state of projection ${name} can be saved only with a codec; or leave out snapshots`,
		);
	}
	let unsaved = 0;
	let triedAtMs = clock.now();
	let isTooLarge = false;
	const warn = (details: object, message: string): void =>
		observe(() => logger.warn({ projection: name, ...details }, message));
	return {
		note() {
			unsaved += 1;
		},
		// A clock that was set back must not put it off.
		isDue: () => unsaved >= saveEveryEvents && Math.abs(clock.now() - triedAtMs) >= saveEveryMs,
		async save({ state, last }) {
			if (snapshots === undefined || codec === undefined || last === undefined) return;
			if (unsaved === 0 || isTooLarge) return;
			triedAtMs = clock.now();
			const { id: eventId, position, previous } = last;
			const place = { version, position, eventId, ...(previous === undefined ? {} : { previous }) };
			try {
				const result = await snapshots.save(name, { ...place, state: codec.toJson(state) });
				if (result._tag === "Saved") unsaved = 0;
				else {
					isTooLarge = true;
					const { bytes, maxBytes } = result;
					warn(
						{ bytes, maxBytes },
						"a projection is too large to be saved; each start rebuilds it from the log",
					);
				}
			} catch (error) {
				warn({ error: describeError(error) }, "a projection cannot be saved; trying again later");
			}
		},
	};
}
