import { describe, expect, test } from "vitest";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemoryKeyring } from "./memory/keyring.js";
import type { ReceiveOutcome, RecordedEvent } from "./ports/index.js";
import { createReceive } from "./receive.js";
import { openLink } from "./seal-link.js";
import { transcribe } from "./test-transcript.js";

const NOW = 1_700_000_000_000;
const link = (serial = 0, object = "720p.mp4"): string =>
	`http://user:hunter2@bucket.example.com/${object}?OSSAccessKeyId=LTAI5t&Expires=1700003600&Signature=secret-${serial}#part`;
const SECRETS = ["secret-", "LTAI5t", "hunter2", "Expires=1", "#part"];

const fields = {
	game_id: "cgdctwrqs",
	track_info: "9dacb134",
	account_domain: 0,
	download_url: link(),
	version: 1,
	account_id: "NUAzXzcy",
	expire_time: NOW + 7_200_000,
	action: "SCREEN_RECORDING_CALL_BACK",
	project_id: "cg-avatar",
};

function given() {
	const said: unknown[] = [];
	const say = (...words: unknown[]): void => {
		said.push(words);
		transcribe(words);
	};
	const store = createMemoryEventStore({ clock: { now: () => NOW } });
	const keyring = createMemoryKeyring();
	let serial = 0;
	const receive = createReceive(
		{
			store,
			keyring,
			admission: { admit: async () => ({ _tag: "Admitted" }) },
			clock: {
				now: () => NOW,
				sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve())),
			},
			ids: { next: () => `event-${++serial}` },
			logger: { trace: say, debug: say, info: say, warn: say, error: say },
			telemetry: { count: say, record: say },
		},
		{ deadlineCapMs: 60_000 },
	);
	const metadata = { ingress: "test", requestId: "request", verification: { scheme: "md5" } };
	const send = async (
		change: Partial<Record<keyof typeof fields, unknown>> = {},
	): Promise<ReceiveOutcome> => {
		const requestParam = JSON.stringify({ ...fields, ...change });
		const outcome = await receive({ requestParam, appKey: "app", metadata });
		say(outcome);
		return outcome;
	};
	const events = async (): Promise<readonly RecordedEvent[]> => {
		const all: RecordedEvent[] = [];
		for await (const event of store.readAll()) all.push(event);
		return all;
	};
	return { send, events, keyring, metadata, said, receive };
}

const tagsOf = (outcomes: readonly ReceiveOutcome[]): Record<string, number> => {
	const counts: Record<string, number> = {};
	for (const { _tag } of outcomes) counts[_tag] = (counts[_tag] ?? 0) + 1;
	return counts;
};
const typesOf = (events: readonly RecordedEvent[]): readonly string[] => events.map(({ type }) => type);
const hundred = <Value>(make: (index: number) => Value): Value[] =>
	Array.from({ length: 100 }, (_, index) => make(index));

