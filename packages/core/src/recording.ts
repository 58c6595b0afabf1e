// The recording's decider: `decide(command, state)` and `evolve(state, event)`. Pure; time and sealed links come in.

import { latestDeadline } from "./deadline.js";
import type { DomainEvent, ReportContradicted, VideoReceipt } from "./events.js";
import type { StoredVideo } from "./ports/video-store.js";
import type {
	ArchiveRecording,
	RecordFailedAttempt,
	RecordingCommand,
	RecordingFacts,
	RecordingLink,
	RemoveVideo,
	ReportRecording,
} from "./recording-command.js";

/**
 * A stream's renewals and contradictions are bounded: a sender's loop must not grow it for ever. A recording takes so many
 * new links until it comes to rest; then all are dead, and any other one may be what rescues it.
 */
export const MAX_RENEWALS = 16;
/** Every rest and the link behind it took real tries, so a loop is slow by then; no link's death needs as many. */
export const MAX_RENEWALS_IN_ALL = 1_000;
export const MAX_CONTRADICTIONS = 16;
/** Failures are evidence, not a log: later ones say nothing new. */
export const MAX_RECORDED_FAILURES = 20;

/** - `pending`: reported, its video not kept yet; the other three are where a recording comes to rest. */
export type RecordingState = "unreported" | "pending" | "archived" | "expired" | "abandoned";

export interface Recording {
	readonly state: RecordingState;
	readonly reported?: RecordingFacts;
	/** The newest links, oldest first: `MAX_RENEWALS` + 1 at most, so all that were reported since it last came to rest. */
	readonly links: readonly RecordingLink[];
	/** Fingerprints of the links before these: known, and tried no more. */
	readonly olderLinks: readonly string[];
	/** New links since it was reported, or last reopened. */
	readonly renewals: number;
	/** Content fingerprints of the contradictions. */
	readonly contradictions: readonly string[];
	/** Fingerprints of the links that were really tried. */
	readonly triedLinks: readonly string[];
	/** Attempts that failed since the last reported link, and how many failures the stream holds in all. */
	readonly failedAttempts: number;
	readonly recordedFailures: number;
	readonly nextAttemptAt?: number;
	readonly lastFailure?: string;
	readonly receipt?: VideoReceipt;
	/** Of the video that was kept until it was removed; whatever lies in its place later is held against this. */
	readonly removed?: VideoReceipt;
	readonly cause?: string;
}

/** What became of a command; the first four are a report's. `Ignored`: the state has no room for it. */
export type DecisionOutcome =
	| "Reported"
	| "AlreadyReported"
	| "LinkRenewed"
	| "Contradicted"
	| "Accepted"
	| "Ignored";

export interface Decision {
	readonly outcome: DecisionOutcome;
	readonly events: readonly DomainEvent[];
}

export const initialRecording: Recording = {
	state: "unreported",
	links: [],
	olderLinks: [],
	renewals: 0,
	contradictions: [],
	triedLinks: [],
	failedAttempts: 0,
	recordedFailures: 0,
};

/** Decides what a command means for a recording. Pure and total. */
export function decide(command: RecordingCommand, recording: Recording): Decision {
	switch (command._tag) {
		case "ReportRecording":
			return decideReport(command, recording);
		case "RecordFailedAttempt":
			return decideFailedAttempt(command, recording);
		case "ArchiveRecording":
			return decideArchive(command, recording);
		case "ExpireLink": {
			const { cause, message } = command;
			const attempts = recording.failedAttempts + 1;
			return rest(recording, command, { type: "LinkExpired", data: { cause, message, attempts } });
		}
		case "AbandonArchive": {
			const { cause, message } = command;
			const attempts = recording.failedAttempts + 1;
			return rest(recording, command, { type: "ArchiveAbandoned", data: { cause, message, attempts } });
		}
		case "RemoveVideo":
			return decideRemoval(command, recording);
	}
}

