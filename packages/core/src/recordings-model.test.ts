import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordedEvent } from "./ports/index.js";
import type { Recording } from "./recording.js";
import { foldRecordings, recordingDeadline } from "./recordings.js";
import type { RecordingRow } from "./recordings-row.js";
import {
	anyEvents,
	anyFacts,
	anyFilter,
	anyLink,
	anyOrder,
	attempts,
	each,
	modelOf,
	recorded,
	resumed,
	SECRET,
	savedAs,
	streams,
} from "./test-recordings.js";

/** What both a row and the decider's own fold, links and all, say of a recording. */
function shownOf(recording: Recording | RecordingRow): object {
	const { state, reported, renewals, failedAttempts, nextAttemptAt, lastFailure, receipt, cause } = recording;
	const { at, source } = ("links" in recording ? recordingDeadline(recording) : recording.deadline) ?? {};
	return {
		state,
		reported,
		renewals,
		failedAttempts,
		nextAttemptAt,
		lastFailure,
		receipt,
		cause,
		at,
		source,
	};
}

describe("the recordings", () => {
	test("are what the decider's fold says of each, in the order of their first events", () =>
		fc.assert(
			fc.asyncProperty(anyEvents, async (events) => {
				const log = await recorded(events);
				const model = await modelOf(log);
				const whole = await foldRecordings(each(log));
				expect(streams(model.rows())).toEqual([...whole.keys()]);
				expect(model.size).toBe(whole.size);
				for (const row of model.rows()) {
					const its = log.filter(
						({ stream, type }) => stream === row.stream && type !== "LogRepaired" && type !== "VideoErased",
					);
					const { position, recordedAt } = its[0] as RecordedEvent;
					expect(row).toMatchObject({ position, recordedAt, changedAt: its.at(-1)?.recordedAt });
					expect(shownOf(row)).toEqual(shownOf(whole.get(row.stream) as Recording));
					expect(model.get(row.stream)).toBe(row);
				}
			}),
			{ numRuns: 150 },
		));

	test("hold no link", () =>
		fc.assert(
			fc.asyncProperty(anyEvents, async (events) => {
				expect(savedAs(await modelOf(await recorded(events)))).not.toContain(SECRET);
			}),
		));

	test("saved after any event and folded on are the whole", () =>
		fc.assert(
			fc.asyncProperty(anyEvents, fc.nat(60), anyFilter, anyOrder, async (events, cut, filter, order) => {
				const log = await recorded(events);
				const whole = await modelOf(log);
				const cutOff = await resumed(savedAs(await modelOf(log.slice(0, cut))), log.slice(cut));
				expect(cutOff.rows()).toEqual(whole.rows());
				const query = { ...filter, order, limit: 5 };
				expect(cutOff.query(query)).toEqual(whole.query(query));
			}),
			{ numRuns: 150 },
		));

	test("cannot be changed through a read", async () => {
		const [event] = fc.sample(fc.tuple(anyFacts, anyLink), 1).map(([facts, link]) => ({
			stream: "recording-a",
			recordedAt: 1,
			content: { type: "RecordingReported", data: { ...facts, ...link } },
		}));
		const model = await modelOf(await recorded(event === undefined ? [] : [event]));
		const [row] = model.query({ limit: 1 }).rows;
		expect(() => Object.assign(row ?? {}, { state: "archived" })).toThrow(TypeError);
		expect(() => Object.assign(row?.reported ?? {}, { gameId: "other" })).toThrow(TypeError);
		(model.rows() as RecordingRow[]).pop();
		expect(model.rows()).toHaveLength(1);
	});

	test.each([
		["no list", "{}"],
		["rows that are none", "[{}]"],
		["rows in another order", undefined],
	])("saved as %s are refused", async (_what, text) => {
		const events = await recorded(
			["a", "b"].map((name) => ({
				stream: `recording-${name}`,
				recordedAt: 1,
				content: { type: "LinkExpired", data: { ...attempts, cause: "refused" } },
			})),
		);
		const swapped = JSON.stringify(JSON.parse(savedAs(await modelOf(events))).reverse());
		await expect(resumed(text ?? swapped, [])).rejects.toThrow(TypeError);
	});
});
