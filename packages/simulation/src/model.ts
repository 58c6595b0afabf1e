// What must hold of the log: every append that was made, where it stands once anybody was told of it, and the laws that
// each event that is read must obey. Knows nothing of how the store works, only its port and docs/event-log-format.md.

import type {
	AppendResult,
	ExpectedVersion,
	NewEvent,
	RecordedEvent,
	StreamName,
} from "@reelkeep/core/ports";
import { isSameJson } from "./same-json.js";

/**
 * - `pending`: under way, or its process has ended
 * - `acknowledged`: it must be there
 * - `refused`: its precondition did not hold: it must not be there
 * - `rejected`: a fault: it may be there, whole
 * - `dead`: it was not there when a later owner looked: it must not come back
 */
type AppendState = "pending" | "acknowledged" | "refused" | "rejected" | "dead";

/** One call of `append`. */
export interface Submission {
	readonly stream: StreamName;
	readonly events: readonly NewEvent[];
	readonly expected: ExpectedVersion;
	/** The owner that it was made to. */
	readonly session: number;
	/** UTC milliseconds. */
	readonly at: number;
	/** What the stream and the log had for certain when the call was made. */
	readonly versionBefore: number;
	readonly positionBefore: number;
	state: AppendState;
	/** Where its first event stands, once anybody was told of one. */
	place: { readonly version: number; readonly position: number } | undefined;
	/** By event, once it was read. UTC milliseconds. */
	readonly recordedAt: (number | undefined)[];
}

interface Placed {
	readonly submission: Submission;
	readonly at: number;
}

/** Appends of which nobody knew whether they were done. */
export interface Settled {
	readonly there: number;
	readonly gone: number;
}

export class Model {
	readonly #report: (violation: string) => void;
	readonly #events = new Map<string, Placed>();
	readonly #positions = new Map<number, Placed>();
	/** By stream and version. */
	readonly #versions = new Map<StreamName, Map<number, Placed>>();
	/** How long a stream is for certain: as an answer told, or as its events were told. */
	readonly #lengths = new Map<StreamName, number>();
	#lastPosition = 0;

	constructor(report: (violation: string) => void) {
		this.#report = report;
	}

	/** The last position of which anybody was told. */
	get lastPosition(): number {
		return this.#lastPosition;
	}

	/** The last position that was durable when the last append was made, so that the log itself proves it. */
	get provenPosition(): number {
		return this.#positions.get(this.#lastPosition)?.submission.positionBefore ?? 0;
	}

	/** How many events `stream` has at least. */
	lengthOf(stream: StreamName): number {
		return this.#lengths.get(stream) ?? 0;
	}

