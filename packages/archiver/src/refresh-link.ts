// Asks whoever may have a new link (`LinkRefresher`), within bounds, and records what it gives as `LinkRenewed`.

import { observe, type Recording, renewLink } from "@reelkeep/core";
import {
	type Clock,
	type EventMetadata,
	type EventStore,
	type Ids,
	isKeyringFault,
	isStoreFault,
	type Keyring,
	type LinkRefresher,
	type Logger,
	type RefreshedLink,
	type RefreshReason,
	type RefreshRequest,
	type StreamName,
} from "@reelkeep/core/ports";
import { describeError } from "./describe-error.js";
import type { DiskSpace } from "./disk-space.js";
import { type Failure, failureOf, type LinkFailure, storedFailureKind } from "./failure.js";
import type { PendingRecording } from "./pending.js";

/** A refresher talks to a service: it holds up one download's place for so long at most. */
const TIMEOUT_MS = 30_000;
/** A recording is not asked for more often, for the same reason. */
const ASK_EVERY_MS = 60_000;
/** Who was silent or rejected is asked for no recording: each would hold the place of one whose link lives. */
const PAUSE_MS = 60_000;

/**
 * - `None`: there is none, or it may not be recorded
 * - `Failed`: it threw, took too long or did so a moment ago, or gave a link to something else; it is asked again later
 * - `Stopped`: `signal` aborted before it could answer, so nothing is known
 */
export type RefreshAnswer = "Renewed" | "None" | "Failed" | "Stopped";

export type AskForLink = (
	pending: PendingRecording,
	recording: Recording,
	options: { readonly reason: RefreshReason; readonly signal: AbortSignal },
) => Promise<RefreshAnswer>;

export interface RefreshDeps {
	readonly refresher: LinkRefresher;
	readonly store: EventStore;
	readonly keyring: Keyring;
	readonly clock: Clock;
	readonly ids: Ids;
	readonly logger: Logger;
}

interface Asked {
	readonly at: number;
	readonly answer: RefreshAnswer;
}

/** Makes what asks the refresher. It never rejects but for the event store's faults. */
export function createAskForLink(deps: RefreshDeps): AskForLink {
	const { clock, logger } = deps;
	const asked = new Map<string, Asked>();
	const circuit = createCircuit(clock);

	const ask = async (
		request: RefreshRequest,
		{ metadata }: PendingRecording,
		signal: AbortSignal,
	): Promise<RefreshAnswer> => {
		const { stream, reason } = request;
		const refreshed = await circuit.run(signal, () =>
			inTime(deps, signal, (limit) => deps.refresher.refresh(request, { signal: limit })),
		);
		// `null` comes from who writes JavaScript.
		const isLink = refreshed !== "failed" && refreshed !== undefined && refreshed !== null;
		if (signal.aborted && !isLink) return "Stopped";
		if (refreshed === "failed") {
			observe(() => logger.warn({ stream, reason }, "the link refresher failed"));
			return "Failed";
		}
		return isLink ? record(deps, stream, refreshed, metadata) : "None";
	};

	return async (pending, recording, { reason, signal }) => {
		if (signal.aborted) return "Stopped";
		if (recording.reported === undefined) return "None";
		const { stream, deadline } = pending;
		const key = `${reason} ${stream}`;
		const now = clock.now();
		const last = asked.get(key);
		if (last !== undefined && isWithin(ASK_EVERY_MS, last.at, now)) {
			// The link of a moment ago is dead already: the next one has to wait.
			return last.answer === "Renewed" ? "Failed" : last.answer;
		}
		if (!circuit.admits()) return "Failed";
		const { projectId, trackInfo, gameId, accountId, accountDomain, object } = recording.reported;
		const facts = { projectId, trackInfo, gameId, accountId, accountDomain, object };
		const answer = await ask({ stream, ...facts, deadline, reason }, pending, signal);
		if (signal.aborted && answer !== "Renewed") return "Stopped";
		asked.delete(key);
		asked.set(key, { at: now, answer });
		forgetOld(asked, now);
		return answer;
	};
}

export interface RenewalDeps {
	readonly askForLink: AskForLink;
	readonly space: DiskSpace;
}

/** `Failed`: there is no new link now; with what that makes of the failure. */
export type Renewal =
	| { readonly _tag: "Failed"; readonly failure: LinkFailure }
	| { readonly _tag: "Overtaken" }
	| { readonly _tag: "Stopped" };

/** A recording takes few new links, and while something of ours is in the way they die unused — unless it is the link itself. */
export function isWorthANewLink({ failure }: PendingRecording): boolean {
	if (failure === undefined || failure.reason === "sealed") return true;
	return storedFailureKind(failure.reason) !== "ours";
}

