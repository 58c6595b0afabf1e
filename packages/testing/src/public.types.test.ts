// What the kit's types promise to tests. `pnpm types` is the check; running these finds nothing more.

import type { Clock, EventStore, Keyring, VideoStore } from "@reelkeep/core/ports";
import { describe, expectTypeOf, test } from "vitest";
import {
	type CaptureName,
	type FakeClock,
	type Faulty,
	type FaultyMethod,
	faulty,
	type ShiftingClock,
	type sdkRequest,
	startTestReelkeep,
	type TestReelkeep,
} from "./index.js";

/** Compiled, never called. */
type Use<Given> = (given: Given) => unknown;

describe("faults", () => {
	test("are planned for what a port does, an upload's steps included", () => {
		expectTypeOf<FaultyMethod<EventStore>>().toEqualTypeOf<"append" | "read" | "readAll" | "close">();
		expectTypeOf<FaultyMethod<Keyring>>().toEqualTypeOf<"seal" | "open">();
		expectTypeOf<"begin" | "write" | "commit" | "open">().toExtend<FaultyMethod<VideoStore>>();
		const use: Use<EventStore> = (store) => {
			const wrapped = faulty(store);
			expectTypeOf(wrapped).toEqualTypeOf<Faulty<EventStore>>();
			expectTypeOf(wrapped).toExtend<EventStore>();
			wrapped.faults.failNext("append", { when: "after", times: 2 });
			// @ts-expect-error: there is no such method.
			wrapped.faults.failNext("appendd");
			// @ts-expect-error: it neither waits nor fails.
			wrapped.faults.failNext("onAppended");
			// @ts-expect-error: an event store has no uploads.
			wrapped.faults.failNext("commit");
			// @ts-expect-error: a clock is no store.
			faulty({ now: () => 0, sleep: async () => undefined } satisfies Clock);
		};
		expectTypeOf(use).toBeFunction();
	});
});

describe("a Reelkeep for a test", () => {
	test("has the clock that it was given, a fake one by default", () => {
		expectTypeOf<TestReelkeep["clock"]>().toEqualTypeOf<FakeClock>();
		const use: Use<ShiftingClock> = (clock) => {
			expectTypeOf(startTestReelkeep()).resolves.toEqualTypeOf<TestReelkeep>();
			expectTypeOf(startTestReelkeep({ clock })).resolves.toEqualTypeOf<TestReelkeep<ShiftingClock>>();
		};
		expectTypeOf(use).toBeFunction();
	});

	test("reports a callback's members, and others only when that is said", () => {
		const use: Use<TestReelkeep> = (reelkeep) => {
			reelkeep.report({ game_id: undefined, expire_time: "soon" }, { extra: { gameId: "any" } });
			// @ts-expect-error: no callback has this.
			reelkeep.report({ gameId: "any" });
		};
		expectTypeOf(use).toBeFunction();
	});

	test("is restarted on the stores of an earlier one", () => {
		const use: Use<TestReelkeep> = (earlier) => startTestReelkeep({ stores: earlier });
		expectTypeOf(use).toBeFunction();
	});
});

test("a capture is one that there is", () => {
	expectTypeOf<Parameters<typeof sdkRequest>[0]>().toEqualTypeOf<CaptureName>();
	// @ts-expect-error: there is no such capture.
	const misspelt: CaptureName = "java";
	expectTypeOf(misspelt).toBeString();
});
