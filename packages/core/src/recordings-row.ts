// One row of the `recordings` read model: a recording as its decider sees it, without its links, which are secrets.

import * as t from "io-ts";
import { type Deadline, latestDeadline } from "./deadline.js";
import { type ReelkeepEvent, VideoReceipt } from "./events.js";
import type { Position, StreamName } from "./ports/event-store.js";
import { freezeDeep } from "./ports/freeze-deep.js";
import { isPosition } from "./ports/position.js";
import { evolve, initialRecording, type Recording } from "./recording.js";
import type { RecordingLink } from "./recording-command.js";

export type RowDeadline = Pick<Deadline, "at" | "source">;

type Shown = Pick<
	Recording,
	| "state"
	/** Absent: the first report was lost to a damage of the log, and what came later was not. */
	| "reported"
	| "renewals"
	| "failedAttempts"
	| "nextAttemptAt"
	| "lastFailure"
	| "receipt"
	| "cause"
>;

/** What became of one recording. Plain JSON, deeply frozen. */
export interface RecordingRow extends Shown {
	readonly stream: StreamName;
	/** Of its first event: rows stand in this order, and keep their place. */
	readonly position: Position;
	/** When its first and its last event were recorded, UTC milliseconds. */
	readonly recordedAt: number;
	readonly changedAt: number;
	/** When the last of its links dies: until then its video can still be kept. */
	readonly deadline?: RowDeadline;
	/** Of its newest links, oldest first; 17 at most. */
	readonly linkDeadlines: readonly RowDeadline[];
}

/** Whether an event is about a recording. */
export function isOfRecording({ type }: ReelkeepEvent): boolean {
	return type !== "CallbackQuarantined" && type !== "CallbackRedriven" && type !== "LogRepaired";
}

/** Folds one event of a recording into its row; `undefined`: it is its first. Pure: the decider's `evolve` decides. */
export function evolveRow(row: RecordingRow | undefined, event: ReelkeepEvent): RecordingRow {
	const { stream, position, recordedAt } = row ?? event;
	const links = (row?.linkDeadlines ?? []).map(toLink);
	const recording = evolve({ ...initialRecording, ...(row && shown(row)), links }, event);
	const linkDeadlines = recording.links.map(({ deadline: { at, source } }) => ({ at, source }));
	const deadline = latestDeadline(recording.links);
	return freezeDeep({
		stream,
		position,
		recordedAt,
		changedAt: event.recordedAt,
		...shown(recording),
		...(deadline === undefined ? {} : { deadline: { at: deadline.at, source: deadline.source } }),
		linkDeadlines,
	});
}

function shown(recording: Shown): Shown {
	const { state, reported, renewals, failedAttempts, nextAttemptAt, lastFailure, receipt, cause } = recording;
	return {
		state,
		renewals,
		failedAttempts,
		...(reported === undefined ? {} : { reported }),
		...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
		...(lastFailure === undefined ? {} : { lastFailure }),
		...(receipt === undefined ? {} : { receipt }),
		...(cause === undefined ? {} : { cause }),
	};
}

/** As much of a link as `evolve` looks at. */
function toLink({ at, source }: RowDeadline): RecordingLink {
	const deadline = { at, source, ignored: [] };
	return { downloadUrl: "", sealedUrl: "", linkFingerprint: "", expireTime: 0, deadline };
}

const PositionCodec = new t.Type<Position>(
	"Position",
	isPosition,
	(value, context) => (isPosition(value) ? t.success(value) : t.failure(value, context)),
	t.identity,
);
const RowDeadlineCodec = t.type({
	at: t.number,
	source: t.keyof({ expire_time: null, link: null, cap: null }),
});
const RowCodec = t.intersection([
	t.type({
		stream: t.string,
		position: PositionCodec,
		recordedAt: t.number,
		changedAt: t.number,
		state: t.keyof({ unreported: null, pending: null, archived: null, expired: null, abandoned: null }),
		renewals: t.number,
		failedAttempts: t.number,
		linkDeadlines: t.readonlyArray(RowDeadlineCodec),
	}),
	t.partial({
		reported: t.type({
			projectId: t.string,
			trackInfo: t.string,
			object: t.string,
			gameId: t.string,
			accountDomain: t.number,
			accountId: t.string,
		}),
		nextAttemptAt: t.number,
		lastFailure: t.string,
		receipt: VideoReceipt,
		cause: t.string,
		deadline: RowDeadlineCodec,
	}),
]);

/** The row that JSON holds. *Errors*: throws a `TypeError` when it holds none. */
export function toRow(json: unknown): RecordingRow {
	if (!RowCodec.is(json)) throw new TypeError("this is no row of the recordings");
	return freezeDeep(json);
}
