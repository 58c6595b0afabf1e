// What PostgreSQL and the network report, as the faults that a store rejects with.

import { isStoreFault, type StoreFault, storeFault } from "@reelkeep/core/ports";

/** A transaction that lost against another one: nothing of it happened, and it may be tried again at once. */
export function isLostRace(error: unknown): boolean {
	// serialization_failure, deadlock_detected
	return ["40001", "40P01"].includes(codeOf(error) ?? "");
}

/** The statement itself was refused, for its values: others may still do. Not so when the connection or the server is at fault. */
export function isRefused(error: unknown): boolean {
	// data exceptions, integrity constraints, program limits, a lock that was waited for too long
	return /^(?:22|23|54|55P03)/.test(codeOf(error) ?? "");
}

/** The error's SQLSTATE or Node's code; never its message, which may quote values. */
export function codeOf(error: unknown): string | undefined {
	const { code } = (error ?? {}) as { readonly code?: unknown };
	return typeof code === "string" ? code : undefined;
}

/** What will not pass by itself; `message` says what to do. */
export function refused(message: string): StoreFault {
	return storeFault("failed", message, { retryable: false });
}

interface Meaning {
	readonly codes: RegExp;
	readonly what: string;
	readonly retryable: boolean;
}

const MEANINGS: readonly Meaning[] = [
	{ codes: /^28/, what: "refuses this user: check user and password", retryable: false },
	{ codes: /^3D000$/, what: "has no such database: create it", retryable: false },
	{ codes: /^42501$/, what: "does not allow it: grant this user the rights on the schema", retryable: false },
	{
		codes: /^42|^3F000$/,
		what: "lacks what is asked for: is the schema this release's? Start with migrations on",
		retryable: false,
	},
	{ codes: /^25006$/, what: "is read-only: this is a replica, or the disk is full", retryable: true },
	{ codes: /^53100$/, what: "has no room on its disk", retryable: true },
	{ codes: /^53300$/, what: "takes no more connections", retryable: true },
	{ codes: /^57P0/, what: "is shutting down or starting", retryable: true },
	{ codes: /^55P03$/, what: "holds what is written to for a transaction that stays open", retryable: true },
	{ codes: /^57014$/, what: "gave the statement up: it took too long", retryable: true },
];

/** `doing`: what failed, as a gerund. The fault's cause is a bare code: messages of PostgreSQL quote values. */
export function toFault(error: unknown, doing: string): StoreFault {
	if (isStoreFault(error)) return error;
	const code = codeOf(error);
	const meaning = MEANINGS.find(({ codes }) => code !== undefined && codes.test(code));
	const what = meaning?.what ?? (code === undefined ? "cannot be reached" : `fails (${code})`);
	return storeFault("io", `${doing}: PostgreSQL ${what}`, { retryable: meaning?.retryable ?? true });
}
