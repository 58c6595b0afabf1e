import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DomainEvent } from "./events.js";
import {
	type DecisionOutcome,
	decide,
	evolve,
	initialRecording,
	MAX_CONTRADICTIONS,
	MAX_RECORDED_FAILURES,
	MAX_RENEWALS,
	type Recording,
} from "./recording.js";
import type { RecordingCommand, RecordingFacts, ReportRecording } from "./recording-command.js";

const facts = {
	projectId: "cg-avatar",
	trackInfo: "9dacb134",
	object: "bucket.example.com/720p.mp4",
	gameId: "cgdctwrqs",
	accountDomain: 0,
	accountId: "NUAzXzcy",
};
const report = (serial: number, other: Partial<RecordingFacts> = {}): ReportRecording => ({
	_tag: "ReportRecording",
	facts: { ...facts, ...other },
	version: 1,
	action: "SCREEN_RECORDING_CALL_BACK",
	link: {
		downloadUrl: "http://bucket.example.com/720p.mp4?***",
		sealedUrl: `v1.k.${serial}`,
		linkFingerprint: `link-${serial}`,
		expireTime: serial,
		deadline: { at: serial, source: "expire_time", ignored: [] },
	},
	contentFingerprint: () => `content-${serial}-${JSON.stringify(other)}`,
});
const archive = (adopted: boolean): RecordingCommand => ({
	_tag: "ArchiveRecording",
	receipt: { location: "memory:x", bytes: 3, sha256: "ab", lengthVerified: true },
	adopted,
});
const giveUp = (tried: readonly number[], tag: "ExpireLink" | "AbandonArchive"): RecordingCommand => ({
	_tag: tag,
	cause: "refused",
	message: "the origin refused",
	tried: tried.map((serial) => `link-${serial}`),
});
const fail = (serial: number, nextAttemptAt?: number): RecordingCommand => ({
	_tag: "RecordFailedAttempt",
	reason: "failed",
	message: "connection reset",
	linkFingerprint: `link-${serial}`,
	tried: serial % 3 !== 2,
	...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
});

const remove = (cause: "missing" | "damaged"): RecordingCommand => ({
	_tag: "RemoveVideo",
	location: "memory:x",
	cause,
	message: "not as it was",
});

const fold = (events: readonly DomainEvent[], from: Recording = initialRecording): Recording =>
	events.reduce(evolve, from);

/** Decides and folds one command after the other. */
function run(
	commands: readonly RecordingCommand[],
	check: (step: {
		readonly before: Recording;
		readonly after: Recording;
		readonly outcome: DecisionOutcome;
		readonly events: readonly DomainEvent[];
	}) => void = () => undefined,
): { readonly recording: Recording; readonly log: readonly DomainEvent[] } {
	let recording = initialRecording;
	const log: DomainEvent[] = [];
	for (const command of commands) {
		const { outcome, events } = decide(command, recording);
		const after = fold(events, recording);
		check({ before: recording, after, outcome, events });
		recording = after;
		log.push(...events);
	}
	return { recording, log };
}

const count = (log: readonly DomainEvent[], type: DomainEvent["type"]): number =>
	log.filter((event) => event.type === type).length;

const anyFacts: fc.Arbitrary<Partial<RecordingFacts>> = fc.record(
	{ gameId: fc.constantFrom("a", "b"), accountId: fc.constantFrom("a", "b", "c"), accountDomain: fc.nat(1) },
	{ requiredKeys: [] },
);
const agreeing = fc.nat(25).map((serial) => report(serial));
const anyReport = fc
	.tuple(fc.nat(25), fc.oneof({ arbitrary: fc.constant({}), weight: 3 }, anyFacts))
	.map(([serial, other]) => report(serial, other));
