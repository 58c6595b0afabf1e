import { describe, expect, test } from "vitest";
import type { DomainEvent } from "./events.js";
import { execute, loadRecording, toNewEvent } from "./execute.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemoryKeyring } from "./memory/keyring.js";
import { sealLink } from "./seal-link.js";

const NOW = Date.UTC(2025, 5, 1);
const STREAM = "recording-a";
const LINK = `http://bucket.example.com/720p.mp4?Expires=${NOW / 1_000 + 3_600}&Signature=x`;
const facts = {
	projectId: "project",
	trackInfo: "track",
	object: "bucket.example.com/720p.mp4",
	gameId: "game",
	accountDomain: 3,
	accountId: "account",
};
const failure = { reason: "failed", message: "503", linkFingerprint: "f", tried: true };

async function given() {
	let serial = 0;
	const store = createMemoryEventStore({ clock: { now: () => NOW } });
	const deps = { store, ids: { next: () => `event-${++serial}` } };
	const link = await sealLink(createMemoryKeyring(), STREAM, {
		downloadUrl: LINK,
		expireTime: 0,
		receivedAt: NOW,
	});
	const report = { _tag: "ReportRecording" as const, facts, version: 1, action: "a", link };
	await execute(deps, STREAM, { ...report, contentFingerprint: () => "c" }, { metadata: {} });
	return { deps, link };
}

describe("an event that could not be read again", () => {
	test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
		"for a number that JSON does not hold, %d, is not stored",
		async (nextAttemptAt) => {
			const { deps } = await given();
			const command = { _tag: "RecordFailedAttempt" as const, ...failure, nextAttemptAt };
			await expect(execute(deps, STREAM, command, { metadata: {} })).rejects.toThrow(
				new TypeError("an event to be stored is no ArchiveAttemptFailed: it could not be read again"),
			);
			expect(await loadRecording(deps.store, STREAM)).toMatchObject({ version: 1 });
			await execute(deps, STREAM, { ...command, nextAttemptAt: NOW }, { metadata: {} });
			expect(await loadRecording(deps.store, STREAM)).toMatchObject({ version: 2 });
		},
	);

	test("is refused, by its type and without what it holds, however deep the number lies", async () => {
		const { deps, link } = await given();
		const deadline = { ...link.deadline, ignored: [] };
		const renewed = { ...link, reopens: false };
		const wrong: readonly DomainEvent[] = [
			{ type: "LinkRenewed", data: { ...renewed, deadline: { ...deadline, at: Number.NaN } } },
			{
				type: "LinkRenewed",
				data: {
					...renewed,
					deadline: { ...deadline, ignored: [{ source: "link", value: Number.NaN, reason: "past" }] },
				},
			},
		];
		for (const event of wrong) {
			expect(() => toNewEvent(event, deps.ids, {})).toThrow(
				new TypeError("an event to be stored is no LinkRenewed: it could not be read again"),
			);
		}
	});

	test("is refused when it lacks a member", async () => {
		const { deps } = await given();
		const event: DomainEvent = {
			type: "ArchiveAbandoned",
			data: { cause: "too-large", attempts: 1, message: "too large" },
		};
		Reflect.deleteProperty(event.data, "message");
		expect(() => toNewEvent(event, deps.ids, {})).toThrow(
			new TypeError("an event to be stored is no ArchiveAbandoned: it could not be read again"),
		);
	});
});

test("an event that lacks what it may lack, or says that it is undefined, is stored", async () => {
	const { deps } = await given();
	const unset = { ...failure };
	Reflect.set(unset, "nextAttemptAt", undefined);
	for (const data of [failure, unset]) {
		await execute(deps, STREAM, { _tag: "RecordFailedAttempt", ...data }, { metadata: {} });
	}
	expect(await loadRecording(deps.store, STREAM)).toMatchObject({ version: 3 });
});
