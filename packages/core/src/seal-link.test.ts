import { describe, expect, test } from "vitest";
import { createMemoryKeyring } from "./memory/keyring.js";
import { openQuarantined, quarantined } from "./quarantine.js";
import { openLink, sealLink } from "./seal-link.js";

const NOW = Date.UTC(2025, 5, 1);
const HOUR = 3_600_000;
const downloadUrl = `http://user:hunter2@h:81/720p.mp4?Expires=${(NOW + HOUR) / 1000}&Signature=secret%3D#part`;
const damaged = { _tag: "KeyringFault", reason: "damaged" };

describe("a sealed link", () => {
	test("does not open under another stream, nor as a body", async () => {
		const keyring = createMemoryKeyring();
		const link = await sealLink(keyring, "recording-a", { downloadUrl, expireTime: 1, receivedAt: NOW });
		for (const stream of ["recording-b", "recording-a ", ""]) {
			await expect(openLink(keyring, stream, link)).rejects.toMatchObject(damaged);
		}
		const body = openQuarantined(keyring, "recording-a", { sealedBody: link.sealedUrl });
		await expect(body).rejects.toMatchObject(damaged);
	});

	test("of another scheme is a programmer's mistake", async () => {
		const link = { downloadUrl: "ftp://h/o", expireTime: 1, receivedAt: NOW };
		await expect(sealLink(createMemoryKeyring(), "s", link)).rejects.toThrow(TypeError);
	});

	test("shows no user, no query and no fragment, and opens whole", async () => {
		const keyring = createMemoryKeyring();
		const link = await sealLink(keyring, "recording-a", {
			downloadUrl,
			expireTime: NOW + 2 * HOUR,
			receivedAt: NOW,
		});
		expect(link.downloadUrl).toBe("http://h:81/720p.mp4?***");
		for (const secret of ["hunter2", "secret", "part", "Expires"])
			expect(JSON.stringify(link)).not.toContain(secret);
		expect(link).toMatchObject({
			expireTime: NOW + 2 * HOUR,
			deadline: { at: NOW + HOUR, source: "link", ignored: [] },
		});
		expect(await openLink(keyring, "recording-a", link)).toBe(downloadUrl);
	});
});

describe("a quarantined body", () => {
	const body = new TextEncoder().encode(
		JSON.stringify({ expire_time: String(NOW + HOUR), download_url: downloadUrl }),
	);
	const callback = { appKey: "app", body, issues: [], receivedAt: NOW };

	test("does not open under another stream, nor as a link", async () => {
		const keyring = createMemoryKeyring();
		const event = await quarantined(keyring, "quarantine-a", callback);
		await expect(openQuarantined(keyring, "quarantine-b", event)).rejects.toMatchObject(damaged);
		await expect(openLink(keyring, "quarantine-a", { sealedUrl: event.sealedBody })).rejects.toMatchObject(
			damaged,
		);
	});

	test("opens byte for byte, with its length and hash in clear", async () => {
		const keyring = createMemoryKeyring();
		for (const bytes of [new Uint8Array(), Uint8Array.of(0, 255, 0xc3, 0x28), body]) {
			const event = await quarantined(keyring, "q", { ...callback, body: bytes });
			expect(event).toMatchObject({
				appKey: "app",
				bytes: bytes.length,
				sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
			});
			expect(Buffer.from(await openQuarantined(keyring, "q", event))).toEqual(Buffer.from(bytes));
		}
	});

	test("is at risk until what can be read of it says, or the cap", async () => {
		const keyring = createMemoryKeyring();
		const deadlineOf = async (text: string) =>
			(
				await quarantined(keyring, "q", {
					...callback,
					body: new TextEncoder().encode(text),
					deadlineCapMs: 5,
				})
			).deadline;
		expect((await quarantined(keyring, "q", callback)).deadline.at).toBe(NOW + HOUR);
		expect(await deadlineOf(JSON.stringify({ expire_time: NOW + HOUR }))).toMatchObject({
			source: "expire_time",
		});
		expect(await deadlineOf(JSON.stringify({ download_url: downloadUrl }))).toMatchObject({ source: "link" });
		for (const text of [
			"",
			"{",
			"null",
			"[]",
			'{"expire_time":{"valueOf":1,"toString":1}}',
			'{"expire_time":[],"download_url":7}',
			'{"expire_time":true}',
		]) {
			expect(await deadlineOf(text), text).toEqual({ at: NOW + 5, source: "cap", ignored: [] });
		}
	});
});
