import { describe, expect, test } from "vitest";
import type { ReelkeepEvent } from "./events.js";
import { createLiveEmitter } from "./live-events.js";
import { type Logger, toPosition } from "./ports/index.js";

const expiredAt = (serial: number): ReelkeepEvent => ({
	id: `event-${serial}`,
	type: "LinkExpired",
	schemaVersion: 1,
	stream: "recording-a",
	version: serial,
	position: toPosition(serial),
	recordedAt: 0,
	metadata: {},
	data: { cause: "refused", attempts: 1, message: "refused" },
});
const abandoned: ReelkeepEvent = {
	...expiredAt(9),
	type: "ArchiveAbandoned",
	data: { cause: "too-large", attempts: 1, message: "too large" },
};

function given(logger: Partial<Logger> = {}) {
	const logged: object[] = [];
	const log = (details: object): void => void logged.push(details);
	const emitter = createLiveEmitter({ trace: log, debug: log, info: log, warn: log, error: log, ...logger });
	const heard: string[] = [];
	const hear =
		(name: string) =>
		({ id }: ReelkeepEvent): void =>
			void heard.push(`${name}:${id}`);
	return { emitter, heard, hear, logged };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a live listener", () => {
	test("that throws or rejects stops nobody, and is logged by name only", async () => {
		const { emitter, heard, hear, logged } = given();
		emitter.on("LinkExpired", () => {
			throw new TypeError("secret words");
		});
		emitter.on("LinkExpired", async () => {
			await turn();
			throw "secret words";
		});
		emitter.once("LinkExpired", () => Promise.reject(new RangeError("secret words")));
		emitter.on("LinkExpired", hear("last"));
		emitter.emit(expiredAt(1));
		emitter.emit(expiredAt(2));
		expect(heard).toEqual(["last:event-1", "last:event-2"]);
		await turn();
		await turn();
		const of = (id: string, error: string) => ({ type: "LinkExpired", id, error });
		expect(logged).toHaveLength(5);
		expect(logged).toEqual(
			expect.arrayContaining([
				of("event-1", "TypeError"),
				of("event-1", "RangeError"),
				of("event-1", "string"),
				of("event-2", "TypeError"),
				of("event-2", "string"),
			]),
		);
	});

	test("that throws while the logger is broken too is no unhandled rejection", async () => {
		const broken = (): never => {
			throw new Error("the logger is broken");
		};
		const { emitter, heard, hear } = given({ error: broken });
		emitter.on("LinkExpired", broken);
		emitter.on("LinkExpired", hear("last"));
		emitter.emit(expiredAt(1));
		await turn();
		expect(heard).toEqual(["last:event-1"]);
	});

	test("hears its own type only, in order, each listener in the order in which it was added", () => {
		const { emitter, heard, hear } = given();
		emitter.on("LinkExpired", hear("a"));
		emitter.on("ArchiveAbandoned", hear("b"));
		emitter.on("LinkExpired", hear("c"));
		emitter.emit(expiredAt(1));
		emitter.emit(abandoned);
		emitter.emit(expiredAt(2));
		expect(heard).toEqual(["a:event-1", "c:event-1", "b:event-9", "a:event-2", "c:event-2"]);
	});

	test("added with once hears one event, also when it emits the next one itself", () => {
		const { emitter, heard, hear } = given();
		emitter.once("LinkExpired", (event) => {
			hear("once")(event);
			if (event.id === "event-1") emitter.emit(expiredAt(2));
		});
		emitter.emit(expiredAt(1));
		emitter.emit(expiredAt(3));
		expect(heard).toEqual(["once:event-1"]);
	});

	test("is removed by what on and once return; the same function added twice is two listeners", () => {
		const { emitter, heard, hear } = given();
		const listener = hear("a");
		const off = emitter.on("LinkExpired", listener);
		emitter.on("LinkExpired", listener);
		const offOnce = emitter.once("LinkExpired", hear("once"));
		offOnce();
		off();
		off();
		emitter.emit(expiredAt(1));
		expect(heard).toEqual(["a:event-1"]);
	});

	test("that removes itself or adds another while it is called disturbs nobody", () => {
		const { emitter, heard, hear } = given();
		const off = emitter.on("LinkExpired", (event) => {
			hear("a")(event);
			off();
			emitter.on("LinkExpired", hear("new"));
		});
		emitter.on("LinkExpired", hear("b"));
		emitter.emit(expiredAt(1));
		emitter.emit(expiredAt(2));
		expect(heard).toEqual(["a:event-1", "b:event-1", "b:event-2", "new:event-2"]);
	});

	test("is not needed: events without one pass", () => {
		const { emitter } = given();
		expect(() => emitter.emit(expiredAt(1))).not.toThrow();
	});
});
