import "reflect-metadata/lite";
import { container as globalContainer } from "tsyringe";
import { describe, expect, test, vi } from "vitest";
import type { ReelkeepEvent } from "../events.js";
import { createMemoryEventStore } from "../memory/event-store.js";
import { memoryStorage } from "../memory/plugin.js";
import {
	createToken,
	EVENT_STORE,
	HEALTH,
	LOGGER,
	type Plugin,
	RECEIVE,
	type ReadAllOptions,
	type Receive,
	storeFault,
	type Token,
	VIDEO_STORE,
} from "../ports/index.js";
import * as tokens from "../ports/tokens.js";
import { isRecordingStream } from "../recording-id.js";
import { systemClock } from "./defaults.js";
import { createReelkeep, type Reelkeep } from "./reelkeep.js";
import { compose, LINK, report, started } from "./test-reelkeep.js";

const plugin = (more: Partial<Plugin>): Plugin => ({ name: "test", provides: [], needs: [], ...more });

async function typesIn(reelkeep: Reelkeep): Promise<readonly string[]> {
	const types: string[] = [];
	for await (const { type } of reelkeep.store.readAll()) types.push(type);
	return types;
}

describe("a composition", () => {
	test("is refused in words when a port is missing, when it is created and not later", () => {
		expect(() => createReelkeep({ plugins: [] })).toThrow(
			/^nothing provides EventStore, which reelkeep needs; add fsStorage\(\).*\nnothing provides Keyring/,
		);
	});

	test("is refused when two provide the same port, or a plugin takes the core's place or name", () => {
		const other = plugin({ name: "disk", provides: [EVENT_STORE] });
		expect(() => compose({ plugins: [memoryStorage(), other] })).toThrow(
			"memory-storage and disk both provide EventStore; leave one of them out",
		);
		const receiver = plugin({ name: "mine", provides: [RECEIVE] });
		expect(() => compose({ plugins: [memoryStorage(), receiver] })).toThrow(
			"reelkeep and mine both provide Receive; leave one of them out",
		);
		expect(() => compose({ plugins: [memoryStorage(), plugin({ name: "reelkeep" })] })).toThrow(
			"two plugins are named reelkeep; give one of them another name",
		);
	});

	test("is refused when a plugin registers what it does not say that it provides", () => {
		const liar = plugin({ register: (registry) => registry.provide(LOGGER, (get) => get(LOGGER)) });
		expect(() => compose({ plugins: [memoryStorage(), liar] })).toThrow(
			/test registers .*Logger without saying/,
		);
	});

	test("is refused when a plugin does not register what it says that it provides", () => {
		const lazy = plugin({ provides: [tokens.VERIFIER] });
		expect(() => compose({ plugins: [memoryStorage(), lazy] })).toThrow(
			"test says that it provides Verifier, but registers none",
		);
	});

	test("makes nothing before it is asked for, and each port once", async () => {
		const WORD = createToken<object>("Word");
		let made = 0;
		const words = plugin({
			provides: [WORD],
			register: (registry) =>
				registry.provide(WORD, () => {
					made += 1;
					return {};
				}),
		});
		const reelkeep = await started({ plugins: [memoryStorage(), words] });
		expect(made).toBe(0);
		expect(reelkeep.get(WORD)).toBe(reelkeep.get(WORD));
		expect(made).toBe(1);
	});

	test("lets a plugin take the place of a default", () => {
		const logger = { ...compose().get(LOGGER) };
		const logging = plugin({
			provides: [LOGGER],
			register: (registry) => registry.provide(LOGGER, () => logger),
		});
		expect(compose({ plugins: [logging, memoryStorage()] }).get(LOGGER)).toBe(logger);
	});

	test("takes a plugin that is an instance of a class", async () => {
		class Counting implements Plugin {
			readonly name = "counting";
			readonly provides: readonly Token<unknown>[] = [];
			readonly needs = [EVENT_STORE];
			calls: string[] = [];
			async start(): Promise<void> {
				this.calls.push("start");
			}
			async stop(): Promise<void> {
				this.calls.push("stop");
			}
		}
		const counting = new Counting();
		const reelkeep = await started({ plugins: [counting, memoryStorage()] });
		await reelkeep.stop();
		expect(counting.calls).toEqual(["start", "stop"]);
	});

	test("starts what others need first, stops it last, and rolls a partial start back", async () => {
		const calls: string[] = [];
		const step = (name: string, needs: readonly Token<unknown>[], fails = false): Plugin => ({
			name,
			provides: [],
			needs,
			start: async () => {
				calls.push(`start ${name}`);
				if (fails) throw new Error("address in use");
			},
			stop: async () => void calls.push(`stop ${name}`),
		});
		const disk = { ...memoryStorage(), ...step("disk", []), provides: memoryStorage().provides };
		const reelkeep = compose({ plugins: [step("http", [RECEIVE], true), step("mail", []), disk] });
		await expect(reelkeep.start()).rejects.toThrow("address in use");
		expect(calls).toEqual(["start disk", "start http", "stop http", "stop disk"]);
		expect(() => reelkeep.subscribe("mail", async () => undefined)).toThrow();
	});
});