/** Folds one recorded fact into the state. Pure and total; facts of other streams change nothing. */
export function evolve(recording: Recording, event: DomainEvent): Recording {
	switch (event.type) {
		case "RecordingReported": {
			const { gameId, accountDomain, accountId, projectId, trackInfo, object } = event.data;
			return {
				...initialRecording,
				state: "pending",
				reported: { gameId, accountDomain, accountId, projectId, trackInfo, object },
				links: [linkOf(event.data)],
			};
		}
		case "LinkRenewed":
			return {
				...without(recording, "nextAttemptAt", "cause"),
				...withLink(recording, linkOf(event.data)),
				state: recording.state === "archived" ? "archived" : "pending",
				renewals: isWithoutVideo(recording) ? 0 : recording.renewals + 1,
				failedAttempts: 0,
			};
		case "ReportContradicted":
			return { ...recording, contradictions: [...recording.contradictions, event.data.contentFingerprint] };
		case "ArchiveAttemptFailed": {
			const { nextAttemptAt, message } = event.data;
			return {
				...without(recording, "nextAttemptAt"),
				failedAttempts: recording.failedAttempts + 1,
				recordedFailures: recording.recordedFailures + 1,
				lastFailure: message,
				triedLinks: event.data.tried
					? [...recording.triedLinks, event.data.linkFingerprint]
					: recording.triedLinks,
				...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
			};
		}
		case "RecordingArchived":
			return {
				...without(recording, "nextAttemptAt", "cause", "removed"),
				state: "archived",
				receipt: event.data.receipt,
			};
		case "LinkExpired":
			return atRest(recording, "expired", event.data.message);
		case "ArchiveAbandoned":
			return atRest(recording, "abandoned", event.data.message);
		case "VideoRemoved":
			return {
				...without(recording, "nextAttemptAt", "cause", "receipt"),
				state: "pending",
				triedLinks: [],
				failedAttempts: 0,
				lastFailure: event.data.message,
				...(recording.receipt === undefined ? {} : { removed: recording.receipt }),
			};
		case "CallbackQuarantined":
		case "CallbackRedriven":
		case "LogRepaired":
			return recording;
	}
}

/**
 * The receipt of a video that is found kept, and that the log says nothing of. `undefined`: it lies where a video was removed,
 * and is another one than that: brought back, it may have been cut short. Pure.
 */
export function receiptOfFound(
	{ removed }: Pick<Recording, "removed">,
	{ location, bytes, sha256 }: StoredVideo,
): VideoReceipt | undefined {
	if (removed === undefined) return { location, bytes, sha256, lengthVerified: false };
	return removed.bytes === bytes && removed.sha256 === sha256 ? { ...removed, location } : undefined;
}

/** Whether a link is one that a recording does not know, and that it has a use for. */
export function isNewLink(recording: Recording, fingerprint: string): boolean {
	const isKnown =
		recording.olderLinks.includes(fingerprint) ||
		recording.links.some(({ linkFingerprint }) => linkFingerprint === fingerprint);
	return !isKnown && recording.state !== "archived";
}

function hasRoomForLink(recording: Recording): boolean {
	const { links, olderLinks, renewals } = recording;
	if (links.length + olderLinks.length > MAX_RENEWALS_IN_ALL) return false;
	return isWithoutVideo(recording) || renewals < MAX_RENEWALS;
}

function decideReport(command: ReportRecording, recording: Recording): Decision {
	const { facts, link, version, action } = command;
	const data = { ...facts, ...link, version, action };
	if (recording.reported === undefined) return decision("Reported", { type: "RecordingReported", data });
	const differs = differences(recording.reported, facts);
	if (differs.length > 0) {
		const contentFingerprint = command.contentFingerprint();
		const known = recording.contradictions.includes(contentFingerprint);
		const full = recording.contradictions.length >= MAX_CONTRADICTIONS;
		if (known || full) return decision("Contradicted");
		const contradiction: ReportContradicted = { ...data, differs, contentFingerprint };
		return decision("Contradicted", { type: "ReportContradicted", data: contradiction });
	}
	if (!isNewLink(recording, link.linkFingerprint) || !hasRoomForLink(recording)) {
		return decision("AlreadyReported");
	}
	const reopens = recording.state !== "pending";
	return decision("LinkRenewed", { type: "LinkRenewed", data: { ...link, reopens } });
}

