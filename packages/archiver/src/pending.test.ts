import type { DomainEvent, EventType } from "@reelkeep/core";
import type { RecordedEvent } from "@reelkeep/core/ports";
import { toPosition } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { evolvePending, initialPending, noteFailure, type PendingRecording } from "./pending.js";
import { createPendingSet } from "./pending-set.js";

const STREAM = "recording-1";
const link = (name: string, deadline: number) => ({
	downloadUrl: "http://bucket.aliyuncs.com/720p.mp4?***",
	sealedUrl: "v1.k.x",
	linkFingerprint: name,
	expireTime: deadline,
	deadline: { at: deadline, source: "link" as const, ignored: [] },
});
const reported = (deadline = 1_000) =>
	event("RecordingReported", {
		...link("first", deadline),
		gameId: "g",
		trackInfo: "t",
		accountDomain: 1,
		version: 1,
		accountId: "a",
		action: "x",
		projectId: "p",
		object: "bucket.aliyuncs.com/720p.mp4",
	});
const renewed = (deadline: number) => event("LinkRenewed", { ...link("second", deadline), reopens: false });
const failed = (attempt: number, reason: string, linkFingerprint = "first", nextAttemptAt = 500) =>
	event("ArchiveAttemptFailed", {
		attempt,
		reason,
		message: reason,
		linkFingerprint,
		tried: true,
		nextAttemptAt,
	});
const archived = event("RecordingArchived", {
	receipt: { location: "l", bytes: 1, sha256: "s", lengthVerified: true },
	attempts: 1,
	adopted: false,
});
const expired = event("LinkExpired", { cause: "refused", attempts: 1, message: "no" });
const abandoned = event("ArchiveAbandoned", { cause: "not-found", attempts: 1, message: "no" });

function event<Type extends EventType>(
	type: Type,
	data: Extract<DomainEvent, { readonly type: Type }>["data"],
): RecordedEvent {
	const metadata = { ingress: "http", correlationId: "c" };
	const place = { stream: STREAM, version: 1, position: toPosition(1), recordedAt: 0 };
	return {
		id: `id-${type}`,
		type,
		schemaVersion: 1,
		data: data as RecordedEvent["data"],
		metadata,
		...place,
	};
}

function fold(...events: readonly RecordedEvent[]): PendingRecording | undefined {
	return events.reduce(evolvePending, initialPending);
}

describe("evolvePending", () => {
	it.each([archived, expired, abandoned])("has nothing pending after $type", (terminal) => {
		expect(fold(reported(), terminal)).toBeUndefined();
	});

	it("is pending afresh, due at once, when the video of a recording that rests is removed", () => {
		const { downloadUrl, linkFingerprint, deadline } = link("second", 2_000);
		const data = { location: "l", cause: "missing" as const, message: "gone" };
		const removed = event("VideoRemoved", { ...data, downloadUrl, linkFingerprint, deadline });
		expect(fold(reported(), failed(1, "failed"), archived, removed)).toEqual({
			stream: STREAM,
			deadline: 2_000,
			host: "bucket.aliyuncs.com",
			newestLink: "second",
			attempts: 0,
			refusals: 0,
			metadata: { ingress: "archiver", correlationId: "c", causationId: "id-VideoRemoved" },
		});
	});

	it.each([expired, abandoned])("is pending afresh when a link is renewed after $type", (terminal) => {
		expect(fold(reported(), failed(1, "failed"), terminal, renewed(2_000))).toEqual({
			stream: STREAM,
			deadline: 2_000,
			host: "bucket.aliyuncs.com",
			newestLink: "second",
			attempts: 0,
			refusals: 0,
			metadata: { ingress: "archiver", correlationId: "c", causationId: "id-LinkRenewed" },
		});
	});

	it("throws for a known event that does not decode", () => {
		expect(() => evolvePending(undefined, { ...reported(), data: {} })).toThrow(TypeError);
	});

	it("passes over events of other kinds and of unknown types", () => {
		expect(fold({ ...reported(), type: "VideoErased" })).toBeUndefined();
		expect(fold({ ...reported(), schemaVersion: 2 })).toBeUndefined();
	});

	it("has the deadline of the link that dies last", () => {
		expect(fold(reported(1_000), renewed(500))?.deadline).toBe(1_000);
		expect(fold(reported(1_000), renewed(1_500))?.deadline).toBe(1_500);
	});

	it("counts failures once, and refusals in a row", () => {
		const counts = (...events: readonly RecordedEvent[]) => {
			const pending = fold(reported(), ...events);
			return [pending?.attempts, pending?.refusals, pending?.nextAttemptAt];
		};
		expect(counts(failed(1, "not-found"), failed(2, "refused"))).toEqual([2, 2, 500]);
		expect(counts(failed(1, "not-found"), failed(1, "not-found"))).toEqual([1, 1, 500]);
		expect(counts(failed(1, "not-found"), failed(2, "failed"))).toEqual([2, 0, 500]);
		expect(counts(failed(1, "failed"), renewed(1))).toEqual([0, 0, undefined]);
	});

	it("does not defer a new link for the failure of an older one", () => {
		expect(fold(reported(), renewed(1), failed(1, "failed", "first"))?.nextAttemptAt).toBeUndefined();
	});

	it("is due at once after a restart when only our own fault stood in the way", () => {
		expect(fold(reported(), failed(1, "not-allowed"))).toMatchObject({ attempts: 1 });
		expect(fold(reported(), failed(1, "not-allowed"))?.nextAttemptAt).toBeUndefined();
	});
});

