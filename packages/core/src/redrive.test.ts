import { left } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { systemClock } from "./container/defaults.js";
import { started } from "./container/test-reelkeep.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemoryKeyring } from "./memory/keyring.js";
import { memoryStorage } from "./memory/plugin.js";
import { silentLogger } from "./observe.js";
import {
	type Admission,
	EVENT_STORE,
	type EventStore,
	KEYRING,
	type Keyring,
	type NewEvent,
	type Plugin,
	type RecordedEvent,
	type StreamName,
	storeFault,
} from "./ports/index.js";
import { foldQuarantine } from "./quarantined-callbacks.js";
import { createReceive } from "./receive.js";
import { recordingStream } from "./recording-id.js";
import { foldRecordings } from "./recordings.js";
import { redrive } from "./redrive.js";
import type { DecodeCallback } from "./report-recording.js";
import { decodeCallback } from "./screen-record-callback.js";
import { openLink } from "./seal-link.js";
import { transcribe } from "./test-transcript.js";

const RECEIVED_AT = 1_700_000_000_000;
const SECRET = "Signature=secret-4711";
const link = (serial = 0): string =>
	`http://bucket.example.com/720p.mp4?Expires=1700003600&${SECRET}-${serial}`;
const fields = {
	game_id: "game",
	track_info: "track",
	account_domain: 0,
	download_url: link(),
	version: 1,
	account_id: "account",
	expire_time: RECEIVED_AT + 7_200_000,
	action: "SCREEN_RECORDING_CALL_BACK",
	project_id: "project",
};
const RECORDING = recordingStream({
	projectId: "project",
	trackInfo: "track",
	object: "bucket.example.com/720p.mp4",
});
const METADATA = {
	ingress: "http",
	appKey: "app",
	requestId: "request",
	traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	verification: { scheme: "md5", secretId: "2026", clockSkewMs: 12, requestSha256: "ab".repeat(32) },
};

/** As if today's codec refused it, and the next one took it: the game's id has another name in these callbacks. */
const renamed = (changes: object = {}): string => {
	const { game_id, ...rest } = { ...fields, ...changes };
	return JSON.stringify({ ...rest, gameId: game_id });
};
const mended: DecodeCallback = (requestParam) =>
	decodeCallback(requestParam.replace('"gameId"', '"game_id"'));

function given() {
	let now = RECEIVED_AT;
	let serial = 0;
	const clock = { now: () => now, sleep: systemClock.sleep };
	const store = createMemoryEventStore({ clock });
	const keyring = createMemoryKeyring();
	const admission: Admission = { admit: async () => ({ _tag: "Admitted" }) };
	const ids = { next: () => `event-${++serial}` };
	const deps = { store, keyring, admission, ids };
	const count = (): void => undefined;
	const receive = createReceive({
		...deps,
		clock,
		logger: silentLogger,
		telemetry: { count, record: count },
	});
	return {
		store,
		keyring,
		deps: { ...deps, decode: mended },
		later: (ms: number) => {
			now += ms;
		},
		async send(requestParam: string | Uint8Array): Promise<StreamName> {
			const outcome = await receive({ requestParam, appKey: "app", metadata: METADATA });
			if (!("stream" in outcome)) throw new Error(`not kept: ${outcome._tag}`);
			return outcome.stream;
		},
		async events(): Promise<readonly RecordedEvent[]> {
			const all: RecordedEvent[] = [];
			for await (const event of store.readAll()) all.push(event);
			transcribe(all);
			return all;
		},
	};
}

const typesOf = (events: readonly RecordedEvent[]): readonly string[] => events.map(({ type }) => type);

/** The same store, but something comes between its appends to a quarantine's stream. */
const withAppend = (
	store: EventStore,
	before: (events: readonly NewEvent[]) => Promise<void>,
): EventStore => ({
	...store,
	async append(stream, events, expected) {
		if (stream.startsWith("quarantine-")) await before(events);
		return store.append(stream, events, expected);
	},
});

describe("a quarantined callback that still cannot be decoded", () => {
	test("stays as it is, and the reasons are today's", async () => {
		const { deps, send, events } = given();
		const stream = await send(renamed());
		const before = await events();
		const { decode, ...today } = deps;
		expect(await redrive(today, stream)).toEqual({
			_tag: "StillUndecodable",
			issues: [{ field: "game_id", problem: "is missing" }],
		});
		const stricter: DecodeCallback = () =>
			left({ _tag: "DecodeError", issues: [{ field: "x", problem: "is odd" }] });
		expect(await redrive({ ...deps, decode: stricter }, stream)).toMatchObject({
			issues: [{ field: "x", problem: "is odd" }],
		});
		expect(await events()).toEqual(before);
	});

	test("is not handed to a codec of texts when it is none", async () => {
		const { deps, send } = given();
		const stream = await send(new Uint8Array([0xff, 0xfe]));
		expect(await redrive(deps, stream)).toMatchObject({
			_tag: "StillUndecodable",
			issues: [{ problem: "is not UTF-8" }],
		});
	});
});

