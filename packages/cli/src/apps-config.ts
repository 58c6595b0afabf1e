// Which apps may report, with which secrets and about which projects: from flags, environment and a file. Pure but for
// reading the file.

import { readFileSync, statSync } from "node:fs";
import { type AppSecret, type Apps, DEFAULT_SECRET_ID } from "@reelkeep/adapter-http";
import type { AppProjects } from "@reelkeep/core";
import { listOf, UsageError } from "./flags.js";

export interface AppFlags {
	readonly app?: readonly string[];
	readonly appsFile?: string;
	readonly appProjects?: readonly string[];
}

export interface AppsConfig {
	/** Empty: none may report. */
	readonly apps: Apps;
	/** `undefined`: each app may report about every project. */
	readonly projects: AppProjects | undefined;
	/** What the user should know although it works. */
	readonly warnings: readonly string[];
}

/** *Errors*: throws a `UsageError`, which never holds a secret. */
export function readAppsConfig(flags: AppFlags, environment: NodeJS.ProcessEnv): AppsConfig {
	const sources = appSources(flags, environment);
	const apps = collectApps(sources);
	const projects = readProjects(flags, environment, Object.keys(apps));
	const warnings = sources.flatMap(({ warning }) => (warning === undefined ? [] : [warning]));
	const isShared = Object.keys(apps).length > 1 && projects === undefined;
	return { apps, projects, warnings: isShared ? [...warnings, SHARED] : warnings };
}

const SHARED =
	"several apps may report, and each about the projects of all; --app-projects KEY=PROJECT,… keeps them apart";

/** An app has one secret, or several that are named, while one replaces another. */
function collectApps(sources: readonly AppSource[]): Apps {
	const apps = new Map<string, readonly AppSecret[]>();
	for (const { lines, from } of sources) {
		for (const line of lines) {
			const { key, id, secret } = parseApp(line, from);
			const known = apps.get(key) ?? [];
			const same = known.find((one) => one.id === id);
			if (same === undefined) apps.set(key, [...known, { id, secret }]);
			else if (same.secret !== secret) throw new UsageError(`${from}: ${describeConflict(key, id)}`);
		}
	}
	return Object.fromEntries(apps);
}

function describeConflict(key: string, id: string): string {
	return id === DEFAULT_SECRET_ID
		? `app ${key} has another secret already; while one replaces another, name both: ${key}:OLD=SECRET and ${key}:NEW=SECRET`
		: `app ${key} has another secret named ${id} already`;
}

interface AppSource {
	readonly from: string;
	readonly lines: readonly string[];
	readonly warning?: string;
}

function appSources(flags: AppFlags, environment: NodeJS.ProcessEnv): readonly AppSource[] {
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

/** `KEY=SECRET`, or `KEY:NAME=SECRET`. */
function parseApp(line: string, from: string): { key: string; id: string; secret: string } {
	const at = line.indexOf("=");
	const [key = "", id = DEFAULT_SECRET_ID, ...more] = line.slice(0, Math.max(at, 0)).trim().split(":");
	const secret = line.slice(at + 1);
	if (at === -1 || key === "" || id === "" || more.length > 0) {
		throw new UsageError(
			`${from}: an app is written KEY=SECRET, or KEY:NAME=SECRET while it has several secrets`,
		);
	}
	if (secret.trim() === "") throw new UsageError(`${from}: the secret of app ${key} is empty`);
	if (/\s#/.test(secret)) {
		throw new UsageError(
			`${from}: a comment stands behind the secret of app ${key}; give it a line of its own`,
		);
	}
	return { key, id, secret };
}

/** `KEY=P,Q` for each app, or `KEY=*`; an app that is not named could report nothing, which nobody means. */
function readProjects(
	flags: AppFlags,
	environment: NodeJS.ProcessEnv,
	appKeys: readonly string[],
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
		if (!appKeys.includes(key)) throw new UsageError(`--app-projects names app ${key}, which has no secret`);
		const known = projects.get(key) ?? [];
		if ([...known, ...names].includes("*") && known.length + names.length > 1) {
			throw new UsageError(`--app-projects: app ${key} has all projects (*) and some; say one of the two`);
		}
		projects.set(key, names[0] === "*" ? "*" : [...known, ...names]);
	}
	const missing = appKeys.find((key) => !projects.has(key));
	if (missing !== undefined) {
		throw new UsageError(
			`app ${missing} could report nothing: --app-projects ${missing}=PROJECT,… or ${missing}=* for all projects`,
		);
	}
	return Object.fromEntries(projects);
}