function decideFailedAttempt(command: RecordFailedAttempt, recording: Recording): Decision {
	if (recording.state !== "pending" || recording.recordedFailures >= MAX_RECORDED_FAILURES) {
		return decision("Ignored");
	}
	const { _tag, ...failure } = command;
	return decision("Accepted", {
		type: "ArchiveAttemptFailed",
		data: { ...failure, attempt: recording.failedAttempts + 1 },
	});
}

function decideArchive(command: ArchiveRecording, recording: Recording): Decision {
	if (recording.state === "unreported" || recording.state === "archived") return decision("Ignored");
	return decision("Accepted", {
		type: "RecordingArchived",
		data: {
			receipt: command.receipt,
			adopted: command.adopted,
			attempts: recording.failedAttempts + (command.adopted ? 0 : 1),
		},
	});
}

/** Whether a link still lives is not asked: the next attempt finds out, and rests again if none does. */
function decideRemoval({ location, cause, message }: RemoveVideo, recording: Recording): Decision {
	const link = recording.links.at(-1);
	const deadline = latestDeadline(recording.links);
	const isKept = recording.state === "archived" && recording.receipt?.location === location;
	if (!isKept || link === undefined || deadline === undefined) return decision("Ignored");
	const { downloadUrl, linkFingerprint } = link;
	const data = { location, cause, message, downloadUrl, linkFingerprint, deadline };
	return decision("Accepted", { type: "VideoRemoved", data });
}

/** A recording comes to rest without its video only when every one of `links` was really tried. */
function rest(
	recording: Recording,
	{ tried }: { readonly tried: readonly string[] },
	event: DomainEvent,
): Decision {
	const known = new Set([...recording.triedLinks, ...tried]);
	const untried = recording.links.some(({ linkFingerprint }) => !known.has(linkFingerprint));
	return recording.state === "pending" && !untried ? decision("Accepted", event) : decision("Ignored");
}

/** It came to rest, and its video is not kept. */
function isWithoutVideo({ state }: Recording): boolean {
	return state === "expired" || state === "abandoned";
}

function withLink(recording: Recording, link: RecordingLink): Pick<Recording, "links" | "olderLinks"> {
	const links = [...recording.links, link];
	const olderCount = Math.max(links.length - (MAX_RENEWALS + 1), 0);
	const older = links.slice(0, olderCount).map(({ linkFingerprint }) => linkFingerprint);
	return { links: links.slice(olderCount), olderLinks: [...recording.olderLinks, ...older] };
}

function atRest(recording: Recording, state: "expired" | "abandoned", cause: string): Recording {
	const triedLinks = recording.links.map(({ linkFingerprint }) => linkFingerprint);
	return { ...without(recording, "nextAttemptAt"), state, cause, triedLinks };
}

function decision(outcome: DecisionOutcome, ...events: readonly DomainEvent[]): Decision {
	return { outcome, events };
}

function differences(reported: RecordingFacts, facts: RecordingFacts): readonly string[] {
	return (["gameId", "accountId", "accountDomain"] as const).filter((key) => reported[key] !== facts[key]);
}

function linkOf({
	downloadUrl,
	sealedUrl,
	linkFingerprint,
	expireTime,
	deadline,
}: RecordingLink): RecordingLink {
	return { downloadUrl, sealedUrl, linkFingerprint, expireTime, deadline };
}

function without<Key extends keyof Recording>(
	recording: Recording,
	...keys: readonly Key[]
): Omit<Recording, Key> {
	const copy: Partial<Recording> = { ...recording };
	for (const key of keys) delete copy[key];
	return copy as Omit<Recording, Key>;
}
