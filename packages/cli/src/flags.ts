// What reading flags and environment variables shares.

/** A mistake in how the command was called; the message says how to mend it, and never holds a secret. */
export class UsageError extends Error {
	readonly _tag = "UsageError";
}

/** What a plugin refuses of its options was configured by the user: a `UsageError`; any other error is left as it is. */
export function toUsageError(error: unknown): unknown {
	return error instanceof TypeError || error instanceof RangeError ? new UsageError(error.message) : error;
}

/** The items of an environment variable, between commas or lines. */
export function listOf(variable: string | undefined): readonly string[] {
	return (variable ?? "")
		.split(/[,\n]/)
		.map((item) => item.trim())
		.filter((item) => item !== "");
}

/** A number, not necessarily whole; `undefined` for none. *Errors*: throws a `UsageError` that names the flag. */
export function parseNumber(
	flag: string,
	text: string | undefined,
	{ least, most }: { readonly least: number; readonly most?: number },
): number | undefined {
	if (text === undefined || text === "") return undefined;
	const value = Number(text);
	if (Number.isFinite(value) && value >= least && value <= (most ?? value)) return value;
	throw new UsageError(
		`${flag} takes a number ${most === undefined ? `of at least ${least}` : `from ${least} to ${most}`}`,
	);
}

/** The data directory. *Errors*: throws a `UsageError` when none is named. */
export function requireDirectory(data: string | undefined): string {
	if (data !== undefined && data !== "") return data;
	throw new UsageError("which directory? Give --data DIR or REELKEEP_DATA");
}

/** `HOST:PORT`. *Errors*: throws a `UsageError` that names the flag. */
export function parseAddress(flag: string, text: string): { readonly host: string; readonly port: number } {
	const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^:\s]+)):(?<port>\d{1,5})$/.exec(text);
	const host = match?.groups?.six ?? match?.groups?.host;
	const port = Number(match?.groups?.port);
	if (host === undefined || !(port <= 65_535)) {
		throw new UsageError(`${flag} takes HOST:PORT, [IPv6]:PORT or off; port 0 picks a free one`);
	}
	return { host, port };
}
