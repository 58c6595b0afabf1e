// Which app may report which projects, as a plugin: `createReelkeep({ plugins: [projectAdmission({ KEY: ["p"] }), …] })`.

import type { Admission } from "./ports/admission.js";
import type { Plugin } from "./ports/plugin.js";
import { ADMISSION } from "./ports/tokens.js";

/** App key → the projects that it may report; `"*"` for all. An app that is not named may report none. */
export type AppProjects = Readonly<Record<string, readonly string[] | "*">>;

/** Throws a `TypeError` when no app is named, or one has no project: it could report nothing. */
export function createProjectAdmission(projects: AppProjects): Admission {
	const allowed = new Map(
		Object.entries(projects).map(([appKey, names]) => {
			if (names !== "*" && names.length === 0) throw new TypeError(`app ${appKey} has no project`);
			return [appKey, names === "*" ? names : new Set(names)] as const;
		}),
	);
	if (allowed.size === 0) throw new TypeError("no app may report any project: name one, or leave it out");
	return {
		async admit({ appKey, projectId }) {
			const names = allowed.get(appKey);
			if (names === "*" || names?.has(projectId)) return { _tag: "Admitted" };
			return { _tag: "NotAdmitted", message: "this app may not report recordings of this project" };
		},
	};
}

/** `createProjectAdmission` as a plugin. Throws as it does. */
export function projectAdmission(projects: AppProjects): Plugin {
	const admission = createProjectAdmission(projects);
	return {
		name: "project-admission",
		provides: [ADMISSION],
		needs: [],
		register: (registry) => registry.provide(ADMISSION, () => admission),
	};
}
