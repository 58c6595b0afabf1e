// Connection strings of PostgreSQL in flags: they may hold a password, which must not stand where others read it.

import { UsageError } from "./flags.js";

export interface PostgresUrlFlag {
	/** e.g. `--events`. */
	readonly flag: string;
	/** Its environment variable. */
	readonly variable: string;
	readonly text: string;
}

/** Whether it names a server and not a directory. */
export function isUrl(text: string): boolean {
	return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** *Errors*: throws a `UsageError`, also where everybody on this machine could read the password. */
export function checkPostgresUrl(
	{ flag, variable, text }: PostgresUrlFlag,
	environment: NodeJS.ProcessEnv,
): void {
	const url = parseUrl(text);
	if (url === undefined || !/^postgres(?:ql)?:$/.test(url.protocol)) {
		throw new UsageError(`${flag} takes postgres://USER@HOST:PORT/DATABASE`);
	}
	const hasPassword = url.password !== "" || url.searchParams.has("password");
	if (!hasPassword || environment[variable] === text) return;
	throw new UsageError(
		`a password in ${flag} can be read by everybody on this machine: put the URL into ${variable}, or the password into PGPASSWORD or ~/.pgpass`,
	);
}

/** For people: without user, password and options. */
export function nameOfServer(text: string): string {
	const { host = "", pathname = "" } = parseUrl(text) ?? {};
	return `postgres://${host}${pathname}`;
}

function parseUrl(text: string): URL | undefined {
	try {
		return new URL(text);
	} catch {
		return undefined;
	}
}
