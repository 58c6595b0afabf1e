// Whether what was handed over are plugins at all: types say so, but not to JavaScript, `any` or a circle of imports.

import type { Plugin, Token } from "../ports/plugin.js";
import * as tokens from "../ports/tokens.js";

/** What is wrong with each of `plugins`, in words that say what to do; empty when they can be composed. */
export function describeNoPlugins(plugins: unknown): readonly string[] {
	if (!Array.isArray(plugins)) {
		return [`plugins is ${describe(plugins)}; hand over an array: createReelkeep({ plugins: [ … ] })`];
	}
	// `Array.from`, because a gap in an array is a plugin that is undefined.
	return Array.from(plugins, describeNoPlugin).flat();
}

function describeNoPlugin(plugin: unknown, index: number): readonly string[] {
	const place = `plugins[${index}]`;
	if (typeof plugin === "function") return [`${place} is ${describeFunction(plugin)}`];
	if (Array.isArray(plugin)) return [`${place} is an array; spread it with three dots`];
	if (typeof plugin !== "object" || plugin === null) {
		return [`${place} is ${describe(plugin)}; is the name right under which it is imported?`];
	}
	if (isPromise(plugin)) return [`${place} is a promise; await it`];
	const { name, provides, needs } = plugin as Partial<Plugin>;
	if (typeof name !== "string" || name === "") {
		return [`${place} has no name; a plugin has a name, provides and needs`];
	}
	return [
		...describeNoTokens(name, "provides", provides),
		...describeNoTokens(name, "needs", needs),
		...describeNoMethods(name, plugin),
	];
}

function describeFunction(value: { readonly name: string }): string {
	const { name } = value;
	const called = name === "" ? "it" : name;
	const isClass = /^class\b/.test(Function.prototype.toString.call(value));
	return isClass
		? `the class ${called}; hand over an instance: new ${called}()`
		: `the function ${called}; call it: ${called}( … )`;
}

function describeNoTokens(name: string, member: "provides" | "needs", given: unknown): readonly string[] {
	if (!Array.isArray(given)) {
		return [`${name} has no array ${member}; write ${member}: [] when there is nothing`];
	}
	return Array.from(given as readonly unknown[]).flatMap((token) => {
		if (typeof token === "symbol") return [];
		const remedy =
			typeof token === "string"
				? `take ${constantOf(token) ?? "the constant"} of @reelkeep/core/ports, or createToken(${JSON.stringify(token)})`
				: "is there such a token in this version of @reelkeep/core, and no circle of imports?";
		return [`${name} ${member} ${describe(token)}, which is no token; ${remedy}`];
	});
}

const METHODS = ["register", "start", "stop", "check"] as const;

function describeNoMethods(name: string, plugin: Partial<Record<(typeof METHODS)[number], unknown>>) {
	return METHODS.filter((method) => plugin[method] !== undefined && typeof plugin[method] !== "function").map(
		(method) => `${method} of ${name} is ${describe(plugin[method])}; it must be a function or left out`,
	);
}

/** `EVENT_STORE` for `EventStore`. */
function constantOf(name: string): string | undefined {
	return Object.entries(tokens as Record<string, Token<unknown>>).find(
		([, token]) => Symbol.keyFor(token) === `@reelkeep/${name}`,
	)?.[0];
}

/** Names kinds, and quotes only what is short text: a value may hold a secret. */
function describe(value: unknown): string {
	if (value === undefined || value === null) return String(value);
	if (typeof value === "string" && value.length <= 64) return JSON.stringify(value);
	if (Array.isArray(value)) return "an array";
	return isPromise(value) ? "a promise" : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

export function isPromise(value: unknown): boolean {
	return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
