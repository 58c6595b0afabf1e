// What is behind a token or a class, with the container's own errors in words.

import type { DependencyContainer, InjectionToken } from "tsyringe";
import { createToken, type Token } from "../ports/plugin.js";
import { CompositionError, describeMissing } from "./compose.js";

export type Resolve = <T>(what: Token<T> | InjectionToken<T>) => T;

/** *Errors*: throws a `CompositionError` for what nobody provides and for a class that cannot be made; a factory's own error is passed on. */
export function createResolve(child: DependencyContainer): Resolve {
	return <T>(what: Token<T> | InjectionToken<T>): T => {
		if (what === undefined || what === null) {
			throw new CompositionError([
				`${what} is neither a token nor a class; is its name right, and is there no circle of imports?`,
			]);
		}
		try {
			return child.resolve(what);
		} catch (error) {
			throw inWords(error) ?? error;
		}
	};
}

/** Opens the container that Reelkeep works in. *Errors*: throws a `CompositionError` when `parent` cannot be used. */
export function createChild(parent: DependencyContainer): DependencyContainer {
	if (typeof parent?.createChildContainer !== "function") {
		throw new CompositionError(["container is no container of tsyringe; leave it out if you have none"]);
	}
	try {
		return parent.createChildContainer();
	} catch (error) {
		throw inWords(error) ?? error;
	}
}

const MISSING = /Attempted to resolve unregistered dependency token: "(?:Symbol\()?(.*?)\)?"/;
const UNDECORATED = /TypeInfo not known for "(.*?)"/;
const UNDEFINED = /Attempted to construct an undefined constructor/;
const DISPOSED = /^This container has been disposed/;

/** tsyringe's errors have no codes; one that reads otherwise in another version is passed on as it is. */
function inWords(error: unknown): CompositionError | undefined {
	if (!(error instanceof Error) || error.name !== "Error") return undefined;
	const { message } = error;
	const [, user] = /^Cannot inject the dependency .* of "(.*?)" constructor/.exec(message) ?? [];
	const [, missing] = MISSING.exec(message) ?? [];
	if (missing !== undefined) {
		const token = createToken(missing.replace(/^@reelkeep\//, ""));
		return new CompositionError([describeMissing(token, user === undefined ? [] : [user])], error);
	}
	const [, undecorated] = UNDECORATED.exec(message) ?? [];
	if (undecorated !== undefined) {
		return new CompositionError(
			[
				`${undecorated} cannot be made: nothing is known of its parameters; write @injectable() above it and @inject(TOKEN) before each parameter, which esbuild and tsx need, and have one copy of tsyringe installed`,
			],
			error,
		);
	}
	if (UNDEFINED.test(message)) {
		const whose = user === undefined ? "a class" : `a parameter of ${user}`;
		return new CompositionError(
			[
				`${whose} is undefined when it is decorated; name a token, @inject(TOKEN), or break the circle of imports`,
			],
			error,
		);
	}
	if (!DISPOSED.test(message)) return undefined;
	return new CompositionError(
		["the container was disposed of; hand over one that is in use, and dispose of it after reelkeep.stop()"],
		error,
	);
}
