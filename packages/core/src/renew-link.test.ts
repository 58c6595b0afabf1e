import { describe, expect, test } from "vitest";
import { decodeEvent, type LinkRenewed, type ReelkeepEvent } from "./events.js";
import { execute, loadRecording } from "./execute.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemoryKeyring } from "./memory/keyring.js";
import { keyringFault, storeFault } from "./ports/index.js";
import { MAX_RENEWALS } from "./recording.js";
import type { RecordingCommand } from "./recording-command.js";
import { type RenewLinkDeps, renewLink } from "./renew-link.js";
import { openLink, sealLink } from "./seal-link.js";
import { transcribe } from "./test-transcript.js";

const NOW = Date.UTC(2025, 5, 1);
const HOUR = 3_600_000;
const STREAM = "recording-a";
const linkOf = (serial: number, object = "bucket.example.com/720p.mp4"): string =>
	`http://${object}?Expires=${(NOW + 2 * HOUR) / 1_000}&Signature=secret${serial}`;
const FIRST = linkOf(0);
const facts = {
	projectId: "project",
	trackInfo: "track",
	object: "bucket.example.com/720p.mp4",
	gameId: "game",
	accountDomain: 3,
	accountId: "account",
};
const receipt = { location: "memory:x", bytes: 3, sha256: "ab", lengthVerified: true };

/** A recording that was reported with `FIRST`, and what became of it since. */
async function given(...since: readonly ("expired" | "abandoned" | "archived")[]) {
	const clock = { now: () => NOW, sleep: async () => undefined };
	const deps: RenewLinkDeps = {
		store: createMemoryEventStore({ clock }),
		keyring: createMemoryKeyring(),
		clock,
		ids: { next: () => crypto.randomUUID() },
	};
	const link = await sealLink(deps.keyring, STREAM, { downloadUrl: FIRST, expireTime: 0, receivedAt: NOW });
	const rest = { message: "no", tried: [link.linkFingerprint] };
	const commands: Readonly<Record<string, RecordingCommand>> = {
		expired: { _tag: "ExpireLink", cause: "refused", ...rest },
		abandoned: { _tag: "AbandonArchive", cause: "not-found", ...rest },
		archived: { _tag: "ArchiveRecording", receipt, adopted: false },
	};
	const run = (command: RecordingCommand) => execute(deps, STREAM, command, { metadata: {} });
	await run({ _tag: "ReportRecording", facts, version: 1, action: "a", link, contentFingerprint: () => "c" });
	for (const name of since) await run(commands[name] as RecordingCommand);
	const renew = (
		downloadUrl: string,
		expireTime?: number,
		of = STREAM,
		changed: Partial<RenewLinkDeps> = {},
	) =>
		renewLink(
			{ ...deps, ...changed },
			of,
			{ downloadUrl, ...(expireTime === undefined ? {} : { expireTime }) },
			{ metadata: { ingress: "archiver", causationId: "cause" } },
		);
	const events = async (): Promise<readonly ReelkeepEvent[]> => {
		const known: ReelkeepEvent[] = [];
		for await (const event of deps.store.readAll()) {
			transcribe(event);
			known.push(decodeEvent(event) as ReelkeepEvent);
		}
		return known;
	};
	const renewals = async () =>
		(await events()).flatMap((event) => (event.type === "LinkRenewed" ? [event] : []));
	return { deps, renew, events, renewals };
}

