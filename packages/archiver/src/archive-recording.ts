// One attempt for one recording: adopt what is kept already, else try its links, then say in the log what came of it.

import {
	execute,
	loadRecording,
	observe,
	openLink,
	type Recording,
	type RecordingCommand,
	type RecordingLink,
	receiptOfFound,
	recordingDeadline,
	type VideoReceipt,
} from "@reelkeep/core";
import {
	type Clock,
	type EventStore,
	type Ids,
	isKeyringFault,
	isStoreFault,
	type Keyring,
	type StreamName,
} from "@reelkeep/core/ports";
import { describeError } from "./describe-error.js";
import {
	decisiveFailure,
	failureKind,
	failureOf,
	isWorthAnotherLink,
	type LinkFailure,
	wasTried,
} from "./failure.js";
import { type DownloadWatch, type KeepResult, type KeepVideoDeps, keepVideo } from "./keep-video.js";
import type { NotedFailure, PendingRecording } from "./pending.js";
import { type AskForLink, besidesRenewal, isWorthANewLink } from "./refresh-link.js";
import { replacing } from "./replace-video.js";
import { decideNextStep, isLastChance, type NextStep, type RetryPolicy } from "./retry.js";

export interface ArchiveDeps extends KeepVideoDeps {
	readonly store: EventStore;
	readonly keyring: Keyring;
	readonly clock: Clock;
	readonly ids: Ids;
	readonly retryPolicy: RetryPolicy;
	/** Asks whoever may have a new link. */
	readonly askForLink: AskForLink;
}

export interface AttemptOptions {
	readonly signal: AbortSignal;
	readonly watch: DownloadWatch;
	/** By what is known, the link dies before the video could be kept: a new one is asked for first. */
	readonly isDying: boolean;
}

export type AttemptResult =
	/** The recording is in its terminal fact now, or was before. */
	| {
			readonly _tag: "Rested";
			readonly state: "archived" | "expired" | "abandoned";
			/** Fingerprints of the links that it rests with; a newer one may reopen it any time. */
			readonly links: readonly string[];
			readonly bytes?: number;
	  }
	| {
			readonly _tag: "Deferred";
			readonly newestLink: string;
			readonly failure: NotedFailure;
			/** As the origin asked for. */
			readonly retryAfterMs?: number;
	  }
	/** A new link came in meanwhile, so nothing was said: its turn is next. */
	| { readonly _tag: "Overtaken" }
	/** Others can be kept in its time, and it cannot. */
	| { readonly _tag: "GaveWay" }
	| { readonly _tag: "Stopped" };

type LinksResult =
	| { readonly _tag: "Kept"; readonly receipt: VideoReceipt; readonly adopted: boolean }
	| { readonly _tag: "Failed"; readonly failures: readonly LinkFailure[] }
	| { readonly _tag: "GaveWay" }
	| { readonly _tag: "Stopped" };

/**
 * Attempts to keep one recording's video.
 * *Errors*: rejects with the event store's `StoreFault`: the attempt then counts for nothing, and what was committed is
 * adopted by the next.
 * *Promise*: `RecordingArchived` is appended only after the store's commit resolved; a recording that rests already is
 * left alone, so that of several archivers one is heard.
 */
export async function archiveRecording(
	deps: ArchiveDeps,
	pending: PendingRecording,
	options: AttemptOptions,
): Promise<AttemptResult> {
	const { stream } = pending;
	const { recording } = await loadRecording(deps.store, stream);
	if (recording.state === "unreported") return { _tag: "Overtaken" };
	const links = fingerprintsOf(recording);
	if (recording.state !== "pending") return { _tag: "Rested", state: recording.state, links };
	const found = await findKept(deps, stream, recording);
	const adopted = found._tag === "Other" || found._tag === "None" ? undefined : found;
	if (adopted === undefined && options.isDying && isWorthANewLink(pending)) {
		const answer = await deps.askForLink(pending, recording, { reason: "dying", signal: options.signal });
		if (answer === "Renewed") return { _tag: "Overtaken" };
		if (answer === "Stopped") return { _tag: "Stopped" };
	}
	const videoStore = found._tag === "Other" ? replacing(deps.videoStore, found.location) : deps.videoStore;
	const result = adopted ?? (await tryLinks({ ...deps, videoStore }, stream, recording, options));
	switch (result._tag) {
		case "Stopped":
		case "GaveWay":
			return result;
		case "Kept": {
			const { receipt, adopted } = result;
			await say(deps, pending, { _tag: "ArchiveRecording", receipt, adopted });
			return { _tag: "Rested", state: "archived", links, bytes: receipt.bytes };
		}
		case "Failed":
			return settleFailures(deps, pending, recording, { failures: result.failures, signal: options.signal });
	}
}

/**
 * A complete file without its event: from a process that died between the two. Commits are create-only, so it is whole —
 * unless it lies where a video was removed, and is another one than that: brought back, it may have been cut short.
 */
async function findKept(
	deps: ArchiveDeps,
	stream: StreamName,
	recording: Recording,
): Promise<LinksResult | { readonly _tag: "None" } | { readonly _tag: "Other"; readonly location: string }> {
	try {
		const video = await deps.videoStore.stat(stream);
		if (video === undefined) return { _tag: "None" };
		const receipt = receiptOfFound(recording, video);
		if (receipt !== undefined) return { _tag: "Kept", receipt, adopted: true };
		const { location } = video;
		const details = { stream, location };
		observe(() => deps.logger.warn(details, "another file lies in a removed video's place; downloading it"));
		return { _tag: "Other", location };
	} catch (error) {
		observe(() => deps.logger.error({ stream, error: describeError(error) }, "the video store failed"));
		const message = isStoreFault(error) ? error.message : "the video store failed";
		const linkFingerprint = recording.links.at(-1)?.linkFingerprint ?? "";
		return { _tag: "Failed", failures: [{ ...failureOf("storage", message), linkFingerprint }] };
	}
}