describe("a redrive changes nothing", () => {
	test("when the app may not report the project that the callback turns out to be about", async () => {
		const { deps, send, events } = given();
		const stream = await send(renamed());
		const asked: unknown[] = [];
		const admission: Admission = {
			async admit(request) {
				asked.push(request);
				return { _tag: "NotAdmitted", message: "no" };
			},
		};
		expect(await redrive({ ...deps, admission }, stream)).toMatchObject({ _tag: "NotAdmitted" });
		expect(asked).toEqual([{ appKey: "app", projectId: "project" }]);
		expect(typesOf(await events())).toEqual(["CallbackQuarantined"]);
	});

	test("when the body cannot be opened", async () => {
		const { deps, send, events } = given();
		const stream = await send(renamed());
		const keyring: Keyring = createMemoryKeyring();
		await expect(redrive({ ...deps, keyring }, stream)).rejects.toMatchObject({ _tag: "KeyringFault" });
		expect(typesOf(await events())).toEqual(["CallbackQuarantined"]);
	});

	test("for a stream that holds no quarantined callback", async () => {
		const { deps, send, events } = given();
		const recording = await send(JSON.stringify(fields));
		for (const stream of [recording, "quarantine-0", "log-repairs"]) {
			expect(await redrive(deps, stream)).toEqual({ _tag: "NotQuarantined" });
		}
		expect(await events()).toHaveLength(1);
	});

	test("in a dry run, which says what would become of it, on a store that only reads too", async () => {
		const { deps, store, send, events } = given();
		const stream = await send(renamed());
		const readOnly: EventStore = {
			...store,
			append: async () => {
				throw new TypeError("this handle only reads");
			},
		};
		const dry = () => redrive({ ...deps, store: readOnly }, stream, { dryRun: true });
		expect(await dry()).toEqual({ _tag: "Redriven", outcome: "Reported", recording: RECORDING });
		await send(JSON.stringify({ ...fields, account_id: "another" }));
		expect(await dry()).toMatchObject({ outcome: "Contradicted" });
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported"]);
	});
});

describe("a redriven callback", () => {
	test("is reported as it would have been when it came: its sender, its proof, its time and its link", async () => {
		const { deps, keyring, send, events, later } = given();
		const stream = await send(renamed());
		later(30 * 24 * 3_600_000);
		expect(await redrive(deps, stream)).toEqual({
			_tag: "Redriven",
			outcome: "Reported",
			recording: RECORDING,
		});
		const [quarantined, reported, redriven, ...more] = await events();
		expect(more).toEqual([]);
		const metadata = {
			...METADATA,
			ingress: "redrive",
			correlationId: quarantined?.id,
			causationId: quarantined?.id,
		};
		expect(reported).toMatchObject({
			type: "RecordingReported",
			stream: RECORDING,
			metadata,
			data: {
				gameId: "game",
				downloadUrl: "http://bucket.example.com/720p.mp4?***",
				deadline: { at: 1_700_003_600_000, source: "link", ignored: [] },
			},
		});
		expect(redriven).toMatchObject({
			type: "CallbackRedriven",
			schemaVersion: 1,
			stream,
			version: 2,
			metadata,
			data: { appKey: "app", bytes: renamed().length, recording: RECORDING, outcome: "Reported" },
		});
		const sealedUrl = String(reported?.data.sealedUrl);
		expect(await openLink(keyring, RECORDING, { sealedUrl })).toBe(link());
	});

	test.each([
		["the same callback", {}, "AlreadyReported", []],
		["another link", { download_url: link(1) }, "LinkRenewed", ["LinkRenewed"]],
		["another account", { account_id: "another" }, "Contradicted", ["ReportContradicted"]],
	])("beside a recording that is known by now: %s", async (_, changes, outcome, appended) => {
		const { deps, send, events } = given();
		const stream = await send(renamed(changes));
		await send(JSON.stringify(fields));
		expect(await redrive(deps, stream)).toEqual({ _tag: "Redriven", outcome, recording: RECORDING });
		expect(typesOf(await events()).slice(2)).toEqual([...appended, "CallbackRedriven"]);
	});

	test("is redriven once, however often it is tried", async () => {
		const { deps, send, events } = given();
		const stream = await send(renamed());
		await redrive(deps, stream);
		const before = await events();
		expect(await redrive(deps, stream)).toEqual({ _tag: "AlreadyRedriven", recording: RECORDING });
		expect(await redrive(deps, stream, { dryRun: true })).toMatchObject({ _tag: "AlreadyRedriven" });
		expect(await events()).toEqual(before);
	});

	test("is redriven once when another was as far at the same time", async () => {
		const { deps, store, send, events } = given();
		const stream = await send(renamed());
		let isFirst = true;
		const raced = withAppend(store, async () => {
			if (!isFirst) return;
			isFirst = false;
			expect(await redrive(deps, stream)).toMatchObject({ _tag: "Redriven" });
		});
		expect(await redrive({ ...deps, store: raced }, stream)).toEqual({
			_tag: "AlreadyRedriven",
			recording: RECORDING,
		});
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported", "CallbackRedriven"]);
	});

	test("is redriven once by many at once", async () => {
		const { deps, send, events } = given();
		const stream = await send(renamed());
		const outcomes = await Promise.all(Array.from({ length: 20 }, () => redrive(deps, stream)));
		expect(outcomes.filter(({ _tag }) => _tag === "Redriven")).toHaveLength(1);
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported", "CallbackRedriven"]);
	});

	test("is one recording, and its quarantine's stream is none", async () => {
		const { deps, store, send } = given();
		await redrive(deps, await send(renamed()));
		expect([...(await foldRecordings(store.readAll())).keys()]).toEqual([RECORDING]);
	});

	test("cut short between the two appends is reported once when it is redriven again", async () => {
		const { deps, store, send, events } = given();
		const stream = await send(renamed());
		const cut = withAppend(store, async () => {
			throw storeFault("io", "killed");
		});
		await expect(redrive({ ...deps, store: cut }, stream)).rejects.toMatchObject({ reason: "io" });
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported"]);
		expect(await redrive(deps, stream)).toMatchObject({ _tag: "Redriven", outcome: "AlreadyReported" });
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported", "CallbackRedriven"]);
	});

	test("makes way for events of others in the quarantine's stream", async () => {
		const { deps, store, send, events } = given();
		const stream = await send(renamed());
		const note = { type: "acme.Seen", schemaVersion: 1, data: { by: "us" }, metadata: {} };
		let notes = 0;
		const busy = withAppend(store, async ([event]) => {
			if (event?.type !== "CallbackRedriven" || notes === 3) return;
			notes += 1;
			await store.append(stream, [{ ...note, id: `note-${notes}` }], "any");
		});
		expect(await redrive({ ...deps, store: busy }, stream)).toMatchObject({ _tag: "Redriven" });
		expect(typesOf(await events()).slice(2)).toEqual([
			"acme.Seen",
			"acme.Seen",
			"acme.Seen",
			"CallbackRedriven",
		]);
	});

	test("that comes again is the known recording, and the quarantine is as it was", async () => {
		const { deps, send, events } = given();
		const stream = await send(renamed());
		await redrive(deps, stream);
		expect(await send(renamed())).toBe(stream);
		expect(await send(JSON.stringify(fields))).toBe(RECORDING);
		expect(await events()).toHaveLength(3);
	});
});

