// For the test of the import suite only: stores that take events over wrongly.

import { checkImport } from "../ports/check-import.js";
import { flawedImports, type ImportHooks, type MakeImports } from "./test-flawed-imports.js";

interface ImportFlaw {
	readonly breaks: readonly string[];
	readonly make: MakeImports;
}

const flaw = (hooks: ImportHooks, ...breaks: readonly string[]): ImportFlaw => ({
	breaks,
	make: flawedImports(hooks),
});

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const importFlaws: Record<string, ImportFlaw> = {
	"events are recorded anew": flaw(
		{ keep: (event) => ({ ...event, recordedAt: 1 }) },
		"as-recorded",
		"log-order",
		"stream-order",
		"version-gaps",
		"reopened",
		"crash",
	),
	"times before 1970 and at its start are lost": flaw(
		{ keep: (event) => ({ ...event, recordedAt: event.recordedAt || 1 }) },
		"as-recorded",
	),
	"streams are written one after the other": flaw(
		{ order: (events) => events.toSorted((left, right) => left.stream.localeCompare(right.stream)) },
		"as-recorded",
		"log-order",
		"goes-on",
		"reopened",
		"crash",
	),
	"a large import is written by time": flaw(
		{
			order: (events) =>
				events.length < 100
					? events
					: events
							.map((event, at) => ({ event, at }))
							.sort((left, right) => (left.at % 2) - (right.at % 2) || left.at - right.at)
							.map(({ event }) => event),
		},
		"log-order",
	),
	"a stream is read by its times": flaw(
		{
			stream: (events) =>
				events.length < 5 ? events : events.toSorted((left, right) => left.recordedAt - right.recordedAt),
		},
		"stream-order",
	),
	"a stream's version is not moved on": flaw(
		{ versionOf: (held) => held.filter(({ recordedAt }) => recordedAt === 1).length },
		"goes-on",
		"version-gaps",
	),
	"a stream that was taken over begins anew for no-stream": flaw(
		{
			versionOf: (held) =>
				held.at(-1)?.version === 2 && held.length === 2 ? 0 : (held.at(-1)?.version ?? 0),
		},
		"goes-on",
	),
	"versions are counted": flaw(
		{ keep: (event, at) => (event.version > 2 ? { ...event, version: at + 1 } : event) },
		"as-recorded",
		"log-order",
		"stream-order",
		"version-gaps",

		"crash",
	),
	"versions go on by the number of events": flaw({ versionOf: (held) => held.length }, "version-gaps"),
	"the end of the log is not looked at": flaw({ endsAt: () => true }, "wrong-end", "one-at-a-time"),
	"an empty log takes what comes behind anything": flaw(
		{ endsAt: (log, after) => log.length === 0 || log.at(-1)?.position === after },
		"wrong-end",
	),
	"versions are not looked at": flaw({ isPassed: () => false }, "passed-versions"),
	"arguments are not looked at": flaw({ check: () => undefined }, "arguments"),
	"an import may be of any length": flaw(
		{ check: (events, after) => events.length <= 1_000 && checkImport(events, after) },
		"arguments",
	),
	"the end is looked at too early": flaw({ isEarly: true }, "one-at-a-time"),
	"it forgets with its process": flaw({ found: () => [] }, "reopened", "crash"),
	"a later process finds all but the last": flaw(
		{ found: (log, after) => (after === "reopen" ? log.slice(0, -1) : log) },
		"reopened",
	),
	"a kill takes the last event": flaw(
		{ found: (log, after) => (after === "crash" ? log.slice(0, -1) : log) },
		"crash",
	),
};
