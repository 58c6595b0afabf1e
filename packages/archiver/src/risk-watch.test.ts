import type { Notice } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import type { PendingRecording } from "./pending.js";
import { createRiskWatch } from "./risk-watch.js";

const NOW = Date.UTC(2026, 10, 23);
const HOUR = 3_600_000;
const LOOK_EVERY_MS = 10_000;

function pendingOf(stream: string, of: Partial<PendingRecording> = {}): PendingRecording {
	return {
		stream,
		deadline: NOW + HOUR,
		host: "h",
		newestLink: `link of ${stream}`,
		attempts: 1,
		refusals: 0,
		failure: { reason: "busy", message: "busy" },
		metadata: {},
		...of,
	};
}

function given() {
	const all = new Map<string, PendingRecording>();
	const overloaded = new Set<string>();
	const heard: string[] = [];
	const emit = (notice: Notice): void => {
		if (notice.type === "recordingAtRisk") heard.push(`${notice.stream} ${notice.reason}`);
	};
	const watch = createRiskWatch({
		all: () => all.values(),
		overloaded: () => [...all.values()].filter(({ stream }) => overloaded.has(stream)),
		notices: { emit },
		atRiskMs: HOUR,
	});
	const put = (...pendings: readonly PendingRecording[]): void => {
		for (const pending of pendings) all.set(pending.stream, pending);
	};
	const take = (): readonly string[] => heard.splice(0);
	return { all, overloaded, put, take, watch };
}

describe("the watch over what is at risk", () => {
	it("tells of each once for each reason, however often it looks and it fails", () => {
		const { overloaded, put, take, watch } = given();
		put(pendingOf("a"), pendingOf("b", { deadline: NOW + 2 * HOUR }), pendingOf("c"));
		overloaded.add("c").add("b");
		for (let times = 0; times < 5; times += 1) {
			watch.look(NOW + times * LOOK_EVERY_MS);
			watch.failed(pendingOf("a"), NOW);
		}
		expect(take()).toEqual(["a failing", "c failing", "b overload", "c overload"]);
	});

	it("tells of one that has just failed at once, and only when its deadline is near", () => {
		const { put, take, watch } = given();
		put(pendingOf("a"));
		watch.failed(pendingOf("a"), NOW);
		watch.failed(pendingOf("b", { deadline: NOW + HOUR + 1 }), NOW);
		watch.failed(undefined, NOW);
		expect(take()).toEqual(["a failing"]);
		watch.look(NOW);
		expect(take()).toEqual([]);
	});

	it("tells again once there is a new link that is at risk too", () => {
		const { put, take, watch } = given();
		put(pendingOf("a"));
		watch.look(NOW);
		put(pendingOf("a", { newestLink: "another" }));
		watch.look(NOW + LOOK_EVERY_MS);
		watch.failed(pendingOf("a", { newestLink: "a third" }), NOW + LOOK_EVERY_MS);
		expect(take()).toEqual(["a failing", "a failing", "a failing"]);
	});

	it("looks at most every 10 seconds, and says when it is worth the next look", () => {
		const { put, take, watch } = given();
		expect(watch.nextAt()).toBeLessThanOrEqual(NOW);
		watch.look(NOW);
		put(pendingOf("a"));
		watch.look(NOW + LOOK_EVERY_MS - 1);
		expect([take(), watch.nextAt()]).toEqual([[], NOW + LOOK_EVERY_MS]);
		watch.look(NOW + LOOK_EVERY_MS);
		expect(take()).toEqual(["a failing"]);
	});

	it("does not tell again of one that was out of risk for a while", () => {
		const { overloaded, put, take, watch } = given();
		put(pendingOf("a", { deadline: NOW + 2 * HOUR }));
		for (let times = 0; times < 4; times += 1) {
			overloaded.delete("a");
			if (times % 2 === 0) overloaded.add("a");
			watch.look(NOW + times * LOOK_EVERY_MS);
		}
		expect(take()).toEqual(["a overload"]);
	});

	it("tells of each of two recordings that share a link", () => {
		const { put, take, watch } = given();
		put(pendingOf("a", { newestLink: "shared" }));
		watch.look(NOW);
		put(pendingOf("b", { newestLink: "shared" }));
		watch.look(NOW + LOOK_EVERY_MS);
		expect(take()).toEqual(["a failing", "b failing"]);
	});

	it("looks again when the clock was set back", () => {
		const { put, take, watch } = given();
		watch.look(NOW + HOUR);
		put(pendingOf("a"));
		watch.look(NOW);
		expect(take()).toEqual(["a failing"]);
	});
});
