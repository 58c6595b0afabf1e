// Projections: a read model that is folded from the log by a pure `evolve`, kept up to date as the log grows, and saved
// together with its position, so that a start goes on where the last run stopped.

import { whenCaughtUp } from "./caught-up.js";
import { decodeEvent, type ReelkeepEvent, toUnknownEvent, type UnknownEvent } from "./events.js";
import { followLog } from "./follow.js";
import { describeError, observe } from "./observe.js";
import type { Waiting } from "./outwait.js";
import type { EventStore, Json, Position, RecordedEvent } from "./ports/event-store.js";
import type { Clock, Logger } from "./ports/runtime.js";
import type { SnapshotStore } from "./ports/snapshot-store.js";
import { createProgress } from "./progress.js";
import { isProjectionError, projectionError } from "./projection-error.js";
import { createProjectionSaver, type Folded, restoreProjection } from "./projection-snapshot.js";

const MAX_NAME_CHARACTERS = 256;

export interface ProjectionDefinition<State> {
	/** 1 to 256 characters; what is saved is found again by it. */
	readonly name: string;
	/** A whole number. Count it up when `evolve` or the state's shape changes: what was saved before is rebuilt. */
	readonly version: number;
	/** A new one for each call. */
	initialState(): State;
	/**
	 * Folds one event in. Deterministic, no side effects: returns another state, and leaves the one that it was given as it is.
	 * What it throws stops the projection: nothing is skipped. Where a copy costs too much it may change the state and return
	 * it, but then all that it throws must come before the first change, for nothing takes a change back.
	 */
	evolve(state: State, event: ReelkeepEvent): State;
	/** The same for types and schema versions that this release does not know. Default: they change nothing. */
	evolveUnknown?(state: State, event: UnknownEvent): State;
	/** Needed to save the state. */
	readonly codec?: StateCodec<State>;
}

export interface StateCodec<State> {
	toJson(state: State): Json;
	/** *Errors*: throws for what is no state; it is rebuilt then. */
	fromJson(json: Json): State;
}

export interface ProjectionDeps {
	readonly store: EventStore;
	/** Where the state is saved. Default: nowhere; it is rebuilt at each start. */
	readonly snapshots?: SnapshotStore;
	readonly clock: Clock;
	readonly logger: Logger;
}

/** A save writes the whole state: there is none before both are over. What was not saved is folded again at the next start. */
export interface ProjectionOptions {
	/** Events between two saves, at least. Default 1000. */
	readonly saveEveryEvents?: number;
	/** Time between two saves, at least. Default 60 000. */
	readonly saveEveryMs?: number;
}

export interface Projection<State> {
	readonly name: string;
	/** As of `position()`; to look at, not to change. After an `evolve` that changed it and then threw, it has half an event more. */
	state(): State;
	/** Of the last event that is folded in; `undefined`: none yet. */
	position(): Position | undefined;
	/** Why it stopped, in words; `undefined` while it has not. */
	problem(): string | undefined;
	/**
	 * Resolves when every event that is in the log now is folded in, or the projection was stopped; a fault of the log that passes
	 * is waited out. *Errors*: rejects as `ended`, or with a `StoreFault` that will not pass.
	 */
	whenCaughtUp(): Promise<void>;
	/** Saves the state and resolves. Idempotent. Call it before the store is closed. */
	stop(): Promise<void>;
	/**
	 * Resolves when the projection has ended. *Errors*: rejects when it cannot go on: with a `ProjectionError` when `evolve` threw or an
	 * event does not decode, with a `StoreFault` when the log cannot be read.
	 */
	readonly ended: Promise<void>;
}

/**
 * Makes a projection and starts it: from its snapshot, or from the start of the log when there is none that fits.
 * *Errors*: throws a `TypeError` or a `RangeError` for a definition or options that make no sense.
 * *Promise*: its state is `initialState` folded with every event up to `position()`, in order, each once; what is saved is so
 * whatever `evolve` does, what `state()` shows once it threw only when it had changed nothing.
 */
export function createProjection<State>(
	deps: ProjectionDeps,
	definition: ProjectionDefinition<State>,
	options: ProjectionOptions = {},
): Projection<State> {
	checkDefinition(definition);
	const saver = createProjectionSaver(deps, definition, options);
	const { name } = definition;
	const stopping = new AbortController();
	const { signal } = stopping;
	const progress = createProgress();
	let folded: Folded<State> = { state: definition.initialState() };
	let problem: string | undefined;

	const run = async (): Promise<void> => {
		folded = (await restoreProjection(deps, definition, signal)) ?? folded;
		if (folded.last !== undefined) progress.reach(folded.last.position);
		for await (const followed of followLog(deps, { after: folded.last?.position, signal })) {
			if (followed._tag === "Event") {
				folded = foldEvent(definition, folded, followed.event);
				saver.note();
				progress.reach(followed.event.position);
			}
			if (saver.isDue()) await saver.save(folded);
		}
		await saver.save(folded);
	};
	const ended = run();
	// Whoever looks at `ended` is told; that nobody looks is no unhandled rejection.
	ended.catch((error: unknown) => {
		problem = isProjectionError(error) ? error.message : `projection ${name} ended: ${describeError(error)}`;
		observe(() => deps.logger.error({ projection: name, problem }, "projection ended"));
	});
	const { store, clock, logger } = deps;
	const waiting: Waiting = { name, kind: "projection", clock, logger, signal, onWait: () => undefined };
	return {
		name,
		ended,
		state: () => folded.state,
		position: () => folded.last?.position,
		problem: () => problem,
		whenCaughtUp: () => whenCaughtUp({ store, progress, waiting, ended }),
		async stop() {
			stopping.abort();
			await ended.catch(() => undefined);
		},
	};
}

/**
 * Folds events into a projection's state, once and without following: for a command that reads and exits.
 * *Errors*: rejects with a `ProjectionError` when an event does not decode or `evolve` throws, and with what `events` rejects with.
 */
export async function foldProjection<State>(
	definition: ProjectionDefinition<State>,
	events: AsyncIterable<RecordedEvent>,
): Promise<State> {
	let folded: Folded<State> = { state: definition.initialState() };
	for await (const event of events) folded = foldEvent(definition, folded, event);
	return folded.state;
}

function foldEvent<State>(
	definition: ProjectionDefinition<State>,
	{ state, last }: Folded<State>,
	recorded: RecordedEvent,
): Folded<State> {
	const { id, position } = recorded;
	try {
		return {
			state: evolveAny(definition, state, recorded),
			last: { id, position, previous: last?.position },
		};
	} catch (error) {
		throw projectionError(definition.name, recorded, error);
	}
}

function evolveAny<State>(
	definition: ProjectionDefinition<State>,
	state: State,
	recorded: RecordedEvent,
): State {
	const event = decodeEvent(recorded);
	if (event !== undefined) return definition.evolve(state, event);
	if (definition.evolveUnknown === undefined) return state;
	return definition.evolveUnknown(state, toUnknownEvent(recorded));
}

function checkDefinition({ name, version }: Pick<ProjectionDefinition<never>, "name" | "version">): void {
	if (name === "" || name.length > MAX_NAME_CHARACTERS) {
		throw new TypeError(`a projection's name has 1 to ${MAX_NAME_CHARACTERS} characters`);
	}
	if (!Number.isSafeInteger(version) || version < 0) {
		throw new RangeError("a projection's version is 0 or a positive integer");
	}
}
