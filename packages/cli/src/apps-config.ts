// Which apps may report, with which secrets and about which projects: from flags, environment and a file. Pure but for
// reading the file.

import type { Apps } from "@reelkeep/adapter-http";
import type { AppProjects } from "@reelkeep/core";
import { listOf, UsageError } from "./flags.js";
import { collectSecrets, readSecretsFile, type SecretSource, type SecretWords } from "./named-secrets.js";

export interface AppFlags {
	readonly app?: readonly string[];
	readonly appsFile?: string;
}

export interface ProjectFlags {
	readonly appProjects?: readonly string[];
}

export interface AppsConfig {
	/** Empty: none may report. */
	readonly apps: Apps;
	/** What the user should know although it works. */
	readonly warnings: readonly string[];
}

const WORDS: SecretWords = {
	owner: "app",
	anOwner: "an app",
	secret: "secret",
	file: "the apps file",
	ownerForm: "KEY",
	secretForm: "SECRET",
};

/** *Errors*: throws a `UsageError`, which never holds a secret. */
export function readAppsConfig(flags: AppFlags, environment: NodeJS.ProcessEnv): AppsConfig {
	const sources = appSources(flags, environment);
	return {
		apps: Object.fromEntries(collectSecrets(sources, WORDS)),
		warnings: sources.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
	};
}

function appSources(flags: AppFlags, environment: NodeJS.ProcessEnv): readonly SecretSource[] {
	const { app = [] } = flags;
	return [
		{
			from: "--app",
			lines: app,
			...(app.length > 0
				? { warning: "secrets given by --app are visible in the list of processes; prefer --apps-file" }
				: {}),
		},
		...(!flags.appsFile ? [] : [readSecretsFile(flags.appsFile, WORDS)]),
		{ from: "REELKEEP_APPS", lines: listOf(environment.REELKEEP_APPS) },
	];
}

export interface ProjectsConfig {
	/** `undefined`: each reporter may report about every project. */
	readonly projects: AppProjects | undefined;
	readonly warnings: readonly string[];
}

/**
 * Which of the `reporters` (apps, and callers over gRPC) may report about which projects.
 * *Errors*: throws a `UsageError`.
 */
export function readProjectsConfig(
	flags: ProjectFlags,
	environment: NodeJS.ProcessEnv,
	reporters: readonly string[],
): ProjectsConfig {
	const projects = readProjects(flags, environment, reporters);
	return { projects, warnings: reporters.length > 1 && projects === undefined ? [SHARED] : [] };
}

const SHARED =
	"several apps may report, and each about the projects of all; --app-projects KEY=PROJECT,… keeps them apart";

/** `KEY=P,Q` for each app, or `KEY=*`; an app that is not named could report nothing, which nobody means. */
function readProjects(
	flags: ProjectFlags,
	environment: NodeJS.ProcessEnv,
	reporters: readonly string[],
): AppProjects | undefined {
	const { appProjects = (environment.REELKEEP_APP_PROJECTS ?? "").split(";") } = flags;
	const lines = appProjects.map((line) => line.trim()).filter((line) => line !== "");
	if (lines.length === 0) return undefined;
	const projects = new Map<string, readonly string[] | "*">();
	for (const line of lines) {
		const at = line.indexOf("=");
		const key = line.slice(0, Math.max(at, 0)).trim();
		const names = listOf(line.slice(at + 1));
		if (at === -1 || key === "" || names.length === 0) {
			throw new UsageError("--app-projects takes KEY=PROJECT,PROJECT… for an app, or KEY=* for all projects");
		}
		if (!reporters.includes(key))
			throw new UsageError(
				`--app-projects names app ${key}, which is no app with a secret, and no caller who reports`,
			);
		const known = projects.get(key) ?? [];
		if ([...known, ...names].includes("*") && known.length + names.length > 1) {
			throw new UsageError(`--app-projects: app ${key} has all projects (*) and some; say one of the two`);
		}
		projects.set(key, names[0] === "*" ? "*" : [...known, ...names]);
	}
	const missing = reporters.find((key) => !projects.has(key));
	if (missing !== undefined) {
		throw new UsageError(
			`app ${missing} could report nothing: --app-projects ${missing}=PROJECT,… or ${missing}=* for all projects`,
		);
	}
	return Object.fromEntries(projects);
}
