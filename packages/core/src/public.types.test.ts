// What the types promise to applications and plugin authors. `pnpm types` is the check: a promise that is broken does not
// compile, and neither does an `@ts-expect-error` whose line compiles. Running these tests finds nothing more.

import { describe, expectTypeOf, test } from "vitest";
import type { Reelkeep, ReelkeepOptions } from "./container/index.js";
import type { EventData, ReelkeepEvent, UnknownEvent } from "./events.js";
import type { GuardedEvents } from "./guarded-emitter.js";
import {
	type AppendResult,
	type ArchiveProgress,
	CLOCK,
	type Clock,
	comparePositions,
	createToken,
	EVENT_STORE,
	type EventStore,
	type Get,
	LOGGER,
	type NewEvent,
	type Plugin,
	type Position,
	type ReceiveOutcome,
	type RecordedEvent,
	type RecordingAtRisk,
	type Registry,
	type Token,
	toPosition,
} from "./ports/index.js";
import type { Projection, ProjectionDefinition } from "./projection.js";
import type { ReceiveOptions } from "./receive.js";
import { type RecordingsModel, recordingsProjection } from "./recordings-model.js";
import type { RedriveOptions, RedriveOutcome } from "./redrive.js";
import type { Delivery, SubscriptionHandler } from "./subscribe.js";

/** Compiled, never called. */
type Use<Given> = (given: Given) => unknown;

const inTotal = (outcome: never): never => outcome;

describe("the outcome of receive", () => {
	test("is one of eight, and a switch over them is complete", () => {
		expectTypeOf<ReceiveOutcome["_tag"]>().toEqualTypeOf<
			| "Reported"
			| "AlreadyReported"
			| "LinkRenewed"
			| "Contradicted"
			| "Quarantined"
			| "Refused"
			| "RateLimited"
			| "Unavailable"
		>();
		const isKept = (outcome: ReceiveOutcome): boolean => {
			switch (outcome._tag) {
				case "Reported":
				case "AlreadyReported":
				case "LinkRenewed":
				case "Contradicted":
				case "Quarantined":
					return true;
				case "Refused":
				case "RateLimited":
				case "Unavailable":
					return false;
				default:
					return inTotal(outcome);
			}
		};
		expectTypeOf(isKept).returns.toBeBoolean();
	});

	test("is missed when a switch forgets one", () => {
		const isKept: Use<ReceiveOutcome> = (outcome) => {
			switch (outcome._tag) {
				case "Reported":
				case "AlreadyReported":
				case "LinkRenewed":
				case "Contradicted":
				case "Quarantined":
				case "Refused":
				case "RateLimited":
					return true;
				default:
					// @ts-expect-error: Unavailable is left.
					return inTotal(outcome);
			}
		};
		expectTypeOf(isKept).toBeFunction();
	});

	test("has a stream only where something is kept", () => {
		type Kept = Extract<ReceiveOutcome, { readonly stream: string }>["_tag"];
		expectTypeOf<Kept>().toEqualTypeOf<
			"Reported" | "AlreadyReported" | "LinkRenewed" | "Contradicted" | "Quarantined"
		>();
	});
});

