import { left } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { createMemoryKeyring } from "./memory/keyring.js";
import {
	type Admission,
	type EventStore,
	type Keyring,
	type NewEvent,
	type RecordedEvent,
	storeFault,
} from "./ports/index.js";
import { foldRecordings } from "./recordings.js";
import { redrive } from "./redrive.js";
import type { DecodeCallback } from "./report-recording.js";
import { openLink } from "./seal-link.js";
import { fields, given, link, METADATA, RECORDING, renamed } from "./test-redrive.js";

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
		expect(await redrive(deps, stream)).toEqual({
			_tag: "StillUndecodable",
			issues: [{ field: "game_id", problem: "is missing" }],
		});
		const stricter: DecodeCallback = () =>
			left({ _tag: "DecodeError", issues: [{ field: "x", problem: "is odd" }] });
		expect(await redrive(deps, stream, { decode: stricter })).toMatchObject({
			issues: [{ field: "x", problem: "is odd" }],
		});
		expect(await events()).toEqual(before);
	});

	test("is not handed to a codec of texts when it is none", async () => {
		const { redriveMended, send } = given();
		const stream = await send(new Uint8Array([0xff, 0xfe]));
		expect(await redriveMended(stream)).toMatchObject({
			_tag: "StillUndecodable",
			issues: [{ problem: "is not UTF-8" }],
		});
	});
});

describe("a redrive changes nothing", () => {
	test("when the app may not report the project that the callback turns out to be about", async () => {
		const { redriveMended, send, events } = given();
		const stream = await send(renamed());
		const asked: unknown[] = [];
		const admission: Admission = {
			async admit(request) {
				asked.push(request);
				return { _tag: "NotAdmitted", message: "no" };
			},
		};
		expect(await redriveMended(stream, { admission })).toMatchObject({ _tag: "NotAdmitted" });
		expect(asked).toEqual([{ appKey: "app", projectId: "project" }]);
		expect(typesOf(await events())).toEqual(["CallbackQuarantined"]);
	});

	test("when the body cannot be opened", async () => {
		const { redriveMended, send, events } = given();
		const stream = await send(renamed());
		const keyring: Keyring = createMemoryKeyring();
		await expect(redriveMended(stream, { keyring })).rejects.toMatchObject({ _tag: "KeyringFault" });
		expect(typesOf(await events())).toEqual(["CallbackQuarantined"]);
	});

	test("for a stream that holds no quarantined callback", async () => {
		const { redriveMended, send, events } = given();
		const recording = await send(JSON.stringify(fields));
		for (const stream of [recording, "quarantine-0", "log-repairs"]) {
			expect(await redriveMended(stream)).toEqual({ _tag: "NotQuarantined" });
		}
		expect(await events()).toHaveLength(1);
	});

	test("in a dry run, which says what would become of it, on a store that only reads too", async () => {
		const { redriveMended, store, send, events } = given();
		const stream = await send(renamed());
		const readOnly: EventStore = {
			...store,
			append: async () => {
				throw new TypeError("this handle only reads");
			},
		};
		const dry = () => redriveMended(stream, { store: readOnly }, { dryRun: true });
		expect(await dry()).toEqual({ _tag: "Redriven", outcome: "Reported", recording: RECORDING });
		await send(JSON.stringify({ ...fields, account_id: "another" }));
		expect(await dry()).toMatchObject({ outcome: "Contradicted" });
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported"]);
	});
});

describe("a redriven callback", () => {
	test("is reported as it would have been when it came: its sender, its proof, its time and its link", async () => {
		const { redriveMended, keyring, send, events, later } = given();
		const stream = await send(renamed());
		later(30 * 24 * 3_600_000);
		expect(await redriveMended(stream)).toEqual({
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
		const { redriveMended, send, events } = given();
		const stream = await send(renamed(changes));
		await send(JSON.stringify(fields));
		expect(await redriveMended(stream)).toEqual({ _tag: "Redriven", outcome, recording: RECORDING });
		expect(typesOf(await events()).slice(2)).toEqual([...appended, "CallbackRedriven"]);
	});

	test("is redriven once, however often it is tried", async () => {
		const { redriveMended, send, events } = given();
		const stream = await send(renamed());
		await redriveMended(stream);
		const before = await events();
		expect(await redriveMended(stream)).toEqual({ _tag: "AlreadyRedriven", recording: RECORDING });
		expect(await redriveMended(stream, {}, { dryRun: true })).toMatchObject({ _tag: "AlreadyRedriven" });
		expect(await events()).toEqual(before);
	});

	test("is redriven once when another was as far at the same time", async () => {
		const { redriveMended, store, send, events } = given();
		const stream = await send(renamed());
		let isFirst = true;
		const raced = withAppend(store, async () => {
			if (!isFirst) return;
			isFirst = false;
			expect(await redriveMended(stream)).toMatchObject({ _tag: "Redriven" });
		});
		expect(await redriveMended(stream, { store: raced })).toEqual({
			_tag: "AlreadyRedriven",
			recording: RECORDING,
		});
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported", "CallbackRedriven"]);
	});

	test("is redriven once by many at once", async () => {
		const { redriveMended, send, events } = given();
		const stream = await send(renamed());
		const outcomes = await Promise.all(Array.from({ length: 20 }, () => redriveMended(stream)));
		expect(outcomes.filter(({ _tag }) => _tag === "Redriven")).toHaveLength(1);
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported", "CallbackRedriven"]);
	});

	test("is one recording, and its quarantine's stream is none", async () => {
		const { redriveMended, store, send } = given();
		await redriveMended(await send(renamed()));
		expect([...(await foldRecordings(store.readAll())).keys()]).toEqual([RECORDING]);
	});

	test("cut short between the two appends is reported once when it is redriven again", async () => {
		const { redriveMended, store, send, events } = given();
		const stream = await send(renamed());
		const cut = withAppend(store, async () => {
			throw storeFault("io", "killed");
		});
		await expect(redriveMended(stream, { store: cut })).rejects.toMatchObject({ reason: "io" });
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported"]);
		expect(await redriveMended(stream)).toMatchObject({ _tag: "Redriven", outcome: "AlreadyReported" });
		expect(typesOf(await events())).toEqual(["CallbackQuarantined", "RecordingReported", "CallbackRedriven"]);
	});

	test("makes way for events of others in the quarantine's stream", async () => {
		const { redriveMended, store, send, events } = given();
		const stream = await send(renamed());
		const note = { type: "acme.Seen", schemaVersion: 1, data: { by: "us" }, metadata: {} };
		let notes = 0;
		const busy = withAppend(store, async ([event]) => {
			if (event?.type !== "CallbackRedriven" || notes === 3) return;
			notes += 1;
			await store.append(stream, [{ ...note, id: `note-${notes}` }], "any");
		});
		expect(await redriveMended(stream, { store: busy })).toMatchObject({ _tag: "Redriven" });
		expect(typesOf(await events()).slice(2)).toEqual([
			"acme.Seen",
			"acme.Seen",
			"acme.Seen",
			"CallbackRedriven",
		]);
	});

	test("that comes again is the known recording, and the quarantine is as it was", async () => {
		const { redriveMended, send, events } = given();
		const stream = await send(renamed());
		await redriveMended(stream);
		expect(await send(renamed())).toBe(stream);
		expect(await send(JSON.stringify(fields))).toBe(RECORDING);
		expect(await events()).toHaveLength(3);
	});
});
