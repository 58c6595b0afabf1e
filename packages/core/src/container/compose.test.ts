import { describe, expect, test } from "vitest";
import {
	createToken,
	EVENT_STORE,
	KEYRING,
	LOGGER,
	type Plugin,
	RECEIVE,
	type Token,
} from "../ports/index.js";
import { CompositionError, orderPlugins } from "./compose.js";

const plugin = (
	name: string,
	provides: readonly Token<unknown>[] = [],
	needs: readonly Token<unknown>[] = [],
): Plugin => ({ name, provides, needs });
const A = createToken<string>("A");
const B = createToken<string>("B");
const C = createToken<string>("C");

const orderOf = (plugins: readonly Plugin[], outside: readonly Token<unknown>[] = []): readonly string[] =>
	orderPlugins(plugins, (token) => outside.includes(token)).map(({ name }) => name);

function problemOf(plugins: readonly Plugin[]): string {
	try {
		orderOf(plugins);
	} catch (error) {
		if (error instanceof CompositionError) return error.message;
		throw error;
	}
	return "";
}

describe("a composition that cannot work", () => {
	test("names what nobody provides, who needs it and what could provide it", () => {
		expect(problemOf([plugin("mail", [], [EVENT_STORE])])).toBe(
			"nothing provides EventStore, which mail needs; add fsStorage() of @reelkeep/storage-fs, or memoryStorage() of @reelkeep/core, or register your own",
		);
		expect(problemOf([plugin("mail", [], [A]), plugin("chat", [], [A])])).toBe(
			"nothing provides A, which mail and chat need; register it in the container",
		);
	});

	test("names the two that provide the same", () => {
		expect(problemOf([plugin("disk", [EVENT_STORE, KEYRING]), plugin("memory", [EVENT_STORE])])).toBe(
			"disk and memory both provide EventStore; leave one of them out, or take a part of it with pickPorts",
		);
	});

	test("names three that provide the same", () => {
		expect(problemOf([plugin("x", [A]), plugin("y", [A]), plugin("z", [A])])).toMatch(
			/^x, y and z all provide A;/,
		);
	});

	test("names a name that stands twice", () => {
		expect(problemOf([plugin("disk"), plugin("mail"), plugin("disk"), plugin("disk")])).toBe(
			"two plugins are named disk; give one of them another name",
		);
	});

	test("names the plugins in a circle of needs", () => {
		const message = problemOf([plugin("a", [A], [B]), plugin("b", [B], [C]), plugin("c", [C], [A])]);
		expect(message).toBe(
			"plugins need each other in a circle: a → b → c → a; split one, or take the token out of its needs and ask for it after its start",
		);
	});

	test("has all its problems named at once, one a line", () => {
		const error = (() => {
			try {
				return orderOf([plugin("x", [A], [B]), plugin("x", [A], [C])]);
			} catch (it) {
				return it;
			}
		})();
		expect(error).toMatchObject({ _tag: "CompositionError", name: "CompositionError" });
		expect(String((error as Error).message).split("\n")).toEqual([
			"two plugins are named x; give one of them another name",
			"x and x both provide A; leave one of them out, or take a part of it with pickPorts",
			"nothing provides B, which x needs; register it in the container",
			"nothing provides C, which x needs; register it in the container",
		]);
	});
});

describe("the order of the start", () => {
	test("puts each plugin behind those that provide what it needs", () => {
		const http = plugin("http", [], [RECEIVE, LOGGER]);
		const core = plugin("core", [RECEIVE], [EVENT_STORE]);
		const disk = plugin("disk", [EVENT_STORE]);
		const pino = plugin("pino", [LOGGER]);
		expect(orderOf([http, core, disk, pino])).toEqual(["disk", "core", "pino", "http"]);
		expect(orderOf([pino, disk, core, http])).toEqual(["pino", "disk", "core", "http"]);
	});

	test("is the given one where nothing depends on it", () => {
		expect(orderOf([plugin("c"), plugin("a"), plugin("b")])).toEqual(["c", "a", "b"]);
	});

	test("does not wait for what is provided outside, or by the plugin itself", () => {
		expect(orderOf([plugin("a", [], [A]), plugin("b", [B], [B])], [A])).toEqual(["a", "b"]);
	});

	test("takes a plugin that two others need once", () => {
		expect(orderOf([plugin("b", [B], [A]), plugin("c", [C], [A]), plugin("a", [A])])).toEqual([
			"a",
			"b",
			"c",
		]);
	});
});