describe("listeners", () => {
	test("get the event of the name that they listen to", () => {
		const use: Use<Reelkeep> = ({ events, notices }) => {
			events.on("RecordingReported", (event) => {
				expectTypeOf(event.type).toEqualTypeOf<"RecordingReported">();
				expectTypeOf(event.data).toEqualTypeOf<EventData["RecordingReported"]>();
			});
			events.once("RecordingArchived", ({ data }) => {
				expectTypeOf(data).toEqualTypeOf<EventData["RecordingArchived"]>();
				expectTypeOf(data.receipt.sha256).toBeString();
			});
			notices.on("archiveProgress", (notice) => expectTypeOf(notice).toEqualTypeOf<ArchiveProgress>());
			notices.on("recordingAtRisk", (notice) => expectTypeOf(notice).toEqualTypeOf<RecordingAtRisk>());
		};
		expectTypeOf(use).toBeFunction();
	});

	test("cannot wait for what never comes", () => {
		const use: Use<Reelkeep> = ({ events, notices }) => {
			// @ts-expect-error: there is no such event.
			events.on("RecordingReportd", () => undefined);
			// @ts-expect-error: a notice is no event of the log.
			events.on("archiveProgress", () => undefined);
			// @ts-expect-error: an event is no notice.
			notices.on("RecordingReported", () => undefined);
			// @ts-expect-error: a reported recording has no receipt yet.
			events.on("RecordingReported", ({ data }) => data.receipt);
		};
		expectTypeOf(use).toBeFunction();
		expectTypeOf<GuardedEvents<ReelkeepEvent>["on"]>().returns.toEqualTypeOf<() => void>();
	});

	test("cannot change an event", () => {
		const use: Use<RecordedEvent> = (event) => {
			// @ts-expect-error: readonly.
			event.position = toPosition(1);
			// @ts-expect-error: readonly.
			event.data = {};
			// @ts-expect-error: readonly, and so are the values in it.
			event.data.link = "another";
			// @ts-expect-error: readonly.
			event.metadata.appKey = "another";
		};
		const ofReelkeep: Use<Reelkeep> = ({ events }) => {
			events.on("RecordingReported", (event) => {
				// @ts-expect-error: readonly.
				event.data.gameId = "another";
				// @ts-expect-error: readonly, at every depth.
				event.data.deadline.at = 0;
			});
			events.on("RecordingArchived", ({ data }) => {
				// @ts-expect-error: readonly.
				data.receipt.bytes = 0;
			});
			events.on("CallbackQuarantined", ({ data }) => {
				const [issue] = data.issues;
				// @ts-expect-error: readonly, in a list too.
				if (issue !== undefined) issue.field = "another";
				// @ts-expect-error: readonly.
				data.issues.push({ field: "another", problem: "none" });
			});
		};
		expectTypeOf(use).toBeFunction();
		expectTypeOf(ofReelkeep).toBeFunction();
	});
});

describe("tokens", () => {
	test("carry their type through get", () => {
		const use: Use<Get> = (get) => {
			expectTypeOf(get(EVENT_STORE)).toEqualTypeOf<EventStore>();
			expectTypeOf(get(createToken<{ readonly size: number }>("Mine")).size).toBeNumber();
		};
		const ofReelkeep: Use<Reelkeep> = (reelkeep) => {
			expectTypeOf(reelkeep.get(CLOCK)).toEqualTypeOf<Clock>();
		};
		expectTypeOf(use).toBeFunction();
		expectTypeOf(ofReelkeep).toBeFunction();
	});

	test("do not stand for each other", () => {
		expectTypeOf<Token<Clock>>().not.toExtend<Token<EventStore>>();
		expectTypeOf<Token<Clock>>().toExtend<Token<unknown>>();
		expectTypeOf<string>().not.toExtend<Token<Clock>>();
	});
});

describe("a plugin", () => {
	test("provides what its token names, or does not compile", () => {
		const use: Use<{ registry: Registry; store: EventStore }> = ({ registry, store }) => {
			registry.provide(EVENT_STORE, () => store);
			// @ts-expect-error: a clock is no event store.
			registry.provide(EVENT_STORE, (get) => get(CLOCK));
			// @ts-expect-error: a promise of an event store is none.
			registry.provide(EVENT_STORE, async () => store);
			// @ts-expect-error: half a logger.
			registry.provide(LOGGER, () => ({ warn: () => undefined }));
		};
		expectTypeOf(use).toBeFunction();
	});

	test("names what it provides and needs by tokens", () => {
		const name = "mine";
		expectTypeOf({ name, provides: [EVENT_STORE], needs: [CLOCK] }).toExtend<Plugin>();
		expectTypeOf({ name, provides: ["EventStore"], needs: [] }).not.toExtend<Plugin>();
		expectTypeOf({ name, provides: [EVENT_STORE] }).not.toExtend<Plugin>();
	});
});

describe("a position", () => {
	test("is made by stores only, and read as text", () => {
		expectTypeOf<string>().not.toExtend<Position>();
		expectTypeOf<number>().not.toExtend<Position>();
		expectTypeOf<Position>().toExtend<string>();
		expectTypeOf(toPosition).returns.toEqualTypeOf<Position>();
	});

	test("is compared with positions, not with text or versions", () => {
		const use: Use<RecordedEvent> = ({ position, version }) => {
			// @ts-expect-error: a version is a count of one stream.
			comparePositions(position, version);
			// @ts-expect-error: text is no position before `isPosition` has said so.
			comparePositions(position, "1");
		};
		expectTypeOf(use).toBeFunction();
	});
});