	/** Every stream of which anybody was told. */
	get streams(): readonly StreamName[] {
		return [...this.#lengths.keys()];
	}

	get submissions(): readonly Submission[] {
		return [...new Set([...this.#events.values()].map(({ submission }) => submission))];
	}

	/** A model that knows the same and goes its own way; what it finds wrong it tells `report`. */
	fork(report: (violation: string) => void): Model {
		const fork = new Model(report);
		for (const submission of this.submissions) {
			const copy = { ...submission, recordedAt: [...submission.recordedAt] };
			fork.#register(copy);
			if (copy.place !== undefined) fork.#keep(copy, copy.place);
		}
		for (const [stream, length] of this.#lengths) fork.#lengths.set(stream, length);
		return fork;
	}

	/** Call it before the store is called. */
	submit(
		stream: StreamName,
		events: readonly NewEvent[],
		expected: ExpectedVersion,
		{ session, at }: { readonly session: number; readonly at: number },
	): Submission {
		const submission: Submission = {
			stream,
			events,
			expected,
			session,
			at,
			versionBefore: this.lengthOf(stream),
			positionBefore: this.#lastPosition,
			state: "pending",
			place: undefined,
			recordedAt: [],
		};
		this.#register(submission);
		return submission;
	}

	/** The store has answered. */
	answered(submission: Submission, result: AppendResult): void {
		if (result._tag === "Appended") this.#acknowledged(submission, result.version, Number(result.position));
		else this.#refused(submission, result.actualVersion);
	}

	/** The store has thrown a fault. */
	rejected(submission: Submission): void {
		submission.state = "rejected";
	}

	/** Somebody was shown `event`. `now`: UTC milliseconds. */
	seen(event: RecordedEvent, who: string, now: number): void {
		const found = this.#events.get(event.id);
		const what = `${who} sees ${event.id} at ${event.position}`;
		if (found === undefined) {
			this.#report(`${what}, which nobody appended`);
			return;
		}
		const { submission, at } = found;
		const submitted = submission.events[at];
		if (submission.state === "refused" || submission.state === "dead") {
			this.#report(`${what}, of an append that was ${submission.state}`);
		}
		const isSame =
			submitted !== undefined &&
			event.stream === submission.stream &&
			event.type === submitted.type &&
			event.schemaVersion === submitted.schemaVersion &&
			isSameJson(event.data, submitted.data) &&
			isSameJson(event.metadata, submitted.metadata);
		if (!isSame) this.#report(`${what}, and it is not what was appended`);
		const { recordedAt } = event;
		if (
			recordedAt < submission.at ||
			recordedAt > now ||
			recordedAt !== (submission.recordedAt[at] ?? recordedAt)
		) {
			this.#report(`${what}, recorded at another time than it was`);
		}
		submission.recordedAt[at] = recordedAt;
		this.#put(submission, { version: event.version - at, position: Number(event.position) - at }, what);
	}

	/**
	 * `events` is the whole log as the owner of `session` found it: nothing that anybody was told of is missing, and what
	 * earlier owners were asked to append and is not there will never be.
	 */
	checkLog(events: readonly RecordedEvent[], session: number): Settled {
		if (events.length < this.#lastPosition) {
			const lost = this.#positions.get(events.length + 1);
			const name = lost?.submission.events[lost.at]?.id;
			this.#report(
				`the log ends at ${events.length}; ${name} at ${events.length + 1} and what follows is lost`,
			);
		}
		const lengths = new Map<StreamName, number>();
		for (const { stream, version, id } of events) {
			const length = (lengths.get(stream) ?? 0) + 1;
			if (version !== length)
				this.#report(`${id} has version ${version} of ${stream}, and stands at ${length}`);
			lengths.set(stream, length);
		}
		for (const [stream, length] of this.#lengths) {
			const found = lengths.get(stream) ?? 0;
			if (found < length) this.#report(`${stream} has ${found} events, and somebody was told of ${length}`);
		}
		return this.#settle(session);
	}

	/** What was under way with an earlier owner is there now, or never will be. */
	#settle(session: number): Settled {
		const settled = { there: 0, gone: 0 };
		for (const submission of this.submissions) {
			const isOpen = submission.state === "pending" || submission.state === "rejected";
			if (!isOpen || submission.session >= session) continue;
			submission.state = submission.place === undefined ? "dead" : "acknowledged";
			settled[submission.place === undefined ? "gone" : "there"] += 1;
		}
		return settled;
	}

	#register(submission: Submission): void {
		for (const [at, { id }] of submission.events.entries()) this.#events.set(id, { submission, at });
	}

	#acknowledged(submission: Submission, version: number, position: number): void {
		const { events, expected, stream, versionBefore, positionBefore } = submission;
		const what = `the append of ${events[0]?.id} to ${stream} was acknowledged at ${position}`;
		submission.state = "acknowledged";
		const place = { version: version - events.length + 1, position: position - events.length + 1 };
		if (place.version <= versionBefore)
			this.#report(`${what}, version ${version}, and there were ${versionBefore}`);
		if (place.position <= positionBefore) this.#report(`${what}, and the log had ${positionBefore} before`);
		if (expected === "no-stream" && place.version !== 1) this.#report(`${what} though there was a stream`);
		this.#put(submission, place, what);
	}

	#refused(submission: Submission, actual: number): void {
		const { expected, stream, versionBefore, events } = submission;
		const what = `the append of ${events[0]?.id} to ${stream} was refused: there are ${actual} events`;
		if (submission.place !== undefined) this.#report(`${what}, and it was seen`);
		if (expected === "any" || actual === (expected === "no-stream" ? 0 : expected)) {
			this.#report(`${what}, and ${expected} was expected`);
		}
		if (actual < versionBefore) this.#report(`${what}, and there were ${versionBefore} before`);
		submission.state = "refused";
		this.#lengths.set(stream, Math.max(actual, this.lengthOf(stream)));
	}

	/** Once one event of an append is known, so are the places of all. */
	#put(
		submission: Submission,
		place: { readonly version: number; readonly position: number },
		what: string,
	): void {
		const { expected } = submission;
		const known = submission.place;
		if (known?.position === place.position && known.version === place.version) return;
		if (known !== undefined) {
			this.#report(`${what}, and it stood at ${known.position}, version ${known.version}`);
			return;
		}
		if (expected !== "any" && place.version !== (expected === "no-stream" ? 0 : expected) + 1) {
			this.#report(`${what}, version ${place.version}, and it expected ${expected}`);
		}
		for (const at of submission.events.keys()) {
			const atPosition = this.#positions.get(place.position + at);
			const atVersion = this.#versionsOf(submission.stream).get(place.version + at);
			for (const other of [atPosition, atVersion]) {
				if (other !== undefined)
					this.#report(`${what}, where ${other.submission.events[other.at]?.id} stands`);
			}
		}
		this.#keep(submission, place);
	}

	#keep(submission: Submission, place: { readonly version: number; readonly position: number }): void {
		const { stream, events } = submission;
		submission.place = place;
		for (const at of events.keys()) {
			this.#positions.set(place.position + at, { submission, at });
			this.#versionsOf(stream).set(place.version + at, { submission, at });
		}
		this.#lastPosition = Math.max(this.#lastPosition, place.position + events.length - 1);
		this.#lengths.set(stream, Math.max(this.lengthOf(stream), place.version + events.length - 1));
	}

	#versionsOf(stream: StreamName): Map<number, Placed> {
		const versions = this.#versions.get(stream) ?? new Map<number, Placed>();
		this.#versions.set(stream, versions);
		return versions;
	}
}
