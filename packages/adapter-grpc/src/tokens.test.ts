import { TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenVerifier, type Tokens } from "./tokens.js";

const OTHER_TOKEN = "test-secret-0123456789abcdef";

const verify = (headers: Readonly<Record<string, string>>, tokens: Tokens = { relay: TEST_SECRET }) =>
	createTokenVerifier(tokens).verify({
		parameters: new Map(),
		headers: new Map(Object.entries(headers)),
		body: new Uint8Array(),
	});

const bearing = (token: string, tokens?: Tokens) => verify({ authorization: `Bearer ${token}` }, tokens);

function messageOf(tokens: Tokens): string {
	try {
		createTokenVerifier(tokens);
	} catch (error) {
		transcribe("error", String(error));
		return String(error);
	}
	return "nothing was thrown";
}

describe("createTokenVerifier, at construction", () => {
	it.each<[string, Tokens, RegExp]>([
		["no caller", {}, /no caller has a token/],
		["a caller without tokens", { relay: [] }, /caller relay has no token/],
		["an empty token", { relay: "" }, /relay is empty/],
		["a short token", { relay: TEST_SECRET.slice(0, 23) }, /relay has fewer than 24 characters/],
		[
			"a token that is no text",
			{ relay: [{ id: "a", token: undefined as unknown as string }] },
			/fewer than/,
		],
		["a blank token", { relay: " ".repeat(32) }, /characters that no bearer token has/],
		["a token with a line end", { relay: `${TEST_SECRET}\n` }, /copied with a line end/],
		["a token in white space", { relay: ` ${TEST_SECRET}` }, /characters that no bearer token has/],
		["a token with its scheme", { relay: `Bearer ${TEST_SECRET}` }, /characters that no bearer token has/],
		["a Chinese token", { relay: `${TEST_SECRET}令牌` }, /characters that no bearer token has/],
		["a token with = inside", { relay: `${TEST_SECRET}=x` }, /characters that no bearer token has/],
		["a token of 4097 characters", { relay: TEST_SECRET.padEnd(4097, "x") }, /relay/],
		[
			"a short one among several tokens",
			{
				relay: [
					{ id: "a", token: TEST_SECRET },
					{ id: "b", token: "x" },
				],
			},
			/relay has fewer than 24 characters/,
		],
		["a token that two callers share", { relay: TEST_SECRET, other: TEST_SECRET }, /the same token/],
		[
			"one token under two names",
			{
				relay: [
					{ id: "a", token: TEST_SECRET },
					{ id: "b", token: TEST_SECRET },
				],
			},
			/the same token/,
		],
		[
			"two tokens with one id",
			{
				relay: [
					{ id: "a", token: TEST_SECRET },
					{ id: "a", token: OTHER_TOKEN },
				],
			},
			/two tokens of caller relay have the same id/,
		],
		["an empty id", { relay: [{ id: "", token: TEST_SECRET }] }, /a token of caller relay needs a name/],
		["an id with a space", { relay: [{ id: "a b", token: TEST_SECRET }] }, /needs a name/],
		["an id of 65 characters", { relay: [{ id: "a".repeat(65), token: TEST_SECRET }] }, /needs a name/],
		["an empty caller's name", { "": TEST_SECRET }, /a caller's name has/],
		["a caller's name with a space", { "the relay": TEST_SECRET }, /a caller's name has/],
		["a Chinese caller's name", { 中继: TEST_SECRET }, /a caller's name has/],
		["a caller's name with a line end", { "relay\n": TEST_SECRET }, /a caller's name has/],
		["name and token interchanged", { [`${TEST_SECRET}=`]: "relay" }, /a caller's name has/],
	])("refuses %s and does not quote a token", (_what, tokens, reason) => {
		const message = messageOf(tokens);
		expect(message).toMatch(/^TypeError: /);
		expect(message).toMatch(reason);
		expect(message).not.toContain("test-secret");
	});

	it("refuses a token without an id", () => {
		const tokens = { relay: [{ token: TEST_SECRET } as { id: string; token: string }] };
		expect(messageOf(tokens)).toMatch(/^TypeError: a token of caller relay needs a name/);
	});

	it("says of a long token that it is too long", () => {
		expect(messageOf({ relay: TEST_SECRET.padEnd(4097, "x") })).toContain("4096");
	});

	it("quotes no token that stands where the caller's name belongs", () => {
		const token = "0123456789abcdef".repeat(2);
		expect(messageOf({ [token]: "relay" })).not.toContain(token);
	});

	it.each([
		["openssl rand -hex 16", "0123456789abcdef".repeat(2)],
		["openssl rand -base64 24", "AbCd/+89AbCd/+89AbCd/+89AbCd/+89"],
		["padded base64", "AbCd/+89AbCd/+89AbCd/w=="],
		["the longest", "x".repeat(4096)],
	])("takes a token as %s writes it", async (_what, token) => {
		expect(await bearing(token, { relay: token })).toMatchObject({ _tag: "Authentic" });
	});
});

describe("a token verifier", () => {
	it("names the caller of a token, and how it knows", async () => {
		expect(await bearing(TEST_SECRET)).toEqual({
			_tag: "Authentic",
			appKey: "relay",
			receipt: { scheme: "bearer", secretId: "default" },
		});
	});

	it("takes each of several tokens and names the one that was sent", async () => {
		const tokens: Tokens = {
			relay: [
				{ id: "old", token: TEST_SECRET },
				{ id: "2026-11", token: OTHER_TOKEN },
			],
			other: "another-caller-has-another-token",
		};
		const known = { appKey: "relay", receipt: { scheme: "bearer", secretId: "old" } };
		expect(await bearing(TEST_SECRET, tokens)).toMatchObject(known);
		expect(await bearing(OTHER_TOKEN, tokens)).toMatchObject({ receipt: { secretId: "2026-11" } });
		expect(await bearing("another-caller-has-another-token", tokens)).toMatchObject({ appKey: "other" });
	});

	it.each(["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "])("takes the scheme %j", async (scheme) => {
		expect(await verify({ authorization: `${scheme} ${TEST_SECRET}` })).toMatchObject({ appKey: "relay" });
	});

	it("says that a token is missing", async () => {
		const missing = { _tag: "NotAuthentic", reason: "missing-credentials" };
		expect(await verify({})).toMatchObject(missing);
		expect(await verify({ "top-authorization": `Bearer ${TEST_SECRET}` })).toMatchObject(missing);
	});

	it.each([
		["nothing", ""],
		["the scheme alone", "Bearer"],
		["the scheme and a space", "Bearer "],
		["the token alone", TEST_SECRET],
		["another scheme", `Basic ${TEST_SECRET}`],
		["a scheme that ends like it", `xBearer ${TEST_SECRET}`],
		["no space", `Bearer${TEST_SECRET}`],
		["a tab", `Bearer\t${TEST_SECRET}`],
		["a space in front", ` Bearer ${TEST_SECRET}`],
		["a space behind", `Bearer ${TEST_SECRET} `],
		["a line end behind", `Bearer ${TEST_SECRET}\n`],
		["a padded token", `Bearer ${TEST_SECRET}=`],
		["another token", `Bearer ${OTHER_TOKEN}`],
		["a token in upper case", `Bearer ${TEST_SECRET.toUpperCase()}`],
		["the caller's name", "Bearer relay"],
		["two values, the right one first", `Bearer ${TEST_SECRET}, Bearer ${OTHER_TOKEN}`],
		["two values, the right one last", `Bearer ${OTHER_TOKEN}, Bearer ${TEST_SECRET}`],
		["the right one twice", `Bearer ${TEST_SECRET}, Bearer ${TEST_SECRET}`],
	])("refuses %s, and quotes nothing", async (_what, authorization) => {
		const verification = await verify({ authorization });
		expect(verification).toMatchObject({ _tag: "NotAuthentic", reason: "wrong-credentials" });
		expect(JSON.stringify(verification)).not.toMatch(/test-secret/i);
	});

	it("takes nothing but the exact token", async () => {
		const at = fc.nat({ max: TEST_SECRET.length });
		const unit = fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code));
		const close = fc
			.tuple(at, at, fc.string({ maxLength: 2, unit }))
			.map(([from, to, text]) => TEST_SECRET.slice(0, from) + text + TEST_SECRET.slice(to));
		const verifier = createTokenVerifier({ relay: TEST_SECRET, other: OTHER_TOKEN });
		await fc.assert(
			fc.asyncProperty(fc.oneof(fc.string({ unit }), close), async (text) => {
				const headers = new Map([["authorization", `Bearer ${text}`]]);
				const { _tag } = await verifier.verify({ parameters: new Map(), headers, body: new Uint8Array() });
				// Any number of spaces may stand between scheme and token.
				expect(_tag === "Authentic").toBe(text.replace(/^ +/, "") === TEST_SECRET);
			}),
			{ numRuns: 300, examples: [[TEST_SECRET], [` ${TEST_SECRET}`], [""]] },
		);
	});

	it("keeps a copy of its tokens", async () => {
		const given = [{ id: "a", token: TEST_SECRET }];
		const verifier = createTokenVerifier({ relay: given });
		given[0] = { id: "b", token: OTHER_TOKEN };
		const headers = new Map([["authorization", `Bearer ${TEST_SECRET}`]]);
		const verification = await verifier.verify({ parameters: new Map(), headers, body: new Uint8Array() });
		expect(verification).toMatchObject({ receipt: { secretId: "a" } });
	});
});