describe("receive", () => {
	test("answers 100 identical callbacks at once with 100 successes, and records one report", async () => {
		const { send, events } = given();
		const outcomes = await Promise.all(hundred(() => send()));
		expect(tagsOf(outcomes)).toEqual({ Reported: 1, AlreadyReported: 99 });
		expect(new Set(outcomes.map((outcome) => "stream" in outcome && outcome.stream)).size).toBe(1);
		expect(tagsOf([await send()])).toEqual({ AlreadyReported: 1 });
		expect(typesOf(await events())).toEqual(["RecordingReported"]);
	});

	test("takes the same callback from another app, written in another way, as the same", async () => {
		const { send, events, receive, metadata } = given();
		await send();
		const php = JSON.stringify({ ...fields, version: "1", expire_time: String(fields.expire_time) }, null, 2);
		const requestParam = new TextEncoder().encode(php.replaceAll("/", "\\/"));
		expect(await receive({ requestParam, appKey: "other", metadata })).toMatchObject({
			_tag: "AlreadyReported",
		});
		expect(typesOf(await events())).toEqual(["RecordingReported"]);
	});

	test("renews the link when another one names the same object", async () => {
		const { send, events } = given();
		await send();
		expect(await send({ download_url: link(1) })).toMatchObject({ _tag: "LinkRenewed" });
		expect(await send({ download_url: link(1), expire_time: 1 })).toMatchObject({ _tag: "AlreadyReported" });
		expect(typesOf(await events())).toEqual(["RecordingReported", "LinkRenewed"]);
	});

	test("answers 100 different links at once with success, and keeps 17 of them", async () => {
		const { send, events } = given();
		const outcomes = await Promise.all(hundred((serial) => send({ download_url: link(serial) })));
		expect(tagsOf(outcomes)).toEqual({ Reported: 1, LinkRenewed: 16, AlreadyReported: 83 });
		expect(await events()).toHaveLength(17);
	});

	test("takes a second object under the same track for a second recording", async () => {
		const { send, events } = given();
		const first = await send();
		const second = await send({ download_url: link(0, "1080p.mp4") });
		expect([first, second]).toMatchObject([{ _tag: "Reported" }, { _tag: "Reported" }]);
		expect(first).not.toEqual(second);
		expect(new Set((await events()).map(({ stream }) => stream)).size).toBe(2);
	});

	test("tells recordings apart whose ids are hostile or nearly alike", async () => {
		const { send, events } = given();
		const ids = [
			"../../etc/passwd",
			"x".repeat(4096),
			"x".repeat(4097),
			"a\u0000",
			"a",
			"e\u0301",
			"\u00e9",
			"\ud800",
			"\ud801",
			" a",
			"",
		];
		for (const id of ids) expect(await send({ track_info: id })).toMatchObject({ _tag: "Reported" });
		for (const id of ids) expect(await send({ project_id: id })).toMatchObject({ _tag: "Reported" });
		for (const id of ids) expect(await send({ track_info: id })).toMatchObject({ _tag: "AlreadyReported" });
		const all = await events();
		expect(all).toHaveLength(2 * ids.length);
		expect(all.slice(0, ids.length).map(({ data }) => data.trackInfo)).toEqual(ids);
		for (const { stream } of all) expect(stream).toMatch(/^recording-[0-9a-f]{64}$/);
	});

	test("keeps a contradiction, answers success, and keeps it once", async () => {
		const { send, events } = given();
		await send();
		const outcomes = await Promise.all(hundred(() => send({ account_id: "another", account_domain: "3" })));
		expect(tagsOf(outcomes)).toEqual({ Contradicted: 100 });
		const [, contradiction, ...more] = await events();
		expect(more).toEqual([]);
		expect(contradiction).toMatchObject({
			type: "ReportContradicted",
			data: {
				accountId: "another",
				accountDomain: 3,
				gameId: "cgdctwrqs",
				differs: ["accountId", "accountDomain"],
			},
		});
	});

	test("records the whole callback, who sent it, and its deadline; the link masked and sealed", async () => {
		const { send, events, keyring, metadata } = given();
		await send();
		const [event] = await events();
		expect(event).toMatchObject({
			id: expect.any(String),
			schemaVersion: 1,
			version: 1,
			position: "1",
			recordedAt: NOW,
			metadata,
			data: {
				gameId: "cgdctwrqs",
				trackInfo: "9dacb134",
				accountDomain: 0,
				version: 1,
				accountId: "NUAzXzcy",
				action: "SCREEN_RECORDING_CALL_BACK",
				projectId: "cg-avatar",
				object: "bucket.example.com/720p.mp4",
				downloadUrl: "http://bucket.example.com/720p.mp4?***",
				expireTime: fields.expire_time,
				deadline: { at: 1_700_003_600_000, source: "link", ignored: [] },
			},
		});
		const sealedUrl = String(event?.data.sealedUrl);
		expect(await openLink(keyring, event?.stream ?? "", { sealedUrl })).toBe(link());
	});

	test("takes the configured cap when no plausible expiry is stated", async () => {
		const { send, events } = given();
		await send({ expire_time: 5, download_url: "https://bucket.example.com/720p.mp4" });
		expect((await events())[0]?.data.deadline).toEqual({
			at: NOW + 60_000,
			source: "cap",
			ignored: [{ source: "expire_time", value: 5, reason: "past" }],
		});
	});

	test("says and stores the link's query nowhere, nor its user", async () => {
		const { send, events, said } = given();
		await send();
		await send({ download_url: link(1) });
		await send({ account_id: "another", download_url: link(2) });
		await send({ project_id: null, download_url: link(3) });
		await send({ download_url: link(4).replace("http:", "ftp:") });
		await send({ game_id: link(5), action: link(6) });
		const all = await events();
		expect(typesOf(all)).toEqual([
			"RecordingReported",
			"LinkRenewed",
			"ReportContradicted",
			...Array(3).fill("CallbackQuarantined"),
		]);
		const text = JSON.stringify([said, all]);
		expect(text).toContain("bucket.example.com/720p.mp4?***");
		for (const secret of SECRETS) expect(text).not.toContain(secret);
	});
});
