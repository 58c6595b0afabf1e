import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NOW_MS, standingClock } from "../test/harness.js";
import { isoSeconds, signedParameters } from "../test/signed-cloud-spi.js";
import type { Apps } from "./app-secrets.js";
import { isSignatureOf, stringToSign } from "./cloud-spi-signature.js";
import { createCloudSpiVerifier } from "./cloud-spi-verifier.js";

const clock = standingClock();
const OTHER_SECRET = "test-secret-5555555555555555";
const NO_BYTES = new Uint8Array();

function verify(
	parameters: Readonly<Record<string, string>>,
	{ apps = { [TEST_APP_KEY]: TEST_SECRET } as Apps, httpMethod = "POST", body = NO_BYTES } = {},
) {
	const headers = new Map([[":method", httpMethod]]);
	const verifier = createCloudSpiVerifier({ apps, clock });
	return verifier.verify({ parameters: new Map(Object.entries(parameters)), headers, body });
}

describe("createCloudSpiVerifier, at construction", () => {
	it.each<[string, Apps]>([
		["no app", {}],
		["a blank secret", { "1": " \t\n" }],
		["a secret with a line end", { "1": `${TEST_SECRET}\n` }],
		["one secret of two apps", { "1": TEST_SECRET, "2": TEST_SECRET }],
		["an access key that can be none", { "a b": TEST_SECRET }],
	])("refuses %s and does not repeat a secret", (_what, apps) => {
		let message = "nothing was thrown";
		try {
			createCloudSpiVerifier({ apps, clock });
		} catch (error) {
			message = String(error);
			transcribe("error", message);
		}
		expect(message).toMatch(/^TypeError: /);
		expect(message).not.toContain("test-secret");
	});

	it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses a clock tolerance of %d", (toleranceMs) => {
		const options = { apps: { "1": TEST_SECRET }, clock, clockToleranceMs: toleranceMs };
		expect(() => createCloudSpiVerifier(options)).toThrow(/clockToleranceMs/);
	});
});

describe("a request of Alibaba Cloud's SPI", () => {
	it.each<readonly [string, Readonly<Record<string, string | undefined>>, string]>([
		["no access key", { accessKey: undefined }, "missing-app-key"],
		["an empty access key", { accessKey: "" }, "missing-app-key"],
		["an unknown access key", { accessKey: "99999999" }, "unknown-app-key"],
		["an access key that can be none", { accessKey: "a b" }, "unknown-app-key"],
		["no timestamp", { timestamp: undefined }, "missing-timestamp"],
		["a timestamp of TOP", { timestamp: "2026-11-23 12:00:00" }, "invalid-timestamp"],
		["a day that no calendar has", { timestamp: "2026-02-30T04:00:00Z" }, "invalid-timestamp"],
		["a time zone", { timestamp: "2026-11-23T12:00:00+08:00" }, "invalid-timestamp"],
		["milliseconds", { timestamp: "2026-11-23T04:00:00.000Z" }, "invalid-timestamp"],
		["a time 10 min 1 s ago", { timestamp: isoSeconds(NOW_MS - 601_000) }, "invalid-timestamp"],
		["a time 10 min 1 s ahead", { timestamp: isoSeconds(NOW_MS + 601_000) }, "invalid-timestamp"],
		["no method of signing", { signatureMethod: undefined }, "unknown-signature-method"],
		["another method of signing", { signatureMethod: "HMAC-SHA256" }, "unknown-signature-method"],
		["another version of signing", { signatureVersion: "2.0" }, "unknown-signature-method"],
		["no version of signing", { signatureVersion: undefined }, "unknown-signature-method"],
		["no nonce", { signatureNonce: undefined }, "missing-signature"],
		["a nonce of 7 characters", { signatureNonce: "1234567" }, "wrong-signature"],
		["a nonce of 33 characters", { signatureNonce: "x".repeat(33) }, "wrong-signature"],
		["a nonce with a space", { signatureNonce: "1234 5678" }, "wrong-signature"],
		["a name that sorts in two ways", { é: "1" }, "wrong-signature"],
	])("is refused with %s, though it is signed", async (_what, changes, reason) => {
		expect(await verify(signedParameters(changes))).toMatchObject({ _tag: "NotAuthentic", reason });
	});

	it("is refused under another secret, and without a signature", async () => {
		const wrong = { _tag: "NotAuthentic", reason: "wrong-signature" };
		expect(await verify(signedParameters({}, { secret: OTHER_SECRET }))).toMatchObject(wrong);
		expect(await verify(signedParameters({}, { secret: `${TEST_SECRET}&` }))).toMatchObject(wrong);
		const { signature: _, ...unsigned } = signedParameters();
		expect(await verify(unsigned)).toMatchObject({ reason: "missing-signature" });
	});

	it("is refused with a signature that is written otherwise", async () => {
		const sent = signedParameters();
		const { signature = "" } = sent;
		const hex = Buffer.from(signature, "base64").toString("hex");
		const written = [signature.slice(0, -1), `${signature}=`, ` ${signature}`, hex, signature.toLowerCase()];
		// The last character of 20 bytes has two bits that mean nothing.
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
		const last = alphabet.indexOf(signature[26] ?? "");
		written.push(`${signature.slice(0, 26)}${alphabet[last + 1]}=`, "\u{d800}", "云游戏");
		for (const other of written) {
			const answer = await verify({ ...sent, signature: other });
			expect(answer).toMatchObject({ _tag: "NotAuthentic", reason: "wrong-signature" });
		}
	});

	it("is refused over another verb, without one, or with a body", async () => {
		const wrong = { _tag: "NotAuthentic", reason: "wrong-signature" };
		const sent = signedParameters();
		expect(await verify(sent, { httpMethod: "GET" })).toMatchObject(wrong);
		expect(await verify(signedParameters({}, { httpMethod: "PUT" }), { httpMethod: "PUT" })).toMatchObject(
			wrong,
		);
		expect(await verify(sent, { body: Buffer.from("{}") })).toMatchObject(wrong);
		const parameters = new Map(Object.entries(sent));
		const verifier = createCloudSpiVerifier({ apps: { [TEST_APP_KEY]: TEST_SECRET }, clock });
		expect(await verifier.verify({ parameters, headers: new Map(), body: NO_BYTES })).toMatchObject(wrong);
	});

	it("is authentic with what its access key signed, and says how it was proved", async () => {
		for (const httpMethod of ["GET", "POST"]) {
			const sent = signedParameters({ timestamp: isoSeconds(NOW_MS - 600_000) }, { httpMethod });
			expect(await verify(sent, { httpMethod })).toEqual({
				_tag: "Authentic",
				appKey: TEST_APP_KEY,
				receipt: { scheme: "hmac-sha1", secretId: "default", clockSkewMs: 600_000 },
			});
		}
	});

	it("names the secret that matched while one replaces another", async () => {
		const secrets = [
			{ id: "old", secret: OTHER_SECRET },
			{ id: "new", secret: TEST_SECRET },
		];
		const answer = await verify(signedParameters(), { apps: { [TEST_APP_KEY]: secrets } });
		expect(answer).toMatchObject({ _tag: "Authentic", receipt: { secretId: "new" } });
	});

	it("may have other parameters, any text and empty values: all of it is signed", async () => {
		await fc.assert(
			fc.asyncProperty(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), async (one, other) => {
				const sent = signedParameters({ request_param: one, extra: other, zz: "", "a.b-c_d": "!'()*~ +%&=" });
				expect(await verify(sent)).toMatchObject({ _tag: "Authentic" });
			}),
		);
	});

	it("is refused once a parameter is changed, added or taken away", async () => {
		const original = signedParameters({ request_param: '{"a":"云"}', extra: "x" });
		const names = Object.keys(original);
		await fc.assert(
			fc.asyncProperty(fc.constantFrom(...names, "more"), fc.option(fc.string()), async (name, value) => {
				const changed = { ...original };
				if (value === null) delete changed[name];
				else changed[name] = value;
				fc.pre(name in original ? original[name] !== value : value !== null);
				expect(await verify(changed)).toMatchObject({ _tag: "NotAuthentic" });
			}),
		);
	});

	it("never makes the verifier reject, whatever it holds", async () => {
		const text = fc.string({
			unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
		});
		const names = [...Object.keys(signedParameters()), "other"];
		await fc.assert(
			fc.asyncProperty(fc.constantFrom(...names), text, async (name, value) => {
				const { signature = "", ...sent } = signedParameters();
				const answer = await verify({ signature, ...sent, [name]: value });
				fc.pre(sent[name] !== value && !(name === "signature" && value === signature));
				expect(answer._tag).toBe("NotAuthentic");
			}),
		);
	});
});

