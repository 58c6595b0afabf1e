import { describe, expect, test, vi } from "vitest";
import { type EventStore, type ReceiveOutcome, type RecordedEvent, storeFault } from "./ports/index.js";
import { fields, given, LINK, type Overrides } from "./test-receive.js";

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
