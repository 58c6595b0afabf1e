// The projection that the archiver works from: recordings without a terminal fact. A pure fold of the log, rebuilt from
// its start; never a delivery, so nothing is lost by a checkpoint and nothing waits behind a slow video.

import { decodeEvent, type LinkRenewed, parseLink, type ReelkeepEvent } from "@reelkeep/core";
import type { EventMetadata, RecordedEvent, StreamName } from "@reelkeep/core/ports";
import { storedFailureKind } from "./failure.js";

/**
 * One unfinished recording, as far as ordering its work needs it; its links stay in the log.
 * *Shape*: below 1 KiB of memory, plus a message of at most 300 characters while it fails.
 */
export interface PendingRecording {
	readonly stream: StreamName;
	/** When the last of its links dies; UTC milliseconds. */
	readonly deadline: number;
	/** The host that its links name. */
	readonly host: string;
	readonly newestLink: string;
	/** Failed attempts since the newest link was reported. */
	readonly attempts: number;
	/** How often in a row the origin has said no. */
	readonly refusals: number;
	/** UTC milliseconds; absent: due at once. */
	readonly nextAttemptAt?: number;
	readonly failure?: { readonly reason: string; readonly message: string };
	/** What its events follow from. */
	readonly metadata: EventMetadata;
}

/** The state of a stream before its first event, and again once its recording rests. */
export const initialPending: PendingRecording | undefined = undefined;

/** One failed attempt: from the log, or fresh from the archiver's own hands. */
export interface NotedFailure {
	/** Counted since the newest link was reported. */
	readonly attempt: number;
	readonly reason: string;
	readonly message: string;
	readonly nextAttemptAt?: number;
}

/**
 * Folds one event of a stream into what is pending of it; `undefined`: nothing. Pure. Events of other kinds, and of
 * types that this release does not know, change nothing.
 * *Errors*: throws a `TypeError` when a known event does not decode.
 */
export function evolvePending(
	pending: PendingRecording | undefined,
	recorded: RecordedEvent,
): PendingRecording | undefined {
	const event = decodeEvent(recorded);
	switch (event?.type) {
		case "RecordingReported":
		case "LinkRenewed":
		// It brings the newest link along: what was known of this recording is forgotten since it came to rest.
		case "VideoRemoved":
			return withLink(pending, event, event.data);
		case "ArchiveAttemptFailed":
			return evolveFailure(pending, event);
		case "RecordingArchived":
		case "LinkExpired":
		case "ArchiveAbandoned":
			return undefined;
		default:
			return pending;
	}
}

/**
 * Notes a failed attempt. The refusals in a row grow, or are over; a failure that the log told of first is counted once.
 */
export function noteFailure(pending: PendingRecording, failure: NotedFailure): PendingRecording {
	const { attempt, reason, message, nextAttemptAt } = failure;
	const { nextAttemptAt: _earlier, ...rest } = pending;
	const refusals = attempt > pending.attempts ? pending.refusals + 1 : pending.refusals;
	return {
		...rest,
		attempts: attempt,
		refusals: storedFailureKind(reason) === "object" ? refusals : 0,
		failure: { reason, message },
		...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
	};
}

/** A first link, another one, or the known one once more: whatever the earlier ones came to, the work starts afresh. */
function withLink(
	pending: PendingRecording | undefined,
	event: ReelkeepEvent,
	link: Pick<LinkRenewed, "downloadUrl" | "linkFingerprint" | "deadline">,
): PendingRecording {
	const correlationId = event.metadata.correlationId ?? event.id;
	return {
		stream: event.stream,
		deadline: Math.max(link.deadline.at, pending?.deadline ?? link.deadline.at),
		host: parseLink(link.downloadUrl)?.host ?? "",
		newestLink: link.linkFingerprint,
		attempts: 0,
		refusals: 0,
		metadata: { ingress: "archiver", correlationId, causationId: event.id },
	};
}

/**
 * A failure that is known already (the archiver notes its own at once) or that is about an older link changes nothing.
 * What was ours to mend may have been mended by a restart: the next attempt is due at once.
 */
function evolveFailure(
	pending: PendingRecording | undefined,
	{ data }: Extract<ReelkeepEvent, { readonly type: "ArchiveAttemptFailed" }>,
): PendingRecording | undefined {
	if (pending === undefined || data.attempt <= pending.attempts) return pending;
	if (data.linkFingerprint !== pending.newestLink) return pending;
	const { nextAttemptAt, ...failure } = data;
	const isOurs = storedFailureKind(data.reason) === "ours";
	return noteFailure(
		pending,
		isOurs || nextAttemptAt === undefined ? failure : { ...failure, nextAttemptAt },
	);
}
