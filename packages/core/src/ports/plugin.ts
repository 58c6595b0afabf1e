// The plugin contract: what a storage, an ingress or a worker hands to `createReelkeep`.

import type { Problem } from "./runtime.js";

/** Names what a plugin provides or needs. A plain symbol, so that any container and `@inject(TOKEN)` accept it. */
export type Token<T> = symbol & { readonly __provides?: T };

/** Makes the token of `name`; the same name gives the same token, also from another copy of this package. */
export function createToken<T>(name: string): Token<T> {
	return Symbol.for(`@reelkeep/${name}`) as Token<T>;
}

/** `EventStore` for the token that `createToken("EventStore")` made. */
export function tokenName(token: Token<unknown>): string {
	return (Symbol.keyFor(token) ?? String(token.description)).replace(/^@reelkeep\//, "");
}

export type Get = <T>(token: Token<T>) => T;

export interface Registry {
	/** Says how to make what `token` names; called once at most, when somebody first asks for it. */
	provide<T>(token: Token<T>, factory: (get: Get) => T): void;
}

export interface Plugin {
	readonly name: string;
	readonly provides: readonly Token<unknown>[];
	/** What must be there before this plugin starts. */
	readonly needs: readonly Token<unknown>[];
	/** Registers a factory for each provided token. Does no work yet. */
	register?(registry: Registry): void;
	/** Opens files, binds sockets, starts loops. A rejection rolls back what has started. */
	start?(get: Get): Promise<void>;
	/** Undoes `start`; called once, in reverse order of the start, also after a failed `start`, its own included. */
	stop?(): Promise<void>;
	/** What is wrong with this plugin now, for `/readyz`. */
	check?(): Promise<readonly Problem[]>;
}

/**
 * The same plugin, but of what it provides only `tokens`: for a storage of which another provides the rest. It starts and
 * stops as before; what it takes of the ports that were left out, it gets from whoever provides them, listed before it.
 * *Errors*: throws a `TypeError` for a token that `plugin` does not provide.
 */
export function pickPorts(plugin: Plugin, tokens: readonly Token<unknown>[]): Plugin {
	const foreign = tokens.filter((token) => !plugin.provides.includes(token)).map(tokenName);
	if (foreign.length > 0) throw new TypeError(`${plugin.name} does not provide ${foreign.join(" and ")}`);
	return {
		name: plugin.name,
		provides: [...tokens],
		needs: plugin.needs,
		register: (registry) =>
			plugin.register?.({
				provide(token, factory) {
					const isLeftOut = plugin.provides.includes(token) && !tokens.includes(token);
					if (!isLeftOut) registry.provide(token, factory);
				},
			}),
		start: async (get) => plugin.start?.(get),
		stop: async () => plugin.stop?.(),
		check: async () => (await plugin.check?.()) ?? [],
	};
}
