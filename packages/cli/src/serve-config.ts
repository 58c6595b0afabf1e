// What `reelkeep serve` was asked for, from flags and environment, checked before anything starts. Pure but for reading
// the apps file.

import { readFileSync, statSync } from "node:fs";
import ms from "ms";

/** Where the receiver listens unless told otherwise. */
export const DEFAULT_HTTP = "127.0.0.1:8080";
/** The object stores whose links the PaaS sends. */
export const DEFAULT_ALLOW_HOST = "*.aliyuncs.com";
/** More would make an old, captured request good for a day and longer. */
const MAX_CLOCK_TOLERANCE_MS = 24 * 3_600_000;

export interface ServeFlags {
	readonly data?: string;
	readonly http: string;
	readonly app?: readonly string[];
	readonly appsFile?: string;
	readonly keyFile?: string;
	readonly clockTolerance: string;
	readonly allowHost?: readonly string[];
	/** `undefined`: the flag was not given, and the environment decides. */
	readonly allowPrivateNetwork?: boolean;
}

export interface ServeConfig {
	readonly directory: string;
	/** `undefined`: no HTTP ingress. */
	readonly http: { readonly host: string; readonly port: number } | undefined;
	/** App key → secret. */
	readonly apps: Readonly<Record<string, string>>;
	readonly keyFile?: string;
	readonly clockToleranceMs: number;
	readonly allowHosts: readonly string[];
	readonly allowPrivateNetwork: boolean;
	/** What the user should know although it works. */
	readonly warnings: readonly string[];
}

/** A mistake in how the command was called; the message says how to mend it, and never holds a secret. */
export class UsageError extends Error {
	readonly _tag = "UsageError";
}

/** *Errors*: throws a `UsageError`. */
export function serveConfig(flags: ServeFlags, environment: NodeJS.ProcessEnv): ServeConfig {
	const http = flags.http === "off" ? undefined : parseAddress(flags.http);
	const sources = appSources(flags, environment);
	const apps = collectApps(sources);
	if (http !== undefined && Object.keys(apps).length === 0) {
		throw new UsageError(
			"no app may report: give --apps-file FILE (lines KEY=SECRET), --app KEY=SECRET or REELKEEP_APPS; or --http off",
		);
	}
	return {
		directory: requireDirectory(flags.data),
		http,
		apps,
		// Compose files pass on variables that are empty.
		...(flags.keyFile ? { keyFile: flags.keyFile } : {}),
		clockToleranceMs: parseTolerance(flags.clockTolerance),
		allowHosts: allowHosts(flags, environment),
		allowPrivateNetwork:
			flags.allowPrivateNetwork ??
			parseSwitch("REELKEEP_ALLOW_PRIVATE_NETWORK", environment.REELKEEP_ALLOW_PRIVATE_NETWORK),
		warnings: sources.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
	};
}

/** The data directory. *Errors*: throws a `UsageError` when none is named. */
export function requireDirectory(data: string | undefined): string {
	if (data !== undefined && data !== "") return data;
	throw new UsageError("which directory? Give --data DIR or REELKEEP_DATA");
}

/** One secret for each app: two that differ are a mistake that would show only when a callback is refused. */
function collectApps(sources: readonly AppSource[]): Readonly<Record<string, string>> {
	const apps = new Map<string, string>();
	for (const { lines, from } of sources) {
		for (const line of lines) {
			const [key, secret] = parseApp(line, from);
			if (apps.has(key) && apps.get(key) !== secret) {
				throw new UsageError(`${from}: app ${key} has another secret already; name each app once`);
			}
			apps.set(key, secret);
		}
	}
	return Object.fromEntries(apps);
}

interface AppSource {
	readonly from: string;
	readonly lines: readonly string[];
	readonly warning?: string;
}

function appSources(flags: ServeFlags, environment: NodeJS.ProcessEnv): readonly AppSource[] {
	const { app = [] } = flags;
	return [
		{
			from: "--app",
			lines: app,
			...(app.length > 0
				? { warning: "secrets given by --app are visible in the list of processes; prefer --apps-file" }
				: {}),
		},
		...(!flags.appsFile ? [] : [readAppsFile(flags.appsFile)]),
		{ from: "REELKEEP_APPS", lines: listOf(environment.REELKEEP_APPS) },
	];
}

function allowHosts(flags: ServeFlags, environment: NodeJS.ProcessEnv): readonly string[] {
	const hosts = flags.allowHost ?? listOf(environment.REELKEEP_ALLOW_HOST);
	return hosts.length > 0 ? hosts : [DEFAULT_ALLOW_HOST];
}

function listOf(variable: string | undefined): readonly string[] {
	return (variable ?? "")
		.split(/[,\n]/)
		.map((item) => item.trim())
		.filter((item) => item !== "");
}

function parseSwitch(name: string, value = ""): boolean {
	if (["true", "1"].includes(value)) return true;
	if (["false", "0", ""].includes(value)) return false;
	throw new UsageError(`${name} takes true or false`);
}

function readAppsFile(file: string): AppSource {
	try {
		const lines = readFileSync(file, "utf8")
			.split("\n")
			.map((line) => line.trim())
			.filter((line) => line !== "" && !line.startsWith("#"));
		const open = process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0;
		const warning = `${file} can be read by others; chmod 600 it`;
		return { from: file, lines, ...(open ? { warning } : {}) };
	} catch (error) {
		const { code = "unreadable" } = error as NodeJS.ErrnoException;
		throw new UsageError(`cannot read the apps file ${file}: ${code}`);
	}
}

function parseApp(line: string, from: string): readonly [key: string, secret: string] {
	const at = line.indexOf("=");
	const key = line.slice(0, Math.max(at, 0)).trim();
	const secret = line.slice(at + 1);
	if (at === -1 || key === "") throw new UsageError(`${from}: an app is written KEY=SECRET`);
	if (secret.trim() === "") throw new UsageError(`${from}: the secret of app ${key} is empty`);
	if (/\s#/.test(secret)) {
		throw new UsageError(
			`${from}: a comment stands behind the secret of app ${key}; give it a line of its own`,
		);
	}
	return [key, secret];
}

function parseAddress(text: string): { readonly host: string; readonly port: number } {
	const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^:\s]+)):(?<port>\d{1,5})$/.exec(text);
	const host = match?.groups?.six ?? match?.groups?.host;
	const port = Number(match?.groups?.port);
	if (host === undefined || !(port <= 65_535)) {
		throw new UsageError(`--http takes HOST:PORT, [IPv6]:PORT or off; port 0 picks a free one`);
	}
	return { host, port };
}

function parseTolerance(text: string): number {
	const toleranceMs = /[a-z]$/i.test(text) ? ms(text as ms.StringValue) : undefined;
	if (toleranceMs === undefined || !(toleranceMs > 0 && toleranceMs <= MAX_CLOCK_TOLERANCE_MS)) {
		throw new UsageError("--clock-tolerance takes a duration such as 10m or 90s, at most 24h");
	}
	return toleranceMs;
}
