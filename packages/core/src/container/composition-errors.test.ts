// What a user is told who composes what cannot be composed.

import "reflect-metadata/lite";
import { container, inject, injectable } from "tsyringe";
import { describe, expect, test } from "vitest";
import { memoryStorage } from "../memory/plugin.js";
import { type CLOCK, createToken, EVENT_STORE, type Plugin, VIDEO_SOURCE } from "../ports/index.js";
import { CompositionError } from "./compose.js";
import { createReelkeep } from "./reelkeep.js";
import { compose } from "./test-reelkeep.js";

const A = createToken<object>("A");
const B = createToken<object>("B");
const plugin = (more: object): Plugin => ({ name: "test", provides: [], needs: [], ...more });

function problemOf(plugins: unknown): string {
	return told(() => createReelkeep({ plugins: plugins as readonly Plugin[] }));
}

function told(work: () => unknown): string {
	try {
		work();
	} catch (error) {
		if (error instanceof CompositionError || error instanceof TypeError) return error.message;
		throw error;
	}
	return "";
}

class Storage {}
const aFactory = memoryStorage;

describe("what is no plugin is told as what it is", () => {
	const cases: readonly (readonly [string, unknown, string])[] = [
		["nothing", undefined, "plugins is undefined; hand over an array: createReelkeep({ plugins: [ … ] })"],
		["a factory", [aFactory], "plugins[0] is the function memoryStorage; call it: memoryStorage( … )"],
		["a class", [Storage], "plugins[0] is the class Storage; hand over an instance: new Storage()"],
		["a promise", [Promise.resolve(memoryStorage())], "plugins[0] is a promise; await it"],
		[
			"undefined",
			[memoryStorage(), undefined],
			"plugins[1] is undefined; is the name right under which it is imported?",
		],
		["an array", [[memoryStorage()]], "plugins[0] is an array; spread it with three dots"],
		["an object", [{}], "plugins[0] has no name; a plugin has a name, provides and needs"],
		[
			"one without lists",
			[{ name: "mail" }],
			"mail has no array provides; write provides: [] when there is nothing\nmail has no array needs; write needs: [] when there is nothing",
		],
		[
			"a text for a token",
			[plugin({ needs: ["EventStore"] })],
			'test needs "EventStore", which is no token; take EVENT_STORE of @reelkeep/core/ports, or createToken("EventStore")',
		],
		[
			"a token that is not there",
			[plugin({ provides: [undefined] })],
			"test provides undefined, which is no token; is there such a token in this version of @reelkeep/core, and no circle of imports?",
		],
		[
			"a start that is no function",
			[plugin({ start: Promise.resolve() })],
			"start of test is a promise; it must be a function or left out",
		],
	];
	for (const [name, plugins, message] of cases) {
		test(name, () => expect(problemOf(plugins)).toBe(message));
	}
});

describe("tokens", () => {
	test("of another copy of this package are the same", () => {
		const foreign = Symbol.for("@reelkeep/EventStore");
		expect(problemOf([memoryStorage(), plugin({ needs: [foreign] })])).toBe("");
		const reelkeep = compose();
		expect(reelkeep.get(foreign)).toBe(reelkeep.get(EVENT_STORE));
	});

	test("that only have the name of one are told apart", () => {
		expect(problemOf([memoryStorage(), plugin({ needs: [Symbol("EventStore")] })])).toBe(
			'nothing provides EventStore, which test needs; this symbol is nobody else\'s: take the token of @reelkeep/core/ports, or createToken("EventStore")',
		);
	});
});

describe("a plugin's register", () => {
	const registering = (register: unknown): string =>
		problemOf([memoryStorage(), plugin({ provides: [A], register })]);

	test("that is asynchronous is refused, also when it rejects", () => {
		expect(registering(async () => Promise.reject(new Error("no")))).toBe(
			"register of test is asynchronous; it only says how ports are made, and what waits belongs into start",
		);
	});

	test("that registers a value in the place of a factory is told how to write it", () => {
		const register: Plugin["register"] = (registry) => registry.provide(A, {} as () => object);
		expect(registering(register)).toBe(
			"test registers A without a factory; write registry.provide(TOKEN, () => value)",
		);
	});

	test("whose factory makes nothing, or a promise, is named when somebody asks", () => {
		for (const [made, what] of [
			[undefined, "nothing"],
			[Promise.resolve({}), "a promise"],
		]) {
			const register: Plugin["register"] = (registry) => registry.provide(A, () => made as object);
			const reelkeep = compose({ plugins: [memoryStorage(), plugin({ provides: [A], register })] });
			expect(told(() => reelkeep.get(A))).toBe(
				`the factory of A of test returns ${what}; it must return the port, and start may open it`,
			);
		}
	});

	test("whose factories need each other is told so, before the stack overflows", () => {
		const register: Plugin["register"] = (registry) => {
			registry.provide(A, (get) => get(B));
			registry.provide(B, (get) => get(A));
		};
		const reelkeep = compose({ plugins: [memoryStorage(), plugin({ provides: [A, B], register })] });
		expect(told(() => reelkeep.get(A))).toBe(
			"A of test needs itself to be made, by way of other factories; let one of them ask for it later, in a call",
		);
	});
});

class Undecorated {
	readonly clock: unknown;
	constructor(clock: unknown) {
		this.clock = clock;
	}
}
class Lacking extends Undecorated {}
inject(VIDEO_SOURCE)(Lacking, undefined, 0);
injectable()(Lacking);

describe("get", () => {
	test("names what nobody provides, and who could", () => {
		expect(told(() => compose().get(VIDEO_SOURCE))).toBe(
			"nothing provides VideoSource; add archiver() of @reelkeep/archiver, or register your own",
		);
	});

	test("names the decorated class that needs it", () => {
		expect(told(() => compose().get(Lacking))).toBe(
			"nothing provides VideoSource, which Lacking needs; add archiver() of @reelkeep/archiver, or register your own",
		);
	});

	test("says how a class is decorated of which nothing is known", () => {
		expect(told(() => compose().get(Undecorated))).toMatch(
			/^Undecorated cannot be made: nothing is known of its parameters; write @injectable\(\) above it and @inject\(TOKEN\)/,
		);
	});

	test("of nothing asks whether the name is right", () => {
		expect(told(() => compose().get(undefined as unknown as typeof CLOCK))).toMatch(
			/^undefined is neither a token nor a class/,
		);
	});
});

describe("a container", () => {
	test("that is none is refused", () => {
		expect(told(() => compose({ container: {} as typeof container }))).toBe(
			"container is no container of tsyringe; leave it out if you have none",
		);
	});

	test("that was disposed of is refused", async () => {
		const mine = container.createChildContainer();
		await mine.dispose();
		expect(told(() => compose({ container: mine }))).toBe(
			"the container was disposed of; hand over one that is in use, and dispose of it after reelkeep.stop()",
		);
	});
});
