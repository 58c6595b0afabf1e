import { describe, expect, test } from "vitest";
import { type DomainEvent, decodeEvent } from "./events.js";
import { execute, loadRecording } from "./execute.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import type { NewEvent } from "./ports/index.js";
import type { RecordingCommand, ReportRecording } from "./recording-command.js";
import { foldRecordings, recordingDeadline } from "./recordings.js";

const report = (track: string, serial = 0): ReportRecording => ({
	_tag: "ReportRecording",
	facts: { projectId: "p", trackInfo: track, object: "h/o", gameId: "g", accountDomain: 0, accountId: "a" },
	version: 1,
	action: "SCREEN_RECORDING_CALL_BACK",
	link: {
		downloadUrl: "http://h/o?***",
		sealedUrl: "v1.k.x",
		linkFingerprint: `link-${serial}`,
		expireTime: 0,
		deadline: { at: serial, source: "link", ignored: [] },
	},
	contentFingerprint: () => `${track}-${serial}`,
});
const receipt = { location: "memory:x", bytes: 3, sha256: "ab", lengthVerified: true };
const archive: RecordingCommand = { _tag: "ArchiveRecording", receipt, adopted: false };
const expire: RecordingCommand = { _tag: "ExpireLink", cause: "refused", message: "no", tried: ["link-0"] };

function given() {
	const store = createMemoryEventStore({ clock: { now: () => 0 } });
	let serial = 0;
	const ids = { next: () => `event-${++serial}` };
	const run = (stream: string, command: RecordingCommand) =>
		execute({ store, ids }, stream, command, { metadata: {} });
	const raw = (stream: string, event: Partial<NewEvent>) =>
		store.append(
			stream,
			[{ id: ids.next(), type: "Noted", schemaVersion: 1, data: {}, metadata: {}, ...event }],
			"any",
		);
	return { store, run, raw };
}
const quarantined: DomainEvent = {
	type: "CallbackQuarantined",
	data: {
		appKey: "app",
		sealedBody: "",
		bytes: 0,
		sha256: "",
		issues: [],
		deadline: { at: 0, source: "cap", ignored: [] },
	},
};

describe("all recordings, folded from the log", () => {
	test("refuse an event of ours that does not decode, naming its id and position only", async () => {
		const { store, run, raw } = given();
		await run("recording-a", report("a"));
		await raw("recording-a", { id: "bad", type: "LinkExpired", data: { message: "http://h/?Signature=x" } });
		await expect(foldRecordings(store.readAll())).rejects.toThrow(
			"event bad at position 2 is no LinkExpired",
		);
		await expect(foldRecordings(store.readAll())).rejects.not.toThrow("Signature");
	});

	test("leave out quarantined callbacks, unknown types and schema versions to come", async () => {
		const { store, run, raw } = given();
		await raw("quarantine-a", quarantined as Partial<NewEvent>);
		await raw("recording-a", { type: "VideoErased" });
		await raw("mine", { type: "toString" });
		await run("recording-b", report("b"));
		await raw("recording-b", { type: "LinkExpired", schemaVersion: 2, data: { another: "shape" } });
		const recordings = await foldRecordings(store.readAll());
		expect([...recordings.keys()]).toEqual(["recording-b"]);
		expect(recordings.get("recording-b")?.state).toBe("pending");
	});

	test("stand in the order of their first report, each in its state", async () => {
		const { store, run } = given();
		for (const track of ["c", "a", "b"]) await run(`recording-${track}`, report(track));
		await run("recording-a", archive);
		await run("recording-c", expire);
		const states = [...(await foldRecordings(store.readAll()))].map(([stream, { state }]) => [stream, state]);
		expect(states).toEqual([
			["recording-c", "expired"],
			["recording-a", "archived"],
			["recording-b", "pending"],
		]);
	});

	test("are each what its own stream folds to", async () => {
		const { store, run } = given();
		for (const command of [report("a"), report("a", 1), expire, archive]) {
			await run("recording-a", command);
			await run("recording-b", report("b"));
		}
		for (const [stream, recording] of await foldRecordings(store.readAll())) {
			expect((await loadRecording(store, stream)).recording).toEqual(recording);
		}
	});

	test("can still be kept until the last of their links dies", async () => {
		const { store, run } = given();
		for (const serial of [5, 9, 7]) await run("recording-a", report("a", serial));
		const recording = (await foldRecordings(store.readAll())).get("recording-a");
		expect(recording && recordingDeadline(recording)).toMatchObject({ at: 9 });
		expect(
			recordingDeadline({ ...(await loadRecording(store, "recording-none")).recording }),
		).toBeUndefined();
	});
});

describe("a command on one recording", () => {
	test("that lost a race is decided anew on what won", async () => {
		const { store, run } = given();
		const decisions = await Promise.all([
			run("recording-a", report("a")),
			run("recording-a", report("a", 1)),
			run("recording-a", report("a")),
		]);
		expect(decisions.map(({ outcome }) => outcome)).toEqual(["Reported", "LinkRenewed", "AlreadyReported"]);
		expect((await loadRecording(store, "recording-a")).version).toBe(2);
	});

	test("is decided again and again while others are faster", async () => {
		const { store } = given();
		let races = 20;
		const append: typeof store.append = async (...appended) => {
			races -= 1;
			return races > 0 ? { _tag: "WrongExpectedVersion", actualVersion: 0 } : store.append(...appended);
		};
		const deps = { store: { ...store, append }, ids: { next: () => `event-${races}` } };
		expect(await execute(deps, "recording-a", report("a"), { metadata: {} })).toMatchObject({
			outcome: "Reported",
		});
		expect((await loadRecording(store, "recording-a")).version).toBe(1);
	});

	test("of a zombie archiver loses: the second end is ignored", async () => {
		const { store, run } = given();
		await run("recording-a", report("a"));
		const ends = await Promise.all([
			run("recording-a", archive),
			run("recording-a", expire),
			run("recording-a", archive),
		]);
		expect(ends.map(({ outcome }) => outcome)).toEqual(["Accepted", "Ignored", "Ignored"]);
		expect((await loadRecording(store, "recording-a")).recording.state).toBe("archived");
	});

	test("finds an unreported recording at version 0", async () => {
		const { store, run } = given();
		expect((await run("recording-a", archive)).outcome).toBe("Ignored");
		expect(await loadRecording(store, "recording-a")).toMatchObject({
			recording: { state: "unreported" },
			version: 0,
		});
	});

	test("counts events that it does not know into the version that it expects", async () => {
		const { run, raw } = given();
		await run("recording-a", report("a"));
		await raw("recording-a", { type: "VideoErased" });
		expect((await run("recording-a", archive)).outcome).toBe("Accepted");
	});
});

describe("what was recorded", () => {
	test("decodes as it was decided, and as nothing else", async () => {
		const { store, run, raw } = given();
		await run("recording-a", report("a"));
		await raw("x", { type: "constructor" });
		const decoded = [];
		for await (const event of store.readAll()) decoded.push([event.type, decodeEvent(event) === event]);
		expect(decoded).toEqual([
			["RecordingReported", true],
			["constructor", false],
		]);
	});
});
