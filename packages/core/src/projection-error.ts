// The error with which a projection stops at an event. Told by its tag, never by `instanceof`.

import { errorName } from "./observe.js";
import type { Position, RecordedEvent } from "./ports/event-store.js";

/** Its message holds no data of events; what `evolve` threw, which may, is its `cause`. Trying again does not help. */
export interface ProjectionError extends Error {
	readonly _tag: "ProjectionError";
	/** The projection's name. */
	readonly projection: string;
	/** Of the event that could not be folded in, and its id. */
	readonly position: Position;
	readonly eventId: string;
	readonly cause?: unknown;
}

class StoppedProjection extends Error implements ProjectionError {
	readonly _tag = "ProjectionError";
	override readonly name = "ProjectionError";
	readonly projection: string;
	readonly position: Position;
	readonly eventId: string;

	constructor(projection: string, { id, type, position }: RecordedEvent, cause: unknown) {
		const where = `projection ${projection} stopped at position ${position}`;
		const why = `event ${id} of type ${type} cannot be folded in (${errorName(cause)})`;
		super(`${where}: ${why}`, { cause });
		this.projection = projection;
		this.position = position;
		this.eventId = id;
	}
}

export function projectionError(projection: string, event: RecordedEvent, cause: unknown): ProjectionError {
	return new StoppedProjection(projection, event, cause);
}

/** Whether `error` is a `ProjectionError`, whichever copy of this package made it. */
export function isProjectionError(error: unknown): error is ProjectionError {
	return error instanceof Error && (error as { _tag?: unknown })._tag === "ProjectionError";
}
