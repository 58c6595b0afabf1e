// What of a caught error may stand in the log. A logger writes only what is enumerable, which of an `Error` is nothing,
// and of a foreign one anything: a request's configuration with its signed link, for instance.

import { isKeyringFault, isSourceFault, isStoreFault } from "@reelkeep/core/ports";

/** An error's own words for what it is: never long, and never with what a link is made of. */
const TAG = /^[A-Za-z0-9_.-]{1,64}$/;
const NAMES = ["name", "code", "_tag", "reason"] as const;

export type ErrorDescription = Readonly<Partial<Record<(typeof NAMES)[number] | "message", string>>> & {
	readonly cause?: ErrorDescription;
};

/** Describes an error for the log: its tags, those of its direct cause, and the message only of our own faults. */
export function describeError(error: unknown): ErrorDescription {
	const tags = tagsOf(error);
	const cause = error instanceof Error && error.cause !== undefined ? tagsOf(error.cause) : {};
	return {
		...tags,
		...(isOurs(error) ? { message: error.message } : {}),
		...(Object.keys(cause).length === 0 ? {} : { cause }),
	};
}

function tagsOf(error: unknown): ErrorDescription {
	if (typeof error !== "object" || error === null) return { name: typeof error };
	const found = NAMES.map((name) => [name, (error as Readonly<Record<string, unknown>>)[name]] as const);
	return Object.fromEntries(found.filter(([, value]) => typeof value === "string" && TAG.test(value)));
}

/** Faults of ours promise that their messages hold no link. */
function isOurs(error: unknown): error is Error {
	return isStoreFault(error) || isKeyringFault(error) || isSourceFault(error);
}