/** Newest link first: the older ones are closer to their end, and a new one was sent for a reason. */
async function tryLinks(
	deps: ArchiveDeps,
	stream: StreamName,
	recording: Recording,
	options: AttemptOptions,
): Promise<LinksResult> {
	const isLast = isLastChance(deadlineOf(recording), deps.clock.now(), deps.retryPolicy);
	const failures: LinkFailure[] = [];
	for (const link of [...recording.links].reverse()) {
		const result = await tryLink(deps, stream, link, options);
		if (result._tag !== "Failed") return result;
		failures.push({ ...result.failure, linkFingerprint: link.linkFingerprint });
		if (!isWorthAnotherLink(result.failure.reason, isLast)) break;
	}
	return { _tag: "Failed", failures };
}

async function tryLink(
	deps: ArchiveDeps,
	stream: StreamName,
	link: RecordingLink,
	{ signal, watch }: AttemptOptions,
): Promise<KeepResult> {
	let opened: string;
	try {
		opened = await openLink(deps.keyring, stream, link);
	} catch (error) {
		observe(() => deps.logger.error({ stream, error: describeError(error) }, "a link cannot be opened"));
		const message = isKeyringFault(error) ? error.message : "the keyring failed";
		return { _tag: "Failed", failure: failureOf("sealed", message) };
	}
	return keepVideo(deps, stream, opened, signal, watch);
}

async function settleFailures(
	deps: ArchiveDeps,
	pending: PendingRecording,
	recording: Recording,
	{ failures, signal }: { readonly failures: readonly LinkFailure[]; readonly signal: AbortSignal },
): Promise<AttemptResult> {
	const decisive = decisiveFailure(failures);
	const newestLink = recording.links.at(-1)?.linkFingerprint;
	if (decisive === undefined || newestLink === undefined) return { _tag: "Overtaken" };
	const renewal = await besidesRenewal(deps, pending, recording, { failure: decisive, signal });
	if (renewal._tag !== "Failed") return renewal;
	const { failure } = renewal;
	// What was counted before a link that this attempt was the first to see counts no more.
	const counted = pending.newestLink === newestLink ? pending : { attempts: 0, refusals: 0 };
	const attempts = counted.attempts + 1;
	const step = decideNextStep(
		{
			...failure,
			attempts,
			refusals: failureKind(failure.reason) === "object" ? counted.refusals + 1 : 0,
			deadline: deadlineOf(recording),
			now: deps.clock.now(),
			random: deps.random(),
		},
		deps.retryPolicy,
	);
	const { reason, message } = failure;
	// An obstacle of ours that is still there says nothing new, and room for failures in a stream is small.
	const isKnown = failureKind(reason) === "ours" && message === recording.lastFailure;
	const command = commandFor(step, failure, failures);
	// Before the end is said: nobody comes back to a recording that rests, whatever happens to this process.
	if (step._tag !== "Retry") await dropPartial(deps, pending.stream);
	const outcome = isKnown ? "Ignored" : (await say(deps, pending, command)).outcome;
	if (step._tag === "Retry") {
		const noted = { attempt: attempts, reason, message, nextAttemptAt: step.at };
		const { retryAfterMs } = failure;
		return {
			_tag: "Deferred",
			newestLink,
			failure: noted,
			...(retryAfterMs === undefined ? {} : { retryAfterMs }),
		};
	}
	if (outcome === "Ignored") return { _tag: "Overtaken" };
	const links = fingerprintsOf(recording);
	return { _tag: "Rested", state: step._tag === "Expire" ? "expired" : "abandoned", links };
}

/** A recording that rests without its video holds no place on the disk. */
async function dropPartial({ videoStore, logger }: ArchiveDeps, stream: StreamName): Promise<void> {
	try {
		await videoStore.removePartial(stream);
	} catch (error) {
		observe(() => logger.warn({ stream, error: describeError(error) }, "a partial video cannot be removed"));
	}
}

function commandFor(
	step: NextStep,
	{ reason, message, linkFingerprint }: LinkFailure,
	failures: readonly LinkFailure[],
): RecordingCommand {
	// What is ours to mend decides before anything else, so a recording that comes to rest had all of these really tried.
	const tried = failures.map((each) => each.linkFingerprint);
	switch (step._tag) {
		case "Retry":
			return {
				_tag: "RecordFailedAttempt",
				reason,
				message,
				linkFingerprint,
				tried: wasTried(reason),
				nextAttemptAt: step.at,
			};
		case "Expire":
			return { _tag: "ExpireLink", cause: step.cause, message, tried };
		case "Abandon":
			return { _tag: "AbandonArchive", cause: step.cause, message, tried };
	}
}

function say(deps: ArchiveDeps, { stream, metadata }: PendingRecording, command: RecordingCommand) {
	return execute(deps, stream, command, { metadata });
}

function fingerprintsOf({ links }: Recording): readonly string[] {
	return links.map(({ linkFingerprint }) => linkFingerprint);
}

/** A reported recording has a link, and each link a deadline. */
function deadlineOf(recording: Recording): number {
	return recordingDeadline(recording)?.at ?? 0;
}