/**
 * Before a link that its origin refuses costs a recording, whoever may have a new one is asked. A dead link tells nothing of
 * the disk that was in the way before, so that is looked at first.
 */
export async function besidesRenewal(
	deps: RenewalDeps,
	pending: PendingRecording,
	recording: Recording,
	{ failure, signal }: { readonly failure: LinkFailure; readonly signal: AbortSignal },
): Promise<Renewal> {
	if (failure.reason !== "expired" && failure.reason !== "refused") return { _tag: "Failed", failure };
	const { linkFingerprint } = failure;
	const full = await stillFull(deps, pending);
	if (full !== undefined) return { _tag: "Failed", failure: { ...full, linkFingerprint } };
	const answer = await deps.askForLink(pending, recording, { reason: "dead", signal });
	switch (answer) {
		case "Renewed":
			return { _tag: "Overtaken" };
		case "Stopped":
			return { _tag: "Stopped" };
		case "None":
			return { _tag: "Failed", failure };
		case "Failed": {
			const message = `${failure.message}; the link refresher failed`;
			return { _tag: "Failed", failure: { ...failureOf("refresher", message), linkFingerprint } };
		}
	}
}

/** The disk was in the way of the last attempt, and takes not one byte still. */
async function stillFull({ space }: RenewalDeps, pending: PendingRecording): Promise<Failure | undefined> {
	const reason = pending.failure?.reason;
	if (reason !== "storage" && reason !== "no-room") return undefined;
	try {
		const room = await space.reserve(1);
		if (room._tag === "Short") return failureOf("storage", room.message);
		room.release();
		return undefined;
	} catch (error) {
		return failureOf("storage", isStoreFault(error) ? error.message : "the video store failed");
	}
}

/** Says in the log that there is a new link. What keeps it from being said is no reason not to try the links at hand. */
async function record(
	deps: RefreshDeps,
	stream: StreamName,
	refreshed: RefreshedLink,
	metadata: EventMetadata,
): Promise<RefreshAnswer> {
	const { logger } = deps;
	try {
		const result = await renewLink(deps, stream, refreshed, { metadata });
		switch (result) {
			case "LinkRenewed":
				return "Renewed";
			case "NotNeeded":
				return "None";
			case "TooMany":
				observe(() => logger.warn({ stream }, "the link refresher gave a link, and there were too many"));
				return "None";
			case "NotTheSame":
				observe(() => logger.warn({ stream }, "the link refresher gave a link to another object"));
				return "Failed";
		}
	} catch (error) {
		if (!isKeyringFault(error)) throw error;
		observe(() => logger.warn({ stream, error: describeError(error) }, "a new link cannot be sealed"));
		return "Failed";
	}
}

type InTime = RefreshedLink | undefined | "failed";

async function inTime(
	{ clock, logger }: Pick<RefreshDeps, "clock" | "logger">,
	signal: AbortSignal,
	refresh: (signal: AbortSignal) => Promise<RefreshedLink | undefined>,
): Promise<InTime> {
	const limit = new AbortController();
	const stop = (): void => limit.abort("over");
	signal.addEventListener("abort", stop, { once: true });
	if (signal.aborted) stop();
	const late = clock.sleep(TIMEOUT_MS, limit.signal).then(() => "failed" as const);
	try {
		return await Promise.race([refresh(limit.signal), late]);
	} catch (error) {
		observe(() => logger.debug({ error: describeError(error) }, "the link refresher threw"));
		return "failed";
	} finally {
		stop();
		signal.removeEventListener("abort", stop);
	}
}

interface Circuit {
	/** Nothing failed, or so long ago that one may find out whether it would again; one at a time. */
	admits(): boolean;
	/** Runs what was admitted; what `signal` breaks off says nothing. */
	run(signal: AbortSignal, ask: () => Promise<InTime>): Promise<InTime>;
}

function createCircuit(clock: Clock): Circuit {
	let failedAt: number | undefined;
	let isProbed = false;
	return {
		admits: () => failedAt === undefined || (!isProbed && !isWithin(PAUSE_MS, failedAt, clock.now())),
		async run(signal, ask) {
			const isProbe = failedAt !== undefined;
			if (isProbe) isProbed = true;
			const answer = await ask();
			if (isProbe) isProbed = false;
			if (answer !== "failed") failedAt = undefined;
			else if (!signal.aborted) failedAt = clock.now();
			return answer;
		},
	};
}

/** A clock that was set back makes nobody wait. */
function isWithin(durationMs: number, since: number, now: number): boolean {
	return now >= since && now - since < durationMs;
}

/** What was asked longer ago would be asked again anyway. The oldest come first. */
function forgetOld(asked: Map<string, Asked>, now: number): void {
	for (const [key, { at }] of asked) {
		if (now - at < ASK_EVERY_MS) return;
		asked.delete(key);
	}
}
