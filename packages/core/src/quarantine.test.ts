import { describe, expect, test } from "vitest";
import { openQuarantined } from "./quarantine.js";
import { quarantineStream } from "./recording-id.js";
import { fields, given, LINK, QUERY } from "./test-receive.js";

describe("an authentic callback that cannot be decoded", () => {
	const undecodable = { ...fields, project_id: null, download_url: `ftp://bucket.example.com/x?${QUERY}` };

	test("is kept once, though it is retried ten times at once and again later", async () => {
		const { send, events, log } = given();
		const outcomes = await Promise.all(Array.from({ length: 10 }, () => send(undecodable)));
		outcomes.push(await send(undecodable));
		expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
		expect(outcomes[0]).toEqual({
			_tag: "Quarantined",
			stream: expect.stringMatching(/^quarantine-[0-9a-f]{64}$/),
			issues: [
				{ field: "download_url", problem: "must be an http or https link" },
				{ field: "project_id", problem: "is missing" },
			],
		});
		expect((await events()).map(({ type }) => type)).toEqual(["CallbackQuarantined"]);
		expect(log.map(({ message }) => message)).toEqual(["callback quarantined"]);
	});

	test("is sealed: nothing of its body stands in the log, and the keyring opens it byte for byte", async () => {
		const { send, events, keyring } = given();
		const body = `{'game_id': 'cg-secret-游戏', 'download_url': '${LINK}'}`;
		await send(body);
		const [event] = await events();
		const text = JSON.stringify(event);
		for (const part of ["cg-secret", "游戏", "bucket.example.com", "720p", "game_id"]) {
			expect(text).not.toContain(part);
		}
		expect(event?.data.bytes).toBe(Buffer.byteLength(body));
		const sealedBody = String(event?.data.sealedBody);
		const opened = await openQuarantined(keyring, event?.stream ?? "", { sealedBody });
		expect(Buffer.from(opened).toString()).toBe(body);
	});

	test("is one stream as text and as bytes, another from another app", async () => {
		const { send, types } = given();
		const first = await send("{");
		expect(await send(Buffer.from("{"))).toEqual(first);
		expect(first).toMatchObject({ stream: quarantineStream("app", Buffer.from("{")) });
		expect(await send("{", { appKey: "other" })).not.toEqual(first);
		expect(await types()).toHaveLength(2);
	});

	test("may be bytes that are no UTF-8; they are kept as they are", async () => {
		const { send, events, keyring } = given();
		const bytes = Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x00, 0xff);
		expect(await send(bytes)).toMatchObject({
			_tag: "Quarantined",
			issues: [{ field: "", problem: "is not UTF-8" }],
		});
		const [event] = await events();
		const sealedBody = String(event?.data.sealedBody);
		expect([...(await openQuarantined(keyring, event?.stream ?? "", { sealedBody }))]).toEqual([...bytes]);
	});

	test("is kept whatever its fields hold", async () => {
		const { send, types } = given();
		const strange = [
			{ expire_time: { toString: 1, valueOf: 1 } },
			{ expire_time: [[[]]], download_url: { toString: null } },
			{ expire_time: "1e999", download_url: "http://" },
			[{ expire_time: 1 }],
			null,
			1,
			"",
		];
		for (const body of strange) {
			expect(await send(JSON.stringify(body))).toMatchObject({ _tag: "Quarantined" });
		}
		expect(await send("")).toMatchObject({ _tag: "Quarantined" });
		expect(await types()).toHaveLength(strange.length + 1);
	});
});