const serials = fc.array(fc.nat(25), { maxLength: 26 });
const anyCommand: fc.Arbitrary<RecordingCommand> = fc.oneof(
	{ arbitrary: anyReport, weight: 4 },
	{
		arbitrary: fc.tuple(fc.nat(25), fc.option(fc.nat(), { nil: undefined })).map((it) => fail(...it)),
		weight: 3,
	},
	{ arbitrary: fc.boolean().map(archive), weight: 1 },
	{ arbitrary: fc.constantFrom("missing" as const, "damaged" as const).map(remove), weight: 1 },
	{
		arbitrary: fc.tuple(serials, fc.constantFrom("ExpireLink", "AbandonArchive")).map((it) => giveUp(...it)),
		weight: 4,
	},
);
const anyCommands = fc.array(anyCommand, { maxLength: 120, size: "max" });
/** Reports of one set, each at least once, repeated and in any order. */
const repeated = (one: fc.Arbitrary<ReportRecording>): fc.Arbitrary<readonly ReportRecording[]> =>
	fc
		.array(one, { minLength: 1, maxLength: 30 })
		.chain((reports) =>
			fc
				.array(fc.constantFrom(...reports), { maxLength: 30 })
				.chain((more) =>
					fc.shuffledSubarray([...reports, ...more], { minLength: reports.length + more.length }),
				),
		);

describe("whatever is reported, however often and in whatever order", () => {
	test("one recording is reported once, each further link renews it, each contradiction is kept once", () => {
		fc.assert(
			fc.property(repeated(anyReport), (reports) => {
				const { log } = run(reports);
				const first = reports[0]?.facts;
				const agree = reports.filter((it) => JSON.stringify(it.facts) === JSON.stringify(first));
				const differ = reports.filter((it) => JSON.stringify(it.facts) !== JSON.stringify(first));
				const links = new Set(agree.map(({ link }) => link.linkFingerprint)).size;
				const contradictions = new Set(differ.map(({ contentFingerprint }) => contentFingerprint())).size;
				expect(count(log, "RecordingReported")).toBe(1);
				expect(count(log, "LinkRenewed")).toBe(Math.min(links - 1, MAX_RENEWALS));
				expect(count(log, "ReportContradicted")).toBe(Math.min(contradictions, MAX_CONTRADICTIONS));
			}),
		);
	});

	test("repetitions change nothing", () => {
		fc.assert(
			fc.property(repeated(anyReport), (reports) => {
				const once = [...new Map(reports.map((it) => [it.contentFingerprint(), it])).values()];
				expect(run(reports)).toEqual(run(once));
			}),
		);
	});

	test("the order decides nothing but which link and which facts came first", () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(agreeing, {
					maxLength: MAX_RENEWALS,
					minLength: 1,
					selector: (it) => it.contentFingerprint(),
				}),
				fc.infiniteStream(fc.nat()),
				(reports, noise) => {
					const shuffled = reports
						.map((it) => ({ it, at: noise.next().value ?? 0 }))
						.sort((a, b) => a.at - b.at)
						.map(({ it }) => it);
					const sorted = ({ recording }: ReturnType<typeof run>) => ({
						...recording,
						links: recording.links.map(({ linkFingerprint }) => linkFingerprint).sort(),
					});
					expect(sorted(run(shuffled))).toEqual(sorted(run(reports)));
				},
			),
		);
	});

	test("every sender is answered with success", () => {
		fc.assert(
			fc.property(anyCommands, (commands) => {
				for (const [index, command] of commands.entries()) {
					if (command._tag !== "ReportRecording") continue;
					const { recording } = run(commands.slice(0, index));
					expect(["Reported", "AlreadyReported", "LinkRenewed", "Contradicted"]).toContain(
						decide(command, recording).outcome,
					);
				}
			}),
			{ numRuns: 20 },
		);
	});
});

