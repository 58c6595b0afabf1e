// What is behind a token or a class, with the container's own errors in words.

import type { DependencyContainer, InjectionToken } from "tsyringe";
import { createToken, type Token, tokenName } from "../ports/plugin.js";
import { CompositionError, describeMissing } from "./compose.js";

export type Resolve = <T>(what: Token<T> | InjectionToken<T>) => T;

/** Which composition's ports went into what tsyringe keeps for all of them. */
const madeWithPortsOf = new WeakMap<object, DependencyContainer>();

/**
 * *Shape*: `ownPorts` are the tokens that this composition provides.
 * *Errors*: throws a `CompositionError` for what nobody provides, for a class that cannot be made, and for a singleton that another
 * composition made with its ports; a factory's own error is passed on.
 */
export function createResolve(child: DependencyContainer, ownPorts: Iterable<Token<unknown>>): Resolve {
	let portsTaken = 0;
	const countPort = (): void => {
		portsTaken += 1;
	};
	for (const token of ownPorts) child.beforeResolution(token, countPort, { frequency: "Always" });

	/** What tsyringe keeps outside our child it keeps for every composition: with our ports in it, it can be only ours. */
	const resolveUsers = <T>(what: InjectionToken<T>): T => {
		const before = portsTaken;
		const made = child.resolve(what);
		if (!isObject(made)) return made;
		const owner = madeWithPortsOf.get(made);
		if (owner !== undefined && owner !== child) throw new CompositionError([describeShared(what)]);
		if (portsTaken > before) madeWithPortsOf.set(made, child);
		return made;
	};

	return <T>(what: Token<T> | InjectionToken<T>): T => {
		if (what === undefined || what === null) {
			throw new CompositionError([
				`${what} is neither a token nor a class; is its name right, and is there no circle of imports?`,
			]);
		}
		try {
			return child.isRegistered(what) ? child.resolve(what) : resolveUsers(what);
		} catch (error) {
			throw inWords(error) ?? error;
		}
	};
}

function isObject(made: unknown): made is object {
	return (typeof made === "object" && made !== null) || typeof made === "function";
}

function describeShared(what: InjectionToken<unknown>): string {
	const name =
		typeof what === "symbol" ? tokenName(what) : typeof what === "function" ? what.name : String(what);
	return `${name} is a singleton, and was made with the ports of another Reelkeep; write @scoped(Lifecycle.ContainerScoped) above it instead of @singleton(), or register it so, and each Reelkeep makes its own`;
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