describe("appending", () => {
	test("takes events that are not recorded yet, and an expectation", () => {
		const use: Use<{ store: EventStore; event: NewEvent }> = ({ store, event }) => {
			expectTypeOf(store.append("a", [event], "no-stream")).resolves.toEqualTypeOf<AppendResult>();
			// @ts-expect-error: nothing is expected of the stream.
			void store.append("a", [event]);
			// @ts-expect-error: not an expectation.
			void store.append("a", [event], "stream-exists");
			// @ts-expect-error: what JSON does not hold.
			void store.append("a", [{ ...event, data: { at: new Date() } }], "any");
		};
		expectTypeOf(use).toBeFunction();
	});
});

describe("handlers and options", () => {
	test("a subscription's handler sees what it does not know too, and says when it is done", () => {
		expectTypeOf<Parameters<SubscriptionHandler>>().toEqualTypeOf<
			[event: ReelkeepEvent | UnknownEvent, delivery: Delivery]
		>();
		const use: Use<Reelkeep> = (reelkeep) => {
			reelkeep.subscribe("billing", async () => undefined);
			// @ts-expect-error: nothing would tell when it is done.
			reelkeep.subscribe("billing", () => undefined);
			// @ts-expect-error: no handler.
			reelkeep.subscribe("billing");
			// @ts-expect-error: there is no such option.
			reelkeep.subscribe("billing", async () => undefined, { onFailed: () => undefined });
		};
		expectTypeOf(use).toBeFunction();
	});

	test("a projection's state is that of its definition, all the way", () => {
		const use: Use<{
			reelkeep: Reelkeep;
			counting: ProjectionDefinition<number>;
		}> = ({ reelkeep, counting }) => {
			expectTypeOf(reelkeep.project(counting)).toEqualTypeOf<Projection<number>>();
			expectTypeOf(reelkeep.project(recordingsProjection).state()).toEqualTypeOf<RecordingsModel>();
			reelkeep.project(counting, { saveEveryEvents: 10 });
			// @ts-expect-error: a count is folded into another count.
			reelkeep.project<number>({ ...counting, evolve: (state, event) => `${state}${event.id}` });
			// @ts-expect-error: what saves a text cannot save a number.
			reelkeep.project<number>({ ...counting, codec: { toJson: (state: string) => state } });
			// @ts-expect-error: no definition, only its name.
			reelkeep.project("recordings");
			// @ts-expect-error: every so many of what?
			reelkeep.project(counting, { saveEvery: 10 });
		};
		expectTypeOf(use).toBeFunction();
	});

	test("a redrive says what became of the callback, and takes the options of the function", () => {
		expectTypeOf<Reelkeep["redrive"]>().returns.resolves.toEqualTypeOf<RedriveOutcome>();
		expectTypeOf<Reelkeep["redrive"]>().parameters.toEqualTypeOf<
			[stream: string, options?: RedriveOptions | undefined]
		>();
		const use: Use<Reelkeep> = (reelkeep) => {
			void reelkeep.redrive("quarantine-0", { dryRun: true });
			// @ts-expect-error: there is no such option.
			void reelkeep.redrive("quarantine-0", { dry: true });
		};
		expectTypeOf(use).toBeFunction();
	});

	test("options are read, not changed, and a misspelt one does not compile", () => {
		expectTypeOf<ReceiveOptions>().toEqualTypeOf<Readonly<ReceiveOptions>>();
		expectTypeOf<ReelkeepOptions>().toEqualTypeOf<Readonly<ReelkeepOptions>>();
		expectTypeOf<{ plugins: [] }>().toExtend<ReelkeepOptions>();
		// @ts-expect-error: timeout has no unit.
		const misspelt: ReceiveOptions = { timeout: 10 };
		// @ts-expect-error: plugins are needed.
		const none: ReelkeepOptions = {};
		// @ts-expect-error: undefined is no number of milliseconds.
		const absent: ReceiveOptions = { timeoutMs: undefined };
		expectTypeOf([misspelt, none, absent]).toBeArray();
	});
});