describe("whatever is commanded", () => {
	/** First report, contradictions, failures, one archive. */
	const once = 1 + MAX_CONTRADICTIONS + MAX_RECORDED_FAILURES + 1;

	test("no command throws, the stream stays bounded, and replaying it gives the same state", () => {
		fc.assert(
			fc.property(anyCommands, (commands) => {
				const { recording, log } = run(commands);
				const renewals = count(log, "LinkRenewed");
				const rests = count(log, "LinkExpired") + count(log, "ArchiveAbandoned");
				// Nobody who sends anything can remove a video.
				const removals = count(log, "VideoRemoved");
				expect(renewals).toBeLessThanOrEqual(MAX_RENEWALS + (MAX_RENEWALS + 1) * rests);
				expect(rests).toBeLessThanOrEqual(1 + renewals + removals);
				expect(log.length).toBeLessThanOrEqual(once + renewals + rests + 2 * removals);
				expect(recording.links.length).toBeLessThanOrEqual(MAX_RENEWALS + 1);
				expect(fold(log)).toEqual(recording);
			}),
		);
	});

	test("a resting recording takes every link that it does not know", () => {
		fc.assert(
			fc.property(anyCommands, (commands) => {
				const { recording } = run(commands);
				if (recording.state !== "expired" && recording.state !== "abandoned") return;
				expect(decide(report(26, recording.reported), recording).outcome).toBe("LinkRenewed");
			}),
		);
	});

	test("nothing but a removal leaves archived, and nothing is unreported again", () => {
		fc.assert(
			fc.property(anyCommands, (commands) => {
				const { log } = run(commands, ({ before, after, events }) => {
					const stays = before.state === "archived" && events[0]?.type !== "VideoRemoved";
					if (stays) expect(after.state).toBe("archived");
					if (before.state !== "unreported") expect(after.state).not.toBe("unreported");
				});
				expect(count(log, "RecordingArchived")).toBeLessThanOrEqual(1 + count(log, "VideoRemoved"));
				expect(count(log, "RecordingReported")).toBeLessThanOrEqual(1);
			}),
		);
	});

	test("a recording rests without its video only when each of its links was tried", () => {
		fc.assert(
			fc.property(anyCommands, (commands) => {
				const tried = new Set<string>();
				let recording = initialRecording;
				for (const command of commands) {
					const { outcome, events } = decide(command, recording);
					if (command._tag === "RecordFailedAttempt" && command.tried) tried.add(command.linkFingerprint);
					if (command._tag === "RemoveVideo" && outcome === "Accepted") tried.clear();
					const gaveUp = command._tag === "ExpireLink" || command._tag === "AbandonArchive";
					if (gaveUp && outcome === "Accepted") {
						for (const fingerprint of command.tried) tried.add(fingerprint);
						for (const { linkFingerprint } of recording.links) expect(tried).toContain(linkFingerprint);
					}
					recording = fold(events, recording);
				}
			}),
		);
	});

	test("a command that was accepted leaves one event at most, and an ignored one none", () => {
		fc.assert(
			fc.property(anyCommands, (commands) => {
				run(commands, ({ outcome, events, before, after }) => {
					expect(events.length).toBeLessThanOrEqual(1);
					if (["Ignored", "AlreadyReported"].includes(outcome)) expect(after).toBe(before);
				});
			}),
		);
	});

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

	test("folding is total: any event on any state", () => {
		const anyEvent = anyCommands
			.map((commands): readonly DomainEvent[] => [...run(commands).log, quarantined])
			.chain((log) => fc.constantFrom(...log));
		fc.assert(
			fc.property(fc.array(anyEvent, { maxLength: 10 }), anyCommand, (events, command) => {
				const recording = fold(events);
				expect(["unreported", "pending", "archived", "expired", "abandoned"]).toContain(recording.state);
				decide(command, recording);
			}),
		);
	});

	test("no state is changed in place", () => {
		const freeze = <Value>(value: Value): Value => {
			if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
			return value;
		};
		fc.assert(
			fc.property(anyCommands, (commands) => {
				let recording = freeze(initialRecording);
				for (const command of commands) {
					const { events } = decide(freeze(command), recording);
					recording = freeze(fold(freeze(events), recording));
				}
			}),
		);
	});
});
