import { createHash } from "node:crypto";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { signTop } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { standingClock } from "../test/harness.js";
import type { Apps } from "./app-secrets.js";
import { createTopVerifier } from "./verifier.js";

const clock = standingClock();
const OTHER_SECRET = "test-secret-5555555555555555";
const REQUEST = {
	method: "alibaba.cgame.avatar.video.record.report",
	app_key: TEST_APP_KEY,
	timestamp: "2026-11-23 12:00:00",
	v: "2.0",
	sign_method: "hmac-sha256",
	request_param: "{}",
};

function signed(changes: Record<string, string | undefined> = {}, secret = TEST_SECRET): Map<string, string> {
	const entries = Object.entries({ ...REQUEST, ...changes }).flatMap(([name, value]): [string, string][] =>
		value === undefined ? [] : [[name, value]],
	);
	const parameters = new Map(entries);
	const method = parameters.get("sign_method");
	const sign = signTop(parameters, secret, method === "md5" || method === "hmac" ? method : "hmac-sha256");
	return parameters.set("sign", sign);
}

const verify = (parameters: ReadonlyMap<string, string>, apps: Apps = { [TEST_APP_KEY]: TEST_SECRET }) =>
	createTopVerifier({ apps, clock }).verify({ parameters, headers: new Map(), body: new Uint8Array() });

function messageOf(make: () => unknown): string {
	try {
		make();
	} catch (error) {
		transcribe("error", String(error));
		return String(error);
	}
	return "nothing was thrown";
}

describe("createTopVerifier, at construction", () => {
	it.each<[string, Apps]>([
		["no app", {}],
		["an empty secret", { "1": "" }],
		["a blank secret", { "1": " \t\n" }],
		["no secret of an app", { "1": [] }],
		[
			"a blank one among several secrets",
			{
				"1": [
					{ id: "a", secret: TEST_SECRET },
					{ id: "b", secret: " " },
				],
			},
		],
		["a secret with a line end", { "1": `${TEST_SECRET}\n` }],
		["a secret that is no text", { "1": [{ id: "a", secret: undefined as unknown as string }] }],
		[
			"two secrets with one id",
			{
				"1": [
					{ id: "a", secret: TEST_SECRET },
					{ id: "a", secret: OTHER_SECRET },
				],
			},
		],
		["an empty app key", { "": TEST_SECRET }],
		["an app key that reads like a parameter", { "1format": TEST_SECRET }],
	])("refuses %s and does not repeat a secret", (_what, apps) => {
		const message = messageOf(() => createTopVerifier({ apps, clock }));
		expect(message).toMatch(/^TypeError: /);
		expect(message).not.toContain("test-secret");
	});

	it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
		"refuses a clock tolerance of %d",
		(clockToleranceMs) => {
			const make = () => createTopVerifier({ apps: { "1": TEST_SECRET }, clock, clockToleranceMs });
			expect(messageOf(make)).toMatch(/clockToleranceMs/);
		},
	);
});