describe("before start and after stop", () => {
	test("receive does not reject when its store cannot be made", async () => {
		const broken = plugin({
			provides: [EVENT_STORE],
			register: (registry) =>
				registry.provide(EVENT_STORE, () => {
					throw storeFault("closed", "the directory is not open");
				}),
		});
		const { provides } = memoryStorage();
		const rest = { ...memoryStorage(), provides: provides.filter((token) => token !== EVENT_STORE) };
		const register: Plugin["register"] = (registry) =>
			memoryStorage().register?.({
				provide: (token, factory) => {
					if (token !== EVENT_STORE) registry.provide(token, factory);
				},
			});
		const reelkeep = compose({ plugins: [broken, { ...rest, register }] });
		expect(await reelkeep.receive(report())).toMatchObject({ _tag: "Unavailable", reason: "fault" });
	});

	test("what cannot be decoded is answered at once too, to be sent again, and is kept once Reelkeep runs", async () => {
		const reelkeep = compose();
		const undecodable = { ...report(), requestParam: "{" };
		const unavailable = {
			_tag: "Unavailable",
			reason: "fault",
			message: "the report could not be stored; is Reelkeep started, and not stopped?",
		};
		vi.useFakeTimers({ toFake: ["setTimeout"] });
		try {
			expect(await reelkeep.receive(undecodable)).toEqual(unavailable);
		} finally {
			vi.useRealTimers();
		}
		const starting = reelkeep.start();
		expect(await reelkeep.receive(undecodable)).toEqual(unavailable);
		await starting;
		expect(await reelkeep.receive(undecodable)).toMatchObject({ _tag: "Quarantined" });
	});

	test("what comes after the stop is not recorded, through whichever door", async () => {
		const reelkeep = await started();
		const door = reelkeep.get(RECEIVE);
		await reelkeep.stop();
		const unavailable = {
			_tag: "Unavailable",
			reason: "fault",
			message: "this Reelkeep was stopped: nothing can be received any more",
		};
		expect(await reelkeep.receive(report())).toEqual(unavailable);
		expect(await door(report())).toEqual(unavailable);
		expect(await reelkeep.health.check()).toEqual([{ source: "reelkeep", message: unavailable.message }]);
		for await (const event of reelkeep.store.readAll()) expect.unreachable(event.type);
	});

	test("what an ingress still has when it is stopped is recorded", async () => {
		const outcomes: unknown[] = [];
		let receive: Receive | undefined;
		const ingress: Plugin = {
			name: "ingress",
			provides: [],
			needs: [RECEIVE],
			start: async (get) => {
				receive = get(RECEIVE);
			},
			stop: async () => void outcomes.push(await receive?.(report())),
		};
		const reelkeep = await started({ plugins: [ingress, memoryStorage()] });
		await reelkeep.stop();
		expect(outcomes).toMatchObject([{ _tag: "Reported" }]);
	});

	test("a stop ends subscriptions before the stores, and waits for their handlers", async () => {
		const calls: string[] = [];
		const disk = { ...memoryStorage(), stop: async () => void calls.push("disk stopped") };
		const reelkeep = await started({ plugins: [disk] });
		await reelkeep.receive(report());
		let begun = (): void => undefined;
		const busy = new Promise<void>((resolve) => {
			begun = resolve;
		});
		const subscription = reelkeep.subscribe("mail", async () => {
			begun();
			await new Promise((resolve) => setTimeout(resolve, 20));
			calls.push("handled");
		});
		await busy;
		await Promise.all([reelkeep.stop(), reelkeep.stop()]);
		await subscription.ended;
		expect(calls).toEqual(["handled", "disk stopped"]);
	});

	test("a stop ends the live events before the stores", async () => {
		const calls: string[] = [];
		const disk = { ...memoryStorage(), stop: async () => void calls.push("disk stopped") };
		const mine = globalContainer.createChildContainer();
		const store = createMemoryEventStore({ clock: systemClock });
		mine.register(EVENT_STORE, {
			useValue: {
				...store,
				async *readAll(options?: ReadAllOptions) {
					yield* store.readAll(options);
					await new Promise((resolve) => setTimeout(resolve, 10));
					calls.push("read");
				},
			},
		});
		const reelkeep = await started({ plugins: [disk], container: mine });
		await reelkeep.stop();
		expect(calls.at(-1)).toBe("disk stopped");
		const count = calls.length;
		await new Promise((resolve) => setTimeout(resolve, 30));
		expect(calls).toHaveLength(count);
	});
});

