// How a plugin's factories come into the container: each is called once, and what it makes must be something.

import { type DependencyContainer, instanceCachingFactory } from "tsyringe";
import { type Get, type Plugin, type Registry, type Token, tokenName } from "../ports/plugin.js";
import { isPromise } from "./check-plugins.js";
import { CompositionError, joinNames } from "./compose.js";

/**
 * Registers what `plugin` provides and `isUsers` does not say is the user's.
 * *Errors*: throws a `TypeError` when it registers other than what it says that it provides.
 */
export function registerPlugin(
	plugin: Plugin,
	into: { readonly child: DependencyContainer; readonly isUsers: (token: Token<unknown>) => boolean },
	get: Get,
): void {
	const registered = new Set<Token<unknown>>();
	const registry: Registry = {
		provide(token, factory) {
			checkProvide(plugin, token, factory);
			registered.add(token);
			const make = instanceCachingFactory(makeOnce(plugin, token, () => factory(get)));
			if (!into.isUsers(token)) into.child.register(token, { useFactory: make });
		},
	};
	const result: unknown = plugin.register?.(registry);
	if (isPromise(result)) {
		(result as Promise<unknown>).then(undefined, () => undefined);
		throw new TypeError(
			`register of ${plugin.name} is asynchronous; it only says how ports are made, and what waits belongs into start`,
		);
	}
	const missing = plugin.provides.filter((token) => !registered.has(token)).map(tokenName);
	if (missing.length === 0) return;
	throw new TypeError(
		`${plugin.name} says that it provides ${joinNames(missing)}, but registers none; call registry.provide in its register, or take it out of provides`,
	);
}

function checkProvide(plugin: Plugin, token: Token<unknown>, factory: unknown): void {
	if (!plugin.provides.includes(token)) {
		const name = typeof token === "symbol" ? tokenName(token) : String(token);
		throw new TypeError(
			`${plugin.name} registers ${name} without saying that it provides it; add the token to its provides`,
		);
	}
	if (typeof factory !== "function") {
		throw new TypeError(
			`${plugin.name} registers ${tokenName(token)} without a factory; write registry.provide(TOKEN, () => value)`,
		);
	}
}

/** Tells factories that need each other from a stack that overflows, and nothing from something. */
function makeOnce<Made>(plugin: Plugin, token: Token<unknown>, make: () => Made): () => Made {
	let isUnderWay = false;
	return () => {
		const port = `${tokenName(token)} of ${plugin.name}`;
		if (isUnderWay) {
			throw new CompositionError([
				`${port} needs itself to be made, by way of other factories; let one of them ask for it later, in a call`,
			]);
		}
		isUnderWay = true;
		try {
			const made = make();
			if (made === undefined || made === null || isPromise(made)) {
				const what = made === undefined || made === null ? "nothing" : "a promise";
				throw new CompositionError([
					`the factory of ${port} returns ${what}; it must return the port, and start may open it`,
				]);
			}
			return made;
		} finally {
			isUnderWay = false;
		}
	};
}
