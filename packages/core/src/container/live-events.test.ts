import "reflect-metadata/lite";
import { describe, expect, test, vi } from "vitest";
import type { ReelkeepEvent } from "../events.js";
import { toNewEvent } from "../execute.js";
import { memoryStorage } from "../memory/plugin.js";
import { LOGGER, type Logger, type Plugin } from "../ports/index.js";
import { randomIds } from "./defaults.js";
import { compose, report, started } from "./test-reelkeep.js";

describe("live events", () => {
	test("are heard from the start on, not before, in the order of the log", async () => {
		const reelkeep = compose();
		const heard: string[] = [];
		reelkeep.events.on("RecordingReported", ({ data }) => void heard.push(data.trackInfo));
		await reelkeep.receive(report("before"));
		await reelkeep.start();
		for (const track of ["a", "b", "c"]) await reelkeep.receive(report(track));
		await vi.waitFor(() => expect(heard).toEqual(["a", "b", "c"]));
		await reelkeep.stop();
	});

	test("include what another writer appends: a listener hears the archiver", async () => {
		const reelkeep = await started();
		const heard: ReelkeepEvent[] = [];
		reelkeep.events.on("RecordingReported", (event) => void heard.push(event));
		reelkeep.events.once("ArchiveAbandoned", (event) => void heard.push(event));
		const outcome = await reelkeep.receive(report());
		if (!("stream" in outcome)) throw new Error("not stored");
		const data = { cause: "too-large", attempts: 1, message: "too large" };
		const event = toNewEvent({ type: "ArchiveAbandoned", data }, randomIds, { ingress: "archiver" });
		await reelkeep.store.append(outcome.stream, [event], 1);
		await vi.waitFor(() =>
			expect(heard.map(({ type }) => type)).toEqual(["RecordingReported", "ArchiveAbandoned"]),
		);
		expect(heard[1]).toMatchObject({ id: event.id, metadata: { ingress: "archiver" }, version: 2 });
	});

	test("are heard from the moment on when somebody listens, whatever was passed over before", async () => {
		const reelkeep = await started();
		for (let round = 0; round < 50; round += 1) {
			const before = report(`before-${round}`);
			await reelkeep.receive(before);
			// What was recorded just now may still be under way to the emitter.
			for (let turn = 0; turn < round % 10; turn += 1) await Promise.resolve();
			const heard: string[] = [];
			const stop = reelkeep.events.on("RecordingReported", ({ data }) => void heard.push(data.trackInfo));
			const tracks = [`first-${round}`, `second-${round}`];
			for (const track of tracks) await reelkeep.receive(report(track));
			await vi.waitFor(() => expect(heard.filter((track) => !track.startsWith("before"))).toEqual(tracks));
			stop();
		}
	});

	test("that nobody listens for are not decoded, so that what is wrong with them does no harm", async () => {
		const reelkeep = await started();
		const heard: string[] = [];
		reelkeep.events.on("RecordingReported", ({ data }) => void heard.push(data.trackInfo));
		const damaged = { id: "x", type: "LinkExpired", schemaVersion: 1, data: {}, metadata: {} };
		await reelkeep.store.append("recording-x", [damaged], "no-stream");
		await reelkeep.receive(report());
		await vi.waitFor(() => expect(heard).toEqual(["track"]));
		expect(await reelkeep.health.check()).toEqual([]);
	});

	test("go on when a listener throws, and pass events that are not ours", async () => {
		const reelkeep = await started();
		const heard: string[] = [];
		reelkeep.events.on("RecordingReported", () => {
			throw new Error("no");
		});
		reelkeep.events.on("RecordingReported", ({ data }) => void heard.push(data.trackInfo));
		const later = { id: "x", type: "VideoErased", schemaVersion: 1, data: {}, metadata: {} };
		await reelkeep.store.append("recording-x", [later], "no-stream");
		await reelkeep.receive(report());
		await vi.waitFor(() => expect(heard).toEqual(["track"]));
	});

	test("that stop make the health say so", async () => {
		const logged: string[] = [];
		const word = (_: object, message: string): void => void logged.push(message);
		const logger: Logger = { trace: word, debug: word, info: word, warn: word, error: word };
		const logging: Plugin = {
			name: "logging",
			provides: [LOGGER],
			needs: [],
			register: (registry) => registry.provide(LOGGER, () => logger),
		};
		const reelkeep = await started({ plugins: [logging, memoryStorage()] });
		expect(await reelkeep.health.check()).toEqual([]);
		reelkeep.events.on("LinkExpired", () => undefined);
		const damaged = { id: "x", type: "LinkExpired", schemaVersion: 1, data: {}, metadata: {} };
		await reelkeep.store.append("recording-x", [damaged], "no-stream");
		await vi.waitFor(async () =>
			expect(await reelkeep.health.check()).toEqual([
				{ source: "reelkeep", message: expect.stringContaining("the live events stopped") },
			]),
		);
		expect(logged).toContain("live events stopped");
		await reelkeep.stop();
	});
});