describe("the text that is signed", () => {
	// The example of Alibaba Cloud's own documents for its RPC calls, whose parameters have other names.
	const example = new Map([
		["AccessKeyId", "testid"],
		["Action", "DescribeRegions"],
		["Format", "XML"],
		["SignatureMethod", "HMAC-SHA1"],
		["SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"],
		["SignatureVersion", "1.0"],
		["Timestamp", "2016-02-23T12:46:24Z"],
		["Version", "2014-05-26"],
	]);

	it("is that of the public example, and so is its signature", () => {
		const text = stringToSign("GET", example);
		expect(text).toBe(
			"GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML%26SignatureMethod%3DHMAC-SHA1" +
				"%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0" +
				"%26Timestamp%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26",
		);
		const digest = Buffer.from("OLeaidS1JvxuMvnyHOwuJ+uX5qY=", "base64");
		expect(isSignatureOf(digest, "testsecret", text ?? "")).toBe(true);
		expect(isSignatureOf(digest, "testsecreT", text ?? "")).toBe(false);
		expect(isSignatureOf(digest, "testsecret", `${text}a`)).toBe(false);
	});

	it("is another for any other parameters, wherever text is moved", () => {
		const name = fc.stringMatching(/^[A-Za-z_][0-9A-Za-z._-]{0,4}$/).filter((one) => one !== "signature");
		const value = fc.string({ unit: fc.constantFrom("a", "&", "=", "%", "2", "6", " ", "+", "云") });
		const map = fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one, maxLength: 4 });
		fc.assert(
			fc.property(map, map, (left, right) => {
				const sorted = (pairs: typeof left) => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
				const same = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
				expect(stringToSign("GET", new Map(left)) === stringToSign("GET", new Map(right))).toBe(same);
				expect(stringToSign("GET", new Map(left))).not.toBe(stringToSign("POST", new Map(left)));
			}),
		);
		// A name or value cannot grow into its neighbour.
		const texts = [{ a: "1&b=2" }, { a: "1", b: "2" }, { a: "1%26b%3D2" }, { a: "1", b: "2", c: "" }];
		const made = texts.map((one) => stringToSign("GET", new Map(Object.entries<string>(one as never))));
		expect(new Set(made).size).toBe(texts.length);
	});
});