describe("a TOP verifier", () => {
	it.each([
		[{ app_key: undefined }, "missing-app-key"],
		[{ app_key: "" }, "missing-app-key"],
		[{ app_key: "99999999" }, "unknown-app-key"],
		[{ app_key: "__proto__" }, "unknown-app-key"],
		[{ timestamp: undefined }, "missing-timestamp"],
		[{ timestamp: "2026-02-30 12:00:00" }, "invalid-timestamp"],
		[{ timestamp: "2026-11-23 11:49:00" }, "invalid-timestamp"],
		[{ timestamp: "2026-11-23 12:11:00" }, "invalid-timestamp"],
		[{ sign_method: undefined }, "unknown-signature-method"],
		[{ sign_method: "MD5" }, "unknown-signature-method"],
		[{ "foo bar": "" }, "wrong-signature"],
		[{ foo: "timestamp" }, "wrong-signature"],
		[{ session: "a b" }, "wrong-signature"],
		[{ method: undefined }, "wrong-signature"],
		[{ v: undefined }, "wrong-signature"],
	] as const)("says of a signed request with %o: %s", async (changes, reason) => {
		expect(await verify(signed(changes))).toMatchObject({ _tag: "NotAuthentic", reason });
	});

	it("says that a sign is missing or wrong, and never what it should be", async () => {
		const parameters = signed();
		const right = parameters.get("sign") ?? "";
		const missing = await verify(new Map([...parameters].filter(([name]) => name !== "sign")));
		expect(missing).toMatchObject({ reason: "missing-signature" });
		for (const sign of [right.toLowerCase(), "0".repeat(64), "签名", `${right}0`]) {
			const wrong = await verify(new Map([...parameters, ["sign", sign]]));
			expect(wrong).toMatchObject({ reason: "wrong-signature" });
			expect(JSON.stringify(wrong)).not.toContain(right);
		}
	});

	it("refuses a raw body behind the parameters, though it is signed", async () => {
		const parameters = new Map(
			[...signed({ sign_method: "md5", request_param: "{}" })].filter(([name]) => name !== "sign"),
		);
		const text = [...parameters]
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.flat()
			.join("");
		const body = Buffer.from("moved");
		const sign = createHash("md5")
			.update(`${TEST_SECRET}${text}moved${TEST_SECRET}`)
			.digest("hex")
			.toUpperCase();
		const verifier = createTopVerifier({ apps: { [TEST_APP_KEY]: TEST_SECRET }, clock });
		const request = { parameters: parameters.set("sign", sign), headers: new Map<string, string>(), body };
		expect(await verifier.verify(request)).toMatchObject({ reason: "wrong-signature" });
	});

	it("refuses what another app's secret signed", async () => {
		const apps = { [TEST_APP_KEY]: TEST_SECRET, "1": OTHER_SECRET };
		expect(await verify(signed({}, OTHER_SECRET), apps)).toMatchObject({ reason: "wrong-signature" });
	});

	it.each(["md5", "hmac", "hmac-sha256"])("accepts what was signed with %s and tells how", async (scheme) => {
		const parameters = signed({ sign_method: scheme, timestamp: "2026-11-23 11:51:00" });
		expect(await verify(parameters)).toEqual({
			_tag: "Authentic",
			appKey: TEST_APP_KEY,
			receipt: { scheme, secretId: "default", clockSkewMs: 9 * 60_000 },
		});
	});

	it("accepts empty values, signed as PHP does or left out as Java does", async () => {
		expect(await verify(signed({ session: "", format: "" }))).toMatchObject({ _tag: "Authentic" });
		expect(await verify(new Map([...signed(), ["session", ""]]))).toMatchObject({ _tag: "Authentic" });
	});

	it("accepts each of several secrets and names the one that matched", async () => {
		const apps = {
			[TEST_APP_KEY]: [
				{ id: "old", secret: OTHER_SECRET },
				{ id: "new", secret: TEST_SECRET },
			],
		};
		expect(await verify(signed({}), apps)).toMatchObject({ receipt: { secretId: "new" } });
		expect(await verify(signed({}, OTHER_SECRET), apps)).toMatchObject({ receipt: { secretId: "old" } });
	});

	it("says the same of an identical request, as often as it comes", async () => {
		const verifier = createTopVerifier({ apps: { [TEST_APP_KEY]: TEST_SECRET }, clock });
		const request = { parameters: signed(), headers: new Map<string, string>(), body: new Uint8Array() };
		expect(await verifier.verify(request)).toEqual(await verifier.verify(request));
	});

	it("keeps a copy of its apps", async () => {
		const secrets = [{ id: "a", secret: TEST_SECRET }];
		const verifier = createTopVerifier({ apps: { [TEST_APP_KEY]: secrets }, clock });
		secrets[0] = { id: "b", secret: OTHER_SECRET };
		const request = { parameters: signed(), headers: new Map<string, string>(), body: new Uint8Array() };
		expect(await verifier.verify(request)).toMatchObject({ receipt: { secretId: "a" } });
	});
});
