import {
	CLOCK,
	type Get,
	HEALTH,
	IDS,
	LOGGER,
	RECEIVE,
	TELEMETRY,
	type Token,
	tokenName,
	VERIFIER,
} from "@reelkeep/core/ports";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { signedRequest } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { APPS, handlerOptions, NOW_MS, recordingReceive } from "../test/harness.js";
import { httpIngress } from "./plugin.js";

function surroundings() {
	const recorded = recordingReceive();
	const counted: string[] = [];
	const options = handlerOptions(recorded.receive);
	const known = new Map<symbol, unknown>([
		[RECEIVE, recorded.receive],
		[CLOCK, options.clock],
		[IDS, options.ids],
		[LOGGER, options.logger],
		[VERIFIER, options.verifier],
		[
			TELEMETRY,
			{ count: (name: string) => counted.push(name), record: (name: string) => counted.push(name) },
		],
		[HEALTH, { check: async () => [{ source: "store", message: "is closed" }] }],
	]);
	const asked: string[] = [];
	const get: Get = <T>(token: Token<T>): T => {
		asked.push(tokenName(token));
		return known.get(token) as T;
	};
	return { recorded, counted, asked, get };
}

const signed = (): Buffer =>
	signedRequest({ appKey: TEST_APP_KEY, secret: TEST_SECRET, now: NOW_MS, requestParam: "{}" });

describe("httpIngress", () => {
	it("refuses weak apps before anything starts", () => {
		expect(() => httpIngress({ apps: {} })).toThrow("no app is configured");
		expect(() => httpIngress({ apps: { "1": " " } })).toThrow("the secret of app 1 is empty");
	});

	it("has a name of its own where two stand in one composition", () => {
		const names = [httpIngress({ apps: APPS }), httpIngress({ apps: APPS, name: "http-internal" })];
		expect(names.map(({ name }) => name)).toEqual(["http", "http-internal"]);
	});

	it.each([
		["its own apps", { apps: APPS }, false],
		["a verifier of another plugin", {}, true],
	])(
		"serves with %s, asks for exactly what it needs, and tells its address",
		async (_what, options, isNeeded) => {
			const { recorded, counted, asked, get } = surroundings();
			const plugin = httpIngress({ port: 0, ...options });
			expect(plugin.address()).toBeUndefined();
			expect(plugin.needs.includes(VERIFIER)).toBe(isNeeded);
			await plugin.start?.(get);
			const address = plugin.address() ?? "";
			expect((await sendRaw(address, signed())).body).toContain("SUCCESS");
			const ready = await sendRaw(address, Buffer.from("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"));
			expect(ready).toMatchObject({ status: 503, body: expect.stringContaining("is closed") });
			await plugin.stop?.();
			expect(plugin.address()).toBeUndefined();
			expect(recorded.reports).toHaveLength(1);
			expect([...new Set(asked)].sort()).toEqual(plugin.needs.map(tokenName).sort());
			expect(counted).toEqual([
				"reelkeep.http.verified",
				"reelkeep.http.requests",
				"reelkeep.http.durationMs",
			]);
		},
	);

	it("keeps its own clock tolerance", async () => {
		const { get } = surroundings();
		const plugin = httpIngress({ apps: APPS, clockToleranceMs: 1000 });
		await plugin.start?.(get);
		const late = signedRequest({
			appKey: TEST_APP_KEY,
			secret: TEST_SECRET,
			now: NOW_MS - 2000,
			requestParam: "{}",
		});
		expect((await sendRaw(plugin.address() ?? "", late)).body).toContain('"code":31');
		await plugin.stop?.();
	});

	it("may be stopped when it never started", async () => {
		await expect(httpIngress({ apps: APPS }).stop?.()).resolves.toBeUndefined();
	});
});
