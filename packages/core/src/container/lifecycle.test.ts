import { describe, expect, test } from "vitest";
import { silentLogger } from "../observe.js";
import type { Get, Plugin } from "../ports/index.js";
import { createLifecycle } from "./lifecycle.js";

const get: Get = () => {
	throw new Error("nothing is registered");
};

function given(flaws: Readonly<Record<string, "start" | "stop" | "both">> = {}, names = ["a", "b", "c"]) {
	const calls: string[] = [];
	const plugin = (name: string): Plugin => {
		const run = (what: "start" | "stop") => async (): Promise<void> => {
			calls.push(`${what} ${name}`);
			await new Promise((resolve) => setImmediate(resolve));
			if (flaws[name] === what || flaws[name] === "both") throw new Error(`${name} does not ${what}`);
			calls.push(`${what}ed ${name}`);
		};
		return { name, provides: [], needs: [], start: run("start"), stop: run("stop") };
	};
	const lifecycle = createLifecycle(names.map(plugin), get, () => silentLogger);
	return { lifecycle, calls };
}
const pair = (what: string, ...names: readonly string[]): readonly string[] =>
	names.flatMap((name) => [`${what} ${name}`, `${what}ed ${name}`]);

describe("a partial start", () => {
	test("is rolled back in reverse, the one that failed included, and its reason is told", async () => {
		const { lifecycle, calls } = given({ b: "start" });
		await expect(lifecycle.start()).rejects.toThrow("b does not start");
		expect(calls).toEqual([...pair("start", "a"), "start b", ...pair("stop", "b", "a")]);
	});

	test("tells why it failed, not why the rollback did", async () => {
		const { lifecycle, calls } = given({ b: "both" });
		await expect(lifecycle.start()).rejects.toThrow("b does not start");
		expect(calls.slice(-3)).toEqual(["stop b", ...pair("stop", "a")]);
	});

	test("is over once: stop has nothing left to do, start fails again with the same reason", async () => {
		const { lifecycle, calls } = given({ c: "start" });
		const reason = await lifecycle.start().catch((error: unknown) => error);
		const count = calls.length;
		await expect(lifecycle.start()).rejects.toBe(reason);
		await lifecycle.stop();
		expect(calls).toHaveLength(count);
	});
});

describe("a stop that fails", () => {
	test("asks every plugin all the same, and tells all the reasons", async () => {
		const { lifecycle, calls } = given({ a: "stop", c: "stop" });
		await lifecycle.start();
		calls.length = 0;
		const error = await lifecycle.stop().catch((it: unknown) => it);
		expect(calls).toEqual(["stop c", ...pair("stop", "b"), "stop a"]);
		expect(error).toBeInstanceOf(AggregateError);
		expect((error as AggregateError).errors.map(String)).toEqual([
			"Error: c does not stop",
			"Error: a does not stop",
		]);
	});

	test("names the plugins that did not stop", async () => {
		const { lifecycle } = given({ a: "stop", c: "stop" });
		await lifecycle.start();
		await expect(lifecycle.stop()).rejects.toThrow("did not stop cleanly: c and a");
	});

	test("is told to all who ask for the stop", async () => {
		const { lifecycle } = given({ a: "stop" });
		await lifecycle.start();
		const reasons = await Promise.all(
			[lifecycle.stop(), lifecycle.stop()].map((it) => it.catch((error: unknown) => error)),
		);
		expect(reasons[0]).toBeInstanceOf(AggregateError);
		expect(reasons[1]).toBe(reasons[0]);
		await expect(lifecycle.stop()).rejects.toBe(reasons[0]);
	});
});

describe("a plugin that hangs", () => {
	for (const what of ["start", "stop"] as const) {
		test(`is named while it does not ${what}`, async () => {
			const told: unknown[] = [];
			const logger = { ...silentLogger, warn: (...line: unknown[]) => void told.push(line) };
			let release = (): void => undefined;
			const hanging = new Promise<void>((resolve) => {
				release = resolve;
			});
			let slow = (): void => undefined;
			const sleep = () =>
				new Promise<void>((resolve) => {
					slow = resolve;
				});
			const plugin: Plugin = { name: "disk", provides: [], needs: [], [what]: () => hanging };
			const lifecycle = createLifecycle([plugin], get, () => logger, sleep);
			const starting = lifecycle.start();
			const stopping = what === "stop" ? starting.then(() => lifecycle.stop()) : starting;
			await new Promise((resolve) => setImmediate(resolve));
			expect(told).toEqual([]);
			slow();
			await new Promise((resolve) => setImmediate(resolve));
			const message = what === "start" ? "plugin is still starting" : "plugin is still stopping";
			expect(told).toEqual([[{ plugin: "disk", waitedMs: 10_000 }, message]]);
			release();
			await stopping;
		});
	}

	test("and one that rejects with nothing is named too", async () => {
		const plugin: Plugin = { name: "disk", provides: [], needs: [], start: () => Promise.reject(undefined) };
		const lifecycle = createLifecycle([plugin], get, () => silentLogger);
		await expect(lifecycle.start()).rejects.toThrow("disk did not start, and does not say why");
	});
});

describe("a lifecycle", () => {
	test("starts in order, one after the other, and stops in reverse, each once", async () => {
		const { lifecycle, calls } = given();
		await Promise.all([lifecycle.start(), lifecycle.start()]);
		expect(calls).toEqual(pair("start", "a", "b", "c"));
		calls.length = 0;
		await Promise.all([lifecycle.stop(), lifecycle.stop()]);
		await lifecycle.stop();
		expect(calls).toEqual(pair("stop", "c", "b", "a"));
	});

	test("stops only when a start under way is through", async () => {
		const { lifecycle, calls } = given();
		const starting = lifecycle.start();
		await lifecycle.stop();
		await starting;
		expect(calls).toEqual([...pair("start", "a", "b", "c"), ...pair("stop", "c", "b", "a")]);
	});

	test("that never started has nothing to stop, and does not start afterwards", async () => {
		const { lifecycle, calls } = given();
		await lifecycle.stop();
		await expect(lifecycle.start()).rejects.toThrow("a stopped Reelkeep does not start again");
		expect(calls).toEqual([]);
	});

	test("takes plugins that have nothing to start or stop", async () => {
		const lifecycle = createLifecycle([{ name: "a", provides: [], needs: [] }], get, () => silentLogger);
		await lifecycle.start();
		await lifecycle.stop();
	});
});
