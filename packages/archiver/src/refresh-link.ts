// Asks whoever may have a new link (`LinkRefresher`), within bounds, and records what it gives as `LinkRenewed`.

import { observe, type Recording, renewLink } from "@reelkeep/core";
import type {
	Clock,
	EventStore,
	Ids,
	Keyring,
	LinkRefresher,
	Logger,
	RefreshedLink,
	RefreshReason,
	StreamName,
} from "@reelkeep/core/ports";
import { describeError } from "./describe-error.js";
import type { PendingRecording } from "./pending.js";

/** A refresher talks to a service: it holds up one download's place for so long at most. */
const TIMEOUT_MS = 30_000;
/** A recording is not asked for more often. */
const ASK_EVERY_MS = 60_000;

/** - `Failed`: it threw, took too long, or gave a link to something else; it is asked again later. */
export type RefreshAnswer = "Renewed" | "None" | "Failed";

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

/** Makes what asks the refresher. It never rejects but for the event store's and the keyring's faults. */
export function createAskForLink(deps: RefreshDeps): AskForLink {
	const asked = new Map<StreamName, { readonly at: number; readonly answer: RefreshAnswer }>();
	return async (pending, recording, { reason, signal }) => {
		const { stream, metadata, deadline } = pending;
		const now = deps.clock.now();
		const last = asked.get(stream);
		if (last !== undefined && now - last.at < ASK_EVERY_MS && now >= last.at) {
			// The link of a moment ago is dead already: the next one has to wait.
			return last.answer === "Renewed" ? "Failed" : last.answer;
		}
		const answer = await ask();
		asked.delete(stream);
		asked.set(stream, { at: now, answer });
		forgetOld(asked, now);
		return answer;

		async function ask(): Promise<RefreshAnswer> {
			if (recording.reported === undefined) return "None";
			const { projectId, trackInfo, gameId, accountId, accountDomain, object } = recording.reported;
			const request = {
				stream,
				projectId,
				trackInfo,
				gameId,
				accountId,
				accountDomain,
				object,
				deadline,
				reason,
			};
			const refreshed = await inTime(deps, signal, (limit) =>
				deps.refresher.refresh(request, { signal: limit }),
			);
			if (refreshed === "failed") {
				observe(() => deps.logger.warn({ stream, reason }, "the link refresher failed"));
				return "Failed";
			}
			// `null` comes from who writes JavaScript.
			if (refreshed === undefined || refreshed === null) return "None";
			const result = await renewLink(deps, stream, refreshed, { metadata });
			if (result === "NotTheSame") {
				observe(() => deps.logger.warn({ stream }, "the link refresher gave a link to another object"));
				return "Failed";
			}
			return result === "LinkRenewed" ? "Renewed" : "None";
		}
	};
}

async function inTime(
	{ clock, logger }: Pick<RefreshDeps, "clock" | "logger">,
	signal: AbortSignal,
	refresh: (signal: AbortSignal) => Promise<RefreshedLink | undefined>,
): Promise<RefreshedLink | undefined | "failed"> {
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

/** What was asked longer ago would be asked again anyway. The oldest come first. */
function forgetOld(asked: Map<StreamName, { readonly at: number }>, now: number): void {
	for (const [stream, { at }] of asked) {
		if (now - at < ASK_EVERY_MS) return;
		asked.delete(stream);
	}
}
