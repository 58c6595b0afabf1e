import { describe, expect, test } from "vitest";
import { createNoticeEmitter } from "./notice-emitter.js";
import type { ArchiveProgress, Logger, RecordingAtRisk } from "./ports/index.js";

const risk: RecordingAtRisk = {
	type: "recordingAtRisk",
	stream: "recording-a",
	host: "bucket.example.com",
	deadline: 1,
	reason: "failing",
	message: "the last try failed",
};
const progress: ArchiveProgress = {
	type: "archiveProgress",
	stream: "recording-b",
	host: "bucket.example.com",
	phase: "started",
	bytes: 0,
	bytesPerSecond: 0,
};

function given(logger: Partial<Logger> = {}) {
	const logged: object[] = [];
	const log = (details: object): void => void logged.push(details);
	const emitter = createNoticeEmitter({
		trace: log,
		debug: log,
		info: log,
		warn: log,
		error: log,
		...logger,
	});
	const heard: string[] = [];
	const hear = (name: string) => (notice: RecordingAtRisk | ArchiveProgress) =>
		heard.push(`${name} ${notice.type} ${notice.stream}`);
	return { emitter, heard, hear, logged };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("who listens to notices", () => {
	test("and throws, or rejects later, stops nobody; the log says on what, and none of its words", async () => {
		const { emitter, heard, hear, logged } = given();
		emitter.on("recordingAtRisk", () => {
			throw new TypeError("secret words");
		});
		emitter.on("recordingAtRisk", async () => {
			await turn();
			throw new RangeError("secret words");
		});
		emitter.once("recordingAtRisk", () => Promise.reject("secret words"));
		emitter.on("recordingAtRisk", hear("last"));
		expect(() => emitter.emit(risk)).not.toThrow();
		emitter.emit(risk);
		expect(heard).toEqual(["last recordingAtRisk recording-a", "last recordingAtRisk recording-a"]);
		await turn();
		await turn();
		const of = (error: string) => ({ type: "recordingAtRisk", stream: "recording-a", error });
		expect(logged).toHaveLength(5);
		for (const error of ["TypeError", "RangeError", "string"]) expect(logged).toContainEqual(of(error));
		expect(JSON.stringify(logged)).not.toContain("secret");
	});

	test("and throws while the logger is broken too disturbs nobody", async () => {
		const broken = (): never => {
			throw new Error("broken");
		};
		const { emitter, heard, hear } = given({ error: broken });
		emitter.on("archiveProgress", broken);
		emitter.on("archiveProgress", hear("last"));
		emitter.emit(progress);
		await turn();
		expect(heard).toHaveLength(1);
	});

	test("hears one type, in order, until it stops listening, or once", () => {
		const { emitter, heard, hear } = given();
		const off = emitter.on("recordingAtRisk", hear("a"));
		emitter.once("recordingAtRisk", hear("once"));
		emitter.on("archiveProgress", hear("b"));
		emitter.emit(progress);
		emitter.emit(risk);
		emitter.emit(risk);
		off();
		off();
		emitter.emit(risk);
		expect(heard).toEqual([
			"b archiveProgress recording-b",
			"a recordingAtRisk recording-a",
			"once recordingAtRisk recording-a",
			"a recordingAtRisk recording-a",
		]);
	});

	test("is not needed, and is not told what was before", () => {
		const { emitter, heard, hear } = given();
		expect(() => emitter.emit(risk)).not.toThrow();
		const off = emitter.once("recordingAtRisk", hear("late"));
		off();
		emitter.emit(risk);
		expect(heard).toEqual([]);
	});
});