describe("what is in quarantine", () => {
	test("is told with its reasons, and with what became of it; never with its body", async () => {
		const { deps, store, send, later } = given();
		const [one, two] = [await send(renamed()), await send("not json")];
		later(5000);
		await redrive(deps, one);
		await store.append(
			two,
			[{ id: "note", type: "acme.Seen", schemaVersion: 1, data: {}, metadata: {} }],
			"any",
		);
		const callbacks = await foldQuarantine(store.readAll());
		expect([...callbacks.keys()]).toEqual([one, two]);
		expect(callbacks.get(one)).toMatchObject({
			appKey: "app",
			receivedAt: RECEIVED_AT,
			bytes: renamed().length,
			issues: [{ field: "game_id", problem: "is missing" }],
			deadline: { source: "link" },
			redriven: { recording: RECORDING, outcome: "Reported", at: RECEIVED_AT + 5000 },
		});
		expect(callbacks.get(two)).not.toHaveProperty("redriven");
		expect(callbacks.get(one)).not.toHaveProperty("sealedBody");
	});

	test("makes room in its app's quota when it is redriven, at once and after a restart", async () => {
		const { deps, store } = given();
		const memory = memoryStorage();
		const storage: Plugin = {
			...memory,
			register: (registry) =>
				memory.register?.({
					provide: (token, factory) =>
						registry.provide(token, token === EVENT_STORE ? () => store as never : factory),
				}),
		};
		const reelkeep = await started({ plugins: [storage], quarantineQuota: { maxCallbacks: 1 } });
		const report = { requestParam: renamed(), appKey: "app", metadata: METADATA };
		const other = { ...report, requestParam: "not json" };
		const outcome = await reelkeep.receive(report);
		expect(await reelkeep.receive(other)).toMatchObject({ _tag: "Unavailable" });
		expect(await reelkeep.health.check()).toMatchObject([{ source: "quarantine", severity: "failing" }]);
		const stream = "stream" in outcome ? outcome.stream : "";
		expect(await redrive({ ...deps, keyring: reelkeep.get(KEYRING) }, stream)).toMatchObject({
			_tag: "Redriven",
		});
		const again = await started({ plugins: [storage], quarantineQuota: { maxCallbacks: 1 } });
		expect(await again.receive(report)).toMatchObject({ _tag: "Quarantined" });
		await expect.poll(() => reelkeep.receive(other)).toMatchObject({ _tag: "Quarantined" });
		expect(await again.receive({ ...other, requestParam: "another" })).toMatchObject({ _tag: "Unavailable" });
	});
});
