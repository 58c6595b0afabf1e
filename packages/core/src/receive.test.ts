import { afterEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "./container/defaults.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemoryKeyring } from "./memory/keyring.js";
import {
	type Admission,
	type EventStore,
	type Keyring,
	type Logger,
	type ReceiveOutcome,
	type RecordedEvent,
	type Report,
	storeFault,
	type Telemetry,
} from "./ports/index.js";
import { openQuarantined } from "./quarantine.js";
import { createReceive, type ReceiveOptions } from "./receive.js";
import { quarantineStream } from "./recording-id.js";
import { transcribe } from "./test-transcript.js";

const NOW = 1_700_000_000_000;
const SIGNATURE = "0EULWMQnEjKQs8cHFlLttlZaFiI";
const QUERY = `OSSAccessKeyId=LTAI5tSecret&Expires=1700003600&Signature=${SIGNATURE}%3D`;
const LINK = `http://bucket.example.com/720p.mp4?${QUERY}`;
/** What may be said nowhere: the link's query, whole or in parts, and a user in it. */
const SECRETS = [SIGNATURE, "LTAI5tSecret", "Expires=1700003600", "hunter2"];

const fields = {
	game_id: "cgdctwrqs",
	track_info: "9dacb134",
	account_domain: 0,
	download_url: LINK,
	version: 1,
	account_id: "NUAzXzcy",
	expire_time: NOW + 3_600_000,
	action: "SCREEN_RECORDING_CALL_BACK",
	project_id: "cg-avatar",
};

interface Overrides {
	readonly store?: (store: EventStore) => Partial<EventStore>;
	readonly keyring?: Keyring;
	readonly admission?: Admission;
	readonly logger?: Partial<Logger>;
	readonly telemetry?: Telemetry;
	readonly options?: ReceiveOptions;
}

/** Everything that any receive of this test said or stored; searched when the test is over. */
let said: unknown[] = [];
afterEach(() => {
	vi.useRealTimers();
	const text = JSON.stringify(said);
	transcribe(said);
	for (const secret of SECRETS) expect(text).not.toContain(secret);
	said = [];
});

function given(overrides: Overrides = {}) {
	const log: { readonly level: string; readonly details: object; readonly message: string }[] = [];
	const counted: string[] = [];
	const write = (level: string) => (details: object, message: string) => {
		log.push({ level, details, message });
		said.push(level, details, message);
	};
	const clock = { now: () => NOW, sleep: systemClock.sleep };
	const memory = createMemoryEventStore({ clock });
	const keyring = overrides.keyring ?? createMemoryKeyring();
	let serial = 0;
	const receive = createReceive(
		{
			store: { ...memory, ...overrides.store?.(memory) },
			keyring,
			admission: overrides.admission ?? { admit: async () => ({ _tag: "Admitted" }) },
			clock,
			ids: { next: () => `event-${++serial}` },
			logger: {
				trace: write("trace"),
				debug: write("debug"),
				info: write("info"),
				warn: write("warn"),
				error: write("error"),
				...overrides.logger,
			},
			telemetry: overrides.telemetry ?? {
				count: (name, attributes) => {
					counted.push(`${name} ${attributes?.outcome}`);
					said.push(name, attributes);
				},
				record: () => undefined,
			},
		},
		overrides.options,
	);
	let request = 0;
	const send = async (
		body: object | string | Uint8Array,
		more: Partial<Report> = {},
	): Promise<ReceiveOutcome> => {
		request += 1;
		const requestParam = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
		const metadata = { ingress: "test", requestId: `request-${request}` };
		const outcome = await receive({ requestParam, appKey: "app", metadata, ...more });
		said.push(outcome);
		return outcome;
	};
	const events = async (): Promise<readonly RecordedEvent[]> => {
		const all: RecordedEvent[] = [];
		for await (const event of memory.readAll()) all.push(event);
		said.push(all);
		return all;
	};
	const types = async (): Promise<readonly string[]> => (await events()).map(({ type }) => type);
	return { send, events, types, memory, keyring, log, counted, receive };
}

const tags = (outcomes: readonly ReceiveOutcome[]): Record<string, number> => {
	const counts: Record<string, number> = {};
	for (const { _tag } of outcomes) counts[_tag] = (counts[_tag] ?? 0) + 1;
	return counts;
};
describe("a store that does not take the report", () => {
	for (const fault of [
		storeFault("io", "the disk is full"),
		storeFault("failed", "an earlier sync failed"),
		storeFault("corrupt", "a line does not make sense"),
		new Error(`cannot write ${LINK}`),
		`thrown ${LINK}`,
		undefined,
	]) {
		test(`is answered with Unavailable: ${fault instanceof Error ? `${fault.name} ${fault.message.slice(0, 20)}` : typeof fault}`, async () => {
			const { send, types, log, counted } = given({ store: () => ({ append: () => Promise.reject(fault) }) });
			for (const body of [fields, "not JSON"]) {
				expect(await send(body)).toMatchObject({ _tag: "Unavailable", reason: "fault" });
			}
			expect(await types()).toEqual([]);
			expect(log.map(({ level }) => level)).toEqual(["error", "error"]);
			expect(log[0]?.details).toMatchObject({ requestId: "request-1" });
			expect(counted).toEqual(["reelkeep.receive Unavailable", "reelkeep.receive Unavailable"]);
		});
	}

	test("says overloaded when it is", async () => {
		const full = storeFault("overloaded", "too many appends wait");
		const { send } = given({ store: () => ({ append: () => Promise.reject(full) }) });
		expect(await send(fields)).toMatchObject({ _tag: "Unavailable", reason: "overloaded" });
	});

	test("is closed: nothing is stored, and what was stored before stays", async () => {
		const { send, memory } = given();
		expect(await send(fields)).toMatchObject({ _tag: "Reported" });
		await memory.close();
		for (const body of [fields, { ...fields, track_info: "other" }, "{"]) {
			expect(await send(body)).toMatchObject({ _tag: "Unavailable", reason: "fault" });
		}
	});

	test("throws at once instead of rejecting", async () => {
		const append = (): never => {
			throw new Error("at once");
		};
		expect(await given({ store: () => ({ append }) }).send(fields)).toMatchObject({ _tag: "Unavailable" });
	});

	test("loses every race: the report is answered with overloaded, not tried for ever", async () => {
		let appends = 0;
		const append = async () => {
			appends += 1;
			return { _tag: "WrongExpectedVersion" as const, actualVersion: 7 };
		};
		const { send } = given({ store: () => ({ append }) });
		expect(await send(fields)).toMatchObject({ _tag: "Unavailable", reason: "overloaded" });
		expect(appends).toBeLessThan(100);
	});

	test("failed although the event was stored: the retry finds it", async () => {
		let failing = true;
		const { send, types } = given({
			store: (memory) => ({
				async append(...given) {
					const result = await memory.append(...given);
					if (failing) throw storeFault("io", "the sync failed");
					return result;
				},
			}),
		});
		expect(await send(fields)).toMatchObject({ _tag: "Unavailable" });
		failing = false;
		expect(await send(fields)).toMatchObject({ _tag: "AlreadyReported" });
		expect(await types()).toEqual(["RecordingReported"]);
	});

	test("holds an event that does not decode: the report is not answered as if it were stored", async () => {
		const { send, memory, events } = given();
		await send(fields);
		const [event] = await events();
		await memory.append(event?.stream ?? "", [{ ...event, id: "x", data: {} } as RecordedEvent], 1);
		expect(await send(fields)).toMatchObject({ _tag: "Unavailable", reason: "fault" });
	});
});

describe("whatever else fails", () => {
	const broken = (): never => {
		throw new Error(`broken by ${LINK}`);
	};
	const cases: Record<string, Overrides> = {
		"the keyring rejects": { keyring: { seal: () => Promise.reject(new Error(LINK)), open: broken } },
		"the keyring throws": { keyring: { seal: broken, open: broken } },
		"the admission rejects": { admission: { admit: () => Promise.reject(new Error(LINK)) } },
		"the admission throws": { admission: { admit: broken } },
	};
	for (const [name, overrides] of Object.entries(cases)) {
		test(`${name}: receive does not reject, and nothing is stored`, async () => {
			const { send, types } = given(overrides);
			expect(await send(fields)).toMatchObject({ _tag: "Unavailable", reason: "fault" });
			expect(await types()).toEqual([]);
		});
	}

	test("a telemetry that throws changes no outcome", async () => {
		const { send } = given({ telemetry: { count: broken, record: broken } });
		expect(await send(fields)).toMatchObject({ _tag: "Reported" });
	});

	test("a logger that throws changes no outcome", async () => {
		const logger = { warn: broken, error: broken };
		expect(await given({ logger }).send("not JSON")).toMatchObject({ _tag: "Quarantined" });
		const append = () => Promise.reject(new Error("down"));
		expect(await given({ logger, store: () => ({ append }) }).send(fields)).toMatchObject({
			_tag: "Unavailable",
		});
	});
});

describe("limits", () => {
	/** A store whose appends wait until they are let go. */
	function slow() {
		let release = (): void => undefined;
		const released = new Promise<void>((resolve) => {
			release = resolve;
		});
		const store = (memory: EventStore): Partial<EventStore> => ({
			async append(...given) {
				await released;
				return memory.append(...given);
			},
		});
		return { store, release };
	}

	test("a report too many is asked to come again, at once, and takes nobody's place", async () => {
		const { store, release } = slow();
		const { send, types } = given({ store, options: { maxInFlight: 2 } });
		const two = ["a", "b"].map((track_info) => send({ ...fields, track_info }));
		expect(await send({ ...fields, track_info: "c" })).toMatchObject({
			_tag: "Unavailable",
			reason: "overloaded",
		});
		release();
		expect(tags(await Promise.all(two))).toEqual({ Reported: 2 });
		expect(await send({ ...fields, track_info: "c" })).toMatchObject({ _tag: "Reported" });
		expect(await types()).toHaveLength(3);
	});

	test("a report that its app sends too often is not looked at, and is told when it may come", async () => {
		const { send, types } = given({ options: { rateLimit: { reportsPerSecond: 4, burst: 1 } } });
		expect(await send(fields)).toMatchObject({ _tag: "Reported" });
		expect(await send({ ...fields, track_info: "b" })).toMatchObject({
			_tag: "RateLimited",
			retryAfterMs: 250,
		});
		expect(await types()).toEqual(["RecordingReported"]);
	});

	test("a report that takes too long is answered in time, and its append is completed all the same", async () => {
		vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
		const { store, release } = slow();
		const { send, types, counted } = given({ store, options: { timeoutMs: 10_000, maxInFlight: 1 } });
		let outcome: ReceiveOutcome | undefined;
		const sent = send(fields).then((it) => {
			outcome = it;
		});
		await vi.advanceTimersByTimeAsync(9_999);
		expect(outcome).toBeUndefined();
		await vi.advanceTimersByTimeAsync(1);
		await sent;
		expect(outcome).toMatchObject({ _tag: "Unavailable", reason: "timeout" });
		expect(counted).toEqual(["reelkeep.receive Unavailable"]);
		// What still runs still counts as in flight.
		expect(await send(fields)).toMatchObject({ reason: "overloaded" });
		release();
		vi.useRealTimers();
		await vi.waitFor(async () => expect(await types()).toEqual(["RecordingReported"]));
		await vi.waitFor(async () => expect(await send(fields)).toMatchObject({ _tag: "AlreadyReported" }));
	});

	test("no timer outlives its report", async () => {
		vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
		const { send } = given();
		await send(fields);
		await send("not JSON");
		expect(vi.getTimerCount()).toBe(0);
	});
});

describe("an app that may not report the project", () => {
	test("is refused in the admission's words; nothing is stored", async () => {
		const asked: unknown[] = [];
		const { send, types } = given({
			admission: {
				async admit(request) {
					asked.push(request);
					return { _tag: "NotAdmitted", message: "not this project" };
				},
			},
		});
		expect(await send(fields)).toEqual({ _tag: "Refused", message: "not this project" });
		expect(asked).toEqual([{ appKey: "app", projectId: "cg-avatar" }]);
		expect(await types()).toEqual([]);
	});
});

describe("an authentic callback that cannot be decoded", () => {
	const undecodable = { ...fields, project_id: null, download_url: `ftp://bucket.example.com/x?${QUERY}` };

	test("is kept once, though it is retried ten times at once and again later", async () => {
		const { send, events, log } = given();
		const outcomes = await Promise.all(Array.from({ length: 10 }, () => send(undecodable)));
		outcomes.push(await send(undecodable));
		expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
		expect(outcomes[0]).toEqual({
			_tag: "Quarantined",
			stream: expect.stringMatching(/^quarantine-[0-9a-f]{64}$/),
			issues: [
				{ field: "download_url", problem: "must be an http or https link" },
				{ field: "project_id", problem: "is missing" },
			],
		});
		expect((await events()).map(({ type }) => type)).toEqual(["CallbackQuarantined"]);
		expect(log.map(({ message }) => message)).toEqual(["callback quarantined"]);
	});

	test("is sealed: nothing of its body stands in the log, and the keyring opens it byte for byte", async () => {
		const { send, events, keyring } = given();
		const body = `{'game_id': 'cg-secret-游戏', 'download_url': '${LINK}'}`;
		await send(body);
		const [event] = await events();
		const text = JSON.stringify(event);
		for (const part of ["cg-secret", "游戏", "bucket.example.com", "720p", "game_id"]) {
			expect(text).not.toContain(part);
		}
		expect(event?.data.bytes).toBe(Buffer.byteLength(body));
		const sealedBody = String(event?.data.sealedBody);
		const opened = await openQuarantined(keyring, event?.stream ?? "", { sealedBody });
		expect(Buffer.from(opened).toString()).toBe(body);
	});

	test("is one stream as text and as bytes, another from another app", async () => {
		const { send, types } = given();
		const first = await send("{");
		expect(await send(Buffer.from("{"))).toEqual(first);
		expect(first).toMatchObject({ stream: quarantineStream("app", Buffer.from("{")) });
		expect(await send("{", { appKey: "other" })).not.toEqual(first);
		expect(await types()).toHaveLength(2);
	});

	test("may be bytes that are no UTF-8; they are kept as they are", async () => {
		const { send, events, keyring } = given();
		const bytes = Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x00, 0xff);
		expect(await send(bytes)).toMatchObject({
			_tag: "Quarantined",
			issues: [{ field: "", problem: "is not UTF-8" }],
		});
		const [event] = await events();
		const sealedBody = String(event?.data.sealedBody);
		expect([...(await openQuarantined(keyring, event?.stream ?? "", { sealedBody }))]).toEqual([...bytes]);
	});

	test("is kept whatever its fields hold", async () => {
		const { send, types } = given();
		const strange = [
			{ expire_time: { toString: 1, valueOf: 1 } },
			{ expire_time: [[[]]], download_url: { toString: null } },
			{ expire_time: "1e999", download_url: "http://" },
			[{ expire_time: 1 }],
			null,
			1,
			"",
		];
		for (const body of strange) {
			expect(await send(JSON.stringify(body))).toMatchObject({ _tag: "Quarantined" });
		}
		expect(await send("")).toMatchObject({ _tag: "Quarantined" });
		expect(await types()).toHaveLength(strange.length + 1);
	});
});
