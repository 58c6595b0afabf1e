// How `reelkeep quarantine` names a quarantined callback, and finds the one that is meant.

import {
	describeIssues,
	type QuarantinedCallback,
	quarantineStream,
	type RedriveOutcome,
} from "@reelkeep/core";
import { UsageError } from "./flags.js";

/** What the names of their streams begin with. */
const PREFIX = quarantineStream("", new Uint8Array()).replace(/[0-9a-f]{64}$/, "");
/** Of the 64 digits in a stream's name: enough to tell a hundred thousand apart. */
const SHOWN_DIGITS = 12;

/** Short, and taken wherever an id is asked for. */
export function shortId(stream: string): string {
	return stream.slice(PREFIX.length, PREFIX.length + SHOWN_DIGITS);
}

/** *Errors*: throws a `UsageError` when no callback, or more than one, has such an id. */
export function findQuarantined(callbacks: Iterable<QuarantinedCallback>, id: string): QuarantinedCallback {
	const start = id.startsWith(PREFIX) ? id : PREFIX + id;
	const [found, another] = id === "" ? [] : [...callbacks].filter(({ stream }) => stream.startsWith(start));
	if (found === undefined) {
		throw new UsageError(
			`no quarantined callback begins with ${id}; reelkeep quarantine ls --all lists them`,
		);
	}
	if (another !== undefined) throw new UsageError(`more than one quarantined callback begins with ${id}`);
	return found;
}

/** How a callback is printed as JSON. Never its body. */
export function toJson({ receivedAt, deadline, redriven, ...callback }: QuarantinedCallback): object {
	return {
		...callback,
		receivedAt: new Date(receivedAt).toISOString(),
		deadline: new Date(deadline.at).toISOString(),
		deadlineSource: deadline.source,
		redriven: redriven === undefined ? null : { ...redriven, at: new Date(redriven.at).toISOString() },
	};
}

/** What became of it, or would in a dry run, in a few words. */
export function describeOutcome(outcome: RedriveOutcome): string {
	switch (outcome._tag) {
		case "Redriven":
			return `${WORDS[outcome.outcome]} ${outcome.recording}`;
		case "AlreadyRedriven":
			return `was redriven before, into ${outcome.recording}`;
		case "StillUndecodable":
			return `still cannot be decoded: ${describeIssues(outcome.issues)}`;
		case "NotAdmitted":
			return `stays in quarantine: ${outcome.message}`;
		case "NotQuarantined":
			return "is not in quarantine";
	}
}

const WORDS = {
	Reported: "the first report of",
	AlreadyReported: "known already to",
	LinkRenewed: "another link of",
	Contradicted: "contradicts",
} as const;