describe("a running Reelkeep", () => {
	test("receives, follows durably, and reveals a link when asked by name", async () => {
		const reelkeep = await started();
		expect(await reelkeep.receive(report())).toMatchObject({ _tag: "Reported" });
		const handled: ReelkeepEvent[] = [];
		const subscription = reelkeep.subscribe(
			"mail",
			async (event) => void handled.push(event as ReelkeepEvent),
		);
		await subscription.whenCaughtUp();
		const [event] = handled;
		if (event?.type !== "RecordingReported") throw new Error("not reported");
		expect(isRecordingStream(event.stream)).toBe(true);
		expect(JSON.stringify(event)).not.toContain("secret");
		expect(await reelkeep.revealLink(event)).toBe(LINK);
	});

	test("asks every plugin for its problems; one whose check fails is a problem, in no words of its own", async () => {
		const ill = plugin({ name: "ill", check: async () => [{ source: "ill", message: "the disk is full" }] });
		const broken = plugin({ name: "broken", check: () => Promise.reject(new TypeError(LINK)) });
		const reelkeep = await started({ plugins: [memoryStorage(), ill, broken] });
		expect(await reelkeep.health.check()).toEqual([
			{ source: "ill", message: "the disk is full" },
			{ source: "broken", message: "its check failed: TypeError" },
		]);
		expect(reelkeep.get(HEALTH)).toBe(reelkeep.health);
	});

	test("has nothing in common with another one in the same process", async () => {
		const [one, two] = [await started(), await started()];
		const heard: string[] = [];
		one.events.on("RecordingReported", () => void heard.push("one"));
		two.events.on("RecordingReported", () => void heard.push("two"));
		expect(one.store).not.toBe(two.store);
		expect(await one.receive(report())).toMatchObject({ _tag: "Reported" });
		expect(await two.receive(report())).toMatchObject({ _tag: "Reported" });
		await one.stop();
		expect(await two.receive(report("later"))).toMatchObject({ _tag: "Reported" });
		await vi.waitFor(() => expect(heard).toEqual(["one", "two", "two"]));
		expect([await typesIn(one), await typesIn(two)]).toEqual([
			["RecordingReported"],
			["RecordingReported", "RecordingReported"],
		]);
	});

	test("leaves the global container as it was, and takes nothing from it", async () => {
		const reelkeep = await started();
		await reelkeep.receive(report());
		for (const token of Object.values(tokens)) expect(globalContainer.isRegistered(token)).toBe(false);
		for (const token of Object.values(tokens)) globalContainer.register(token, { useValue: "foreign" });
		try {
			expect(() => createReelkeep({ plugins: [] })).toThrow("nothing provides EventStore");
			expect(compose().get(LOGGER)).not.toBe("foreign");
			expect(compose().get(VIDEO_STORE)).not.toBe("foreign");
		} finally {
			globalContainer.reset();
		}
	});
});
