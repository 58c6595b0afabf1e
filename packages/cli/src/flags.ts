// What reading flags and environment variables shares.

/** A mistake in how the command was called; the message says how to mend it, and never holds a secret. */
export class UsageError extends Error {
	readonly _tag = "UsageError";
}

/** The items of an environment variable, between commas or lines. */
export function listOf(variable: string | undefined): readonly string[] {
	return (variable ?? "")
		.split(/[,\n]/)
		.map((item) => item.trim())
		.filter((item) => item !== "");
}

/** A number of at least `least`; `undefined` for none. *Errors*: throws a `UsageError` that names the flag. */
export function parseNumber(flag: string, text: string | undefined, least: number): number | undefined {
	if (text === undefined || text === "") return undefined;
	const value = Number(text);
	if (Number.isFinite(value) && value >= least) return value;
	throw new UsageError(`${flag} takes a number of at least ${least}`);
}
