// What `reelkeep serve` was asked for, from flags and environment, checked before anything starts.

import type { Apps, FailureAnswer } from "@reelkeep/adapter-http";
import type { AppProjects, QuarantineQuota, ReceiveOptions } from "@reelkeep/core";
import { type AppFlags, readAppsConfig } from "./apps-config.js";
import { listOf, parseNumber, UsageError } from "./flags.js";
import { readVerifierConfig, type VerifierConfig, type VerifierFlags } from "./verifier-config.js";

/** Where the receiver listens unless told otherwise. */
export const DEFAULT_HTTP = "127.0.0.1:8080";
/** The object stores whose links the PaaS sends. */
export const DEFAULT_ALLOW_HOST = "*.aliyuncs.com";

export interface ServeFlags extends AppFlags, VerifierFlags {
	readonly data?: string;
	readonly http: string;
	readonly path?: string;
	readonly failureAnswer: FailureAnswer;
	readonly keyFile?: string;
	readonly rateLimit?: string;
	readonly quarantineCallbacks?: string;
	readonly quarantineMib?: string;
	readonly allowHost?: readonly string[];
	/** `undefined`: the flag was not given, and the environment decides. */
	readonly allowPrivateNetwork?: boolean;
}

export interface ServeConfig {
	readonly directory: string;
	/** `undefined`: no HTTP ingress. */
	readonly http: HttpConfig | undefined;
	/** `undefined`: each app may report about every project. */
	readonly projects: AppProjects | undefined;
	readonly receive: ReceiveOptions;
	readonly quarantineQuota: Partial<QuarantineQuota>;
	readonly keyFile?: string;
	readonly allowHosts: readonly string[];
	readonly allowPrivateNetwork: boolean;
	/** What the user should know although it works. */
	readonly warnings: readonly string[];
}

/** Options of `httpIngress`. */
export interface HttpConfig extends VerifierConfig {
	readonly host: string;
	readonly port: number;
	readonly apps: Apps;
	readonly path?: string;
	readonly failureAnswer: FailureAnswer;
}

/** *Errors*: throws a `UsageError`. */
export function serveConfig(flags: ServeFlags, environment: NodeJS.ProcessEnv): ServeConfig {
	const { apps, projects, warnings } = readAppsConfig(flags, environment);
	const http = flags.http === "off" ? undefined : httpConfig(flags, environment, apps);
	if (http !== undefined && Object.keys(apps).length === 0) {
		throw new UsageError(
			"no app may report: give --apps-file FILE (lines KEY=SECRET), --app KEY=SECRET or REELKEEP_APPS; or --http off",
		);
	}
	const reportsPerSecond = parseNumber("--rate-limit", flags.rateLimit, 0.001);
	const maxCallbacks = parseNumber("--quarantine-callbacks", flags.quarantineCallbacks, 1);
	const maxMib = parseNumber("--quarantine-mib", flags.quarantineMib, 1);
	return {
		directory: requireDirectory(flags.data),
		http,
		projects,
		receive: reportsPerSecond === undefined ? {} : { rateLimit: { reportsPerSecond } },
		quarantineQuota: {
			...(maxCallbacks === undefined ? {} : { maxCallbacks }),
			...(maxMib === undefined ? {} : { maxBytes: maxMib * 1024 * 1024 }),
		},
		// Compose files pass on variables that are empty.
		...(flags.keyFile ? { keyFile: flags.keyFile } : {}),
		allowHosts: allowHosts(flags, environment),
		allowPrivateNetwork:
			flags.allowPrivateNetwork ??
			parseSwitch("REELKEEP_ALLOW_PRIVATE_NETWORK", environment.REELKEEP_ALLOW_PRIVATE_NETWORK),
		warnings,
	};
}

function httpConfig(flags: ServeFlags, environment: NodeJS.ProcessEnv, apps: Apps): HttpConfig {
	const { path, failureAnswer } = flags;
	return {
		...parseAddress(flags.http),
		...readVerifierConfig(flags, environment),
		apps,
		...(path ? { path } : {}),
		failureAnswer,
	};
}

/** The data directory. *Errors*: throws a `UsageError` when none is named. */
export function requireDirectory(data: string | undefined): string {
	if (data !== undefined && data !== "") return data;
	throw new UsageError("which directory? Give --data DIR or REELKEEP_DATA");
}

function allowHosts(flags: ServeFlags, environment: NodeJS.ProcessEnv): readonly string[] {
	const hosts = flags.allowHost ?? listOf(environment.REELKEEP_ALLOW_HOST);
	return hosts.length > 0 ? hosts : [DEFAULT_ALLOW_HOST];
}

function parseSwitch(name: string, value = ""): boolean {
	if (["true", "1"].includes(value)) return true;
	if (["false", "0", ""].includes(value)) return false;
	throw new UsageError(`${name} takes true or false`);
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