describe("createPendingSet", () => {
	it("notes nothing about a recording that rests, or has another link by now", () => {
		const set = createPendingSet(() => undefined);
		const failure = { attempt: 1, reason: "failed", message: "m", nextAttemptAt: 9 };
		set.note(STREAM, "first", failure);
		set.postpone(STREAM, "first", 9);
		expect([...set.all()]).toEqual([]);
		set.apply(reported());
		set.note(STREAM, "older", failure);
		set.postpone(STREAM, "older", 9);
		expect([...set.all()]).toEqual([fold(reported())]);
	});

	it("notes a failure at once, so that the log's own word changes nothing", () => {
		const set = createPendingSet(() => undefined);
		set.apply(reported());
		set.note(STREAM, "first", { attempt: 1, reason: "not-allowed", message: "m", nextAttemptAt: 9 });
		set.apply(failed(1, "not-allowed"));
		const [pending] = [...set.all()];
		expect(pending).toMatchObject({ attempts: 1, nextAttemptAt: 9, failure: { message: "m" } });
		set.postpone(STREAM, "first", 10);
		expect([...set.all()][0]?.nextAttemptAt).toBe(10);
		set.remove(STREAM, ["first"]);
		expect([...set.all()]).toEqual([]);
	});

	it("forgets what came to rest with the links that it knows, and not what a newer one reopened", () => {
		const set = createPendingSet(() => undefined);
		set.apply(reported());
		set.remove(STREAM, ["other"]);
		expect([...set.all()]).toEqual([fold(reported())]);
		set.remove(STREAM, ["first", "other"]);
		expect([...set.all()]).toEqual([]);
		set.remove(STREAM, ["first"]);
	});

	it("tells only of what is ours, and of what becomes ours, as it is by then", () => {
		const told: (number | undefined)[] = [];
		const set = createPendingSet((_, pending) => told.push(pending?.attempts));
		const other = (event: RecordedEvent): RecordedEvent => ({ ...event, stream: "recording-2" });
		set.apply(reported());
		set.apply(other(reported()));
		set.assign((stream) => stream === STREAM);
		expect(told).toEqual([0, 0, undefined]);
		set.apply(other(failed(1, "busy")));
		expect([...set.all()]).toEqual([fold(reported())]);
		expect(told).toHaveLength(3);
		set.assign((stream) => stream === "recording-2");
		expect(told.slice(3)).toEqual([undefined, 1]);
		expect([set.size(), set.get(STREAM)]).toEqual([1, fold(reported())]);
		set.apply(archived);
		set.assign(() => true);
		expect([...set.all()].map(({ stream }) => stream)).toEqual(["recording-2"]);
	});

	it("is as before when an event does not decode", () => {
		const set = createPendingSet(() => undefined);
		set.apply(reported());
		expect(() => set.apply({ ...renewed(1), data: {} })).toThrow(TypeError);
		expect([...set.all()]).toEqual([fold(reported())]);
	});
});

describe("noteFailure", () => {
	it("forgets an earlier due time when there is none any more", () => {
		const pending = fold(reported(), failed(1, "failed"));
		if (pending === undefined) throw new Error("pending");
		expect(
			noteFailure(pending, { attempt: 2, reason: "failed", message: "m" }).nextAttemptAt,
		).toBeUndefined();
	});

	it("counts a refusal once that the log told of before the archiver did", () => {
		const pending = fold(reported(), failed(1, "refused"));
		if (pending === undefined) throw new Error("pending");
		const known = noteFailure(pending, { attempt: 1, reason: "refused", message: "m", nextAttemptAt: 9 });
		expect(known).toMatchObject({ attempts: 1, refusals: 1, nextAttemptAt: 9 });
		expect(noteFailure(known, { attempt: 2, reason: "refused", message: "m" }).refusals).toBe(2);
	});
});
