// From a link to the answer with the video: over its redirects, each checked as the link was (promise 9).

import type { OpenVideoResult, VideoUnavailable } from "@reelkeep/core/ports";
import { requestPreferringHttps, upgradeToHttps } from "./https-upgrade.js";
import { type LinkPolicy, readRedirect, refuseAddresses, refuseUrl } from "./link-policy.js";
import { requestPinned } from "./pinned-request.js";
import { type ResolveHost, resolveHost } from "./resolve-host.js";
import { isResumeOf, type Resume, rangeHeaders } from "./resume.js";
import { type AnswerLimits, readVideoAnswer } from "./video-answer.js";

/** A signed link redirects seldom, and never far. */
export const MAX_REDIRECTS = 3;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface FollowSettings extends LinkPolicy, AnswerLimits {
	/** For a name to be resolved; and again for a connection, with its TLS, to stand. */
	readonly connectTimeoutMs: number;
	readonly preferHttps: boolean;
	readonly resolve: ResolveHost;
}

export interface FollowOptions {
	/** The rest of which object is asked for; `undefined`: all of it. */
	readonly resume: Resume | undefined;
	readonly signal: AbortSignal;
}

/**
 * Opens the video behind `start`. Never rejects. An origin that does not go on with the object in `resume` is asked once
 * more, for all of it.
 */
export async function followLink(
	start: URL,
	{ resume, signal }: FollowOptions,
	settings: FollowSettings,
): Promise<OpenVideoResult> {
	// As the links say it: one that is asked over https all the same may redirect to http.
	let url = start;
	for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
		const target = await checkTarget(url, settings, signal);
		if (target._tag === "Unavailable") return target;
		const asked = { url, resume: resume !== undefined && isResumeOf(url, resume) ? resume : undefined };
		const headers = asked.resume === undefined ? {} : rangeHeaders(asked.resume);
		const { addresses, mayUpgrade } = target;
		const send = mayUpgrade ? requestPreferringHttps : requestPinned;
		const answer = await send({ ...settings, url, addresses, headers, signal });
		if (answer._tag === "NoAnswer")
			return unavailable(answer.isConnected ? "failed" : "unreachable", answer.message);
		const { response } = answer;
		if (!REDIRECTS.has(response.statusCode ?? 0)) {
			const opened = await readVideoAnswer(answer, asked, settings);
			if (opened._tag !== "Restart") return opened;
			return followLink(start, { resume: undefined, signal }, settings);
		}
		response.destroy();
		const redirect = readRedirect(url, response.headers.location);
		if (redirect._tag === "Refuse") return unavailable("not-allowed", redirect.message);
		url = redirect.url;
	}
	return unavailable("failed", `${start.host} redirects more than ${MAX_REDIRECTS} times`);
}

interface Target {
	readonly _tag: "Checked";
	readonly addresses: readonly string[];
	/** They may be asked over https in http's place. */
	readonly mayUpgrade: boolean;
}

/** Resolves once; what is answered here, and only that, is connected to. */
async function checkTarget(
	url: URL,
	settings: FollowSettings,
	signal: AbortSignal,
): Promise<Target | VideoUnavailable> {
	const refusedUrl = refuseUrl(url, settings);
	if (refusedUrl !== undefined) return unavailable("not-allowed", refusedUrl);
	const { resolve, connectTimeoutMs: timeoutMs } = settings;
	const resolved = await resolveHost(url, { resolve, timeoutMs, signal });
	if (resolved._tag === "Unresolved") return unavailable("unreachable", resolved.message);
	const { addresses } = resolved;
	const refused = refuseAddresses(url, addresses, settings);
	if (refused !== undefined) return unavailable("not-allowed", refused);
	const upgraded = settings.preferHttps ? upgradeToHttps(url) : undefined;
	const mayUpgrade = upgraded !== undefined && refuseAddresses(upgraded, addresses, settings) === undefined;
	return { _tag: "Checked", addresses, mayUpgrade };
}

function unavailable(reason: VideoUnavailable["reason"], message: string): VideoUnavailable {
	return { _tag: "Unavailable", reason, message };
}