describe("a link from elsewhere than a callback", () => {
	test("of another object, of none, or of a recording that nobody knows, changes nothing", async () => {
		const { renew, events } = await given("expired");
		const links = [
			linkOf(1, "bucket.example.com/other.mp4"),
			linkOf(1, "bucket.example.com/720p.mp4/"),
			linkOf(1, "other.example.com/720p.mp4"),
			linkOf(1, "bucket.example.com:8080/720p.mp4"),
			linkOf(1).replace("http:", "ftp:"),
			"bucket.example.com/720p.mp4",
			"",
		];
		for (const link of links) expect(await renew(link)).toBe("NotTheSame");
		expect(await renew(linkOf(1), undefined, "recording-b")).toBe("NotTheSame");
		expect(await events()).toHaveLength(2);
	});

	test("that is known, or of a video that is kept, is not needed", async () => {
		const pending = await given();
		expect(await pending.renew(FIRST)).toBe("NotNeeded");
		expect(await pending.renew(linkOf(1))).toBe("LinkRenewed");
		expect([await pending.renew(linkOf(1)), await pending.renew(FIRST)]).toEqual(["NotNeeded", "NotNeeded"]);
		expect(await pending.renewals()).toHaveLength(1);
		const archived = await given("archived");
		expect(await archived.renew(linkOf(1))).toBe("NotNeeded");
		expect(await archived.renewals()).toHaveLength(0);
	});

	test("is one too many once the recording has as many as it may before it rests", async () => {
		const { deps, renew, renewals } = await given();
		for (let serial = 1; serial <= MAX_RENEWALS; serial += 1) {
			expect(await renew(linkOf(serial))).toBe("LinkRenewed");
		}
		expect(await renew(linkOf(MAX_RENEWALS + 1))).toBe("TooMany");
		expect([await renew(FIRST), await renew(linkOf(MAX_RENEWALS))]).toEqual(["NotNeeded", "NotNeeded"]);
		expect(await renewals()).toHaveLength(MAX_RENEWALS);
		const { recording } = await loadRecording(deps.store, STREAM);
		const tried = recording.links.map(({ linkFingerprint }) => linkFingerprint);
		await execute(
			deps,
			STREAM,
			{ _tag: "ExpireLink", cause: "refused", message: "no", tried },
			{ metadata: {} },
		);
		expect(await renew(linkOf(MAX_RENEWALS + 1))).toBe("LinkRenewed");
	});

	test("is not needed, rather than too many, once the video is kept", async () => {
		const { deps, renew } = await given();
		for (let serial = 1; serial <= MAX_RENEWALS; serial += 1) await renew(linkOf(serial));
		await execute(deps, STREAM, { _tag: "ArchiveRecording", receipt, adopted: false }, { metadata: {} });
		expect(await renew(linkOf(MAX_RENEWALS + 1))).toBe("NotNeeded");
	});

	test("that the store or the keyring cannot take is rejected with their fault", async () => {
		const { deps, renew, events } = await given();
		const append = () => Promise.reject(storeFault("io", "disk"));
		const read = (): never => {
			throw storeFault("io", "disk");
		};
		for (const broken of [{ append }, { read }]) {
			const store = { ...deps.store, ...broken };
			await expect(renew(linkOf(1), undefined, STREAM, { store })).rejects.toMatchObject({
				_tag: "StoreFault",
			});
		}
		const seal = () => Promise.reject(keyringFault("unavailable", "no key"));
		const keyring = { ...deps.keyring, seal };
		await expect(renew(linkOf(1), undefined, STREAM, { keyring })).rejects.toMatchObject({
			_tag: "KeyringFault",
		});
		expect(await events()).toHaveLength(1);
	});

	test("is recorded as one of a callback would be: sealed, masked, with its deadline and what it follows from", async () => {
		const { deps, renew, events, renewals } = await given();
		expect(await renew(linkOf(1))).toBe("LinkRenewed");
		const [renewal] = await renewals();
		expect(renewal).toMatchObject({
			data: {
				downloadUrl: "http://bucket.example.com/720p.mp4?***",
				expireTime: 0,
				deadline: { at: NOW + 2 * HOUR, source: "link" },
				reopens: false,
			},
			metadata: { ingress: "archiver", causationId: "cause" },
		});
		expect(await openLink(deps.keyring, STREAM, renewal?.data as LinkRenewed)).toBe(linkOf(1));
		expect(JSON.stringify(await events())).not.toMatch(/secret/);
	});

	test("dies when it is said to, unless it says itself that it dies earlier", async () => {
		const { renew, renewals } = await given();
		await renew(linkOf(1), NOW + HOUR);
		await renew(linkOf(2), NOW + 3 * HOUR);
		await renew(linkOf(3).replace(/Expires=\d+&/, ""), NOW + 4 * HOUR);
		expect((await renewals()).map(({ data }) => (data.deadline.at - NOW) / HOUR)).toEqual([1, 2, 4]);
	});

	test("may come by https: it names the same object", async () => {
		const { renew } = await given();
		expect(await renew(linkOf(1).replace("http:", "https:"))).toBe("LinkRenewed");
	});

	test.each(["expired", "abandoned"] as const)("reopens a recording that is %s", async (state) => {
		const { deps, renew, renewals } = await given(state);
		expect((await loadRecording(deps.store, STREAM)).recording.state).toBe(state);
		expect(await renew(FIRST)).toBe("NotNeeded");
		expect(await renew(linkOf(1))).toBe("LinkRenewed");
		expect((await renewals())[0]?.data.reopens).toBe(true);
		const { recording } = await loadRecording(deps.store, STREAM);
		expect(recording).toMatchObject({ state: "pending", failedAttempts: 0, reported: facts });
		expect(recording.links).toHaveLength(2);
	});

	test("that comes several times at once is recorded once; other ones beside it too", async () => {
		const { renew, renewals } = await given("expired");
		const results = await Promise.all([1, 1, 2, 1, 2].map((serial) => renew(linkOf(serial))));
		expect(results.filter((result) => result === "LinkRenewed")).toHaveLength(2);
		expect(results.filter((result) => result === "NotNeeded")).toHaveLength(3);
		expect((await renewals()).map(({ data }) => data.reopens)).toEqual([true, false]);
	});

	test.each([Number.NaN, Number.POSITIVE_INFINITY])(
		"with an expiry of %d is recorded so that it can be read again",
		async (expireTime) => {
			const { deps, renew, renewals } = await given();
			expect(await renew(linkOf(1), expireTime)).toBe("LinkRenewed");
			expect(await renewals()).toHaveLength(1);
			for await (const event of deps.store.readAll()) {
				expect(() => decodeEvent(JSON.parse(JSON.stringify(event)))).not.toThrow();
			}
		},
	);
});
