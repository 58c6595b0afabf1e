// Checks a composition before anything starts, and orders it. Pure; its errors are for people.

import { type Plugin, type Token, tokenName } from "../ports/plugin.js";

/** Who could provide a port that nobody does. */
const PROVIDERS: Readonly<Record<string, string>> = {
	EventStore: "fsStorage() of @reelkeep/storage-fs, or memoryStorage() of @reelkeep/core",
	CheckpointStore: "fsStorage() of @reelkeep/storage-fs, or memoryStorage() of @reelkeep/core",
	SnapshotStore: "fsStorage() of @reelkeep/storage-fs, or memoryStorage() of @reelkeep/core",
	VideoStore: "fsStorage() of @reelkeep/storage-fs, or memoryStorage() of @reelkeep/core",
	Keyring: "fsStorage() of @reelkeep/storage-fs, or memoryStorage() of @reelkeep/core",
	LeaseStore: "memoryStorage() of @reelkeep/core",
	Verifier: "the option apps to httpIngress({ apps: { KEY: SECRET } })",
	VideoSource: "archiver() of @reelkeep/archiver",
};

/** A composition that cannot work; `message` says what to change. */
export class CompositionError extends Error {
	readonly _tag = "CompositionError";

	constructor(problems: readonly string[], cause?: unknown) {
		super(problems.join("\n"), cause === undefined ? undefined : { cause });
		this.name = "CompositionError";
	}
}

/**
 * The plugins in the order in which they start: each behind those that provide what it needs, else as listed.
 * *Errors*: throws a `CompositionError` that names every conflict and everything that nobody provides.
 */
export function orderPlugins(
	plugins: readonly Plugin[],
	isProvidedOutside: (token: Token<unknown>) => boolean,
): readonly Plugin[] {
	const problems = [
		...findDuplicates(plugins),
		...findConflicts(plugins),
		...findMissing(plugins, isProvidedOutside),
	];
	if (problems.length > 0) throw new CompositionError(problems);
	return sortByNeeds(plugins);
}

function findDuplicates(plugins: readonly Plugin[]): readonly string[] {
	const names = plugins.map(({ name }) => name);
	return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
		(name) => `two plugins are named ${name}; give one of them another name`,
	);
}

function findConflicts(plugins: readonly Plugin[]): readonly string[] {
	const tokens = new Set(plugins.flatMap(({ provides }) => provides));
	return [...tokens].flatMap((token) => {
		const providers = plugins.filter(({ provides }) => provides.includes(token)).map(({ name }) => name);
		return providers.length > 1
			? [
					`${joinNames(providers)} ${providers.length > 2 ? "all" : "both"} provide ${tokenName(token)}; leave one of them out, or take a part of it with pickPorts`,
				]
			: [];
	});
}

function findMissing(
	plugins: readonly Plugin[],
	isProvidedOutside: (token: Token<unknown>) => boolean,
): readonly string[] {
	const provided = new Set(plugins.flatMap(({ provides }) => provides));
	const needed = new Set(plugins.flatMap(({ needs }) => needs));
	return [...needed]
		.filter((token) => !provided.has(token) && !isProvidedOutside(token))
		.map((token) => {
			const users = plugins.filter(({ needs }) => needs.includes(token)).map(({ name }) => name);
			return describeMissing(token, users);
		});
}

/** What to do about a port that nobody provides; `users` may be nobody in particular. */
export function describeMissing(token: Token<unknown>, users: readonly string[]): string {
	const name = tokenName(token);
	const hint = PROVIDERS[name];
	const who = users.length === 0 ? "" : `, which ${joinNames(users)} ${users.length > 1 ? "need" : "needs"}`;
	return `nothing provides ${name}${who}; ${remedyFor(token, name, hint)}`;
}

function remedyFor(token: Token<unknown>, name: string, hint: string | undefined): string {
	// Two symbols may have one name: only `createToken` gives the same one to all.
	if (Symbol.keyFor(token) === undefined) {
		return `this symbol is nobody else's: take the token of @reelkeep/core/ports, or createToken("${name}")`;
	}
	return hint === undefined ? "register it in the container" : `add ${hint}, or register your own`;
}

/** `a`, `a and b`, `a, b and c`. */
export function joinNames(names: readonly string[]): string {
	return names.join(", ").replace(/, (?=[^,]*$)/, " and ");
}

function sortByNeeds(plugins: readonly Plugin[]): readonly Plugin[] {
	const sorted: Plugin[] = [];
	const underway = new Set<Plugin>();
	const visit = (plugin: Plugin): void => {
		if (sorted.includes(plugin)) return;
		if (underway.has(plugin)) {
			const names = [...underway, plugin].map(({ name }) => name);
			const circle = names.slice(names.indexOf(plugin.name)).join(" → ");
			throw new CompositionError([
				`plugins need each other in a circle: ${circle}; split one, or take the token out of its needs and ask for it after its start`,
			]);
		}
		underway.add(plugin);
		for (const token of plugin.needs) {
			const provider = plugins.find(({ provides }) => provides.includes(token));
			if (provider !== undefined && provider !== plugin) visit(provider);
		}
		underway.delete(plugin);
		sorted.push(plugin);
	};
	for (const plugin of plugins) visit(plugin);
	return sorted;
}
