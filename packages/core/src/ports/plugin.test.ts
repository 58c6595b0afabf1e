import { describe, expect, test } from "vitest";
import { createToken, type Get, type Plugin, pickPorts, type Token, tokenName } from "./plugin.js";

const A = createToken<string>("A");
const B = createToken<string>("B");
const C = createToken<string>("C");

/** A class, so that what is picked must call its methods on it. */
class Disk implements Plugin {
	readonly name = "disk";
	readonly provides = [A, B];
	readonly needs = [C];
	readonly #calls: string[] = [];
	register(registry: Parameters<NonNullable<Plugin["register"]>>[0]): void {
		for (const token of this.provides) registry.provide(token, () => tokenName(token));
	}
	async start(): Promise<void> {
		this.#calls.push("start");
	}
	async stop(): Promise<void> {
		this.#calls.push("stop");
	}
	async check() {
		return this.#calls.map((message) => ({ source: this.name, message }));
	}
}

function registeredBy(plugin: Plugin): readonly string[] {
	const names: string[] = [];
	plugin.register?.({ provide: (token: Token<unknown>) => void names.push(tokenName(token)) });
	return names;
}

describe("ports picked of a plugin", () => {
	test("are refused by name when the plugin does not provide them", () => {
		expect(() => pickPorts(new Disk(), [A, C, createToken("D")])).toThrow(
			new TypeError("disk does not provide C and D"),
		);
	});

	test("are all that it provides and registers", () => {
		const picked = pickPorts(new Disk(), [B]);
		expect(picked).toMatchObject({ name: "disk", provides: [B], needs: [C] });
		expect(registeredBy(picked)).toEqual(["B"]);
	});

	test("hide no mistake: what the plugin registers without saying so reaches the registry", () => {
		const liar: Plugin = { ...pickPorts(new Disk(), [A]), register: (it) => it.provide(C, () => "C") };
		expect(registeredBy(pickPorts(liar, [A]))).toEqual(["C"]);
	});

	test("come with the plugin's start, stop and check, as it has them", async () => {
		const picked = pickPorts(new Disk(), [A]);
		const get: Get = () => {
			throw new Error("nothing is asked for");
		};
		await picked.start?.(get);
		await picked.stop?.();
		expect((await picked.check?.())?.map(({ message }) => message)).toEqual(["start", "stop"]);
		const bare = pickPorts({ name: "bare", provides: [], needs: [] }, []);
		await bare.start?.(get);
		expect(await bare.check?.()).toEqual([]);
	});
});
