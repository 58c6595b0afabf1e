import { createHash } from "node:crypto";
import { CAPTURE_SECRET, TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { chinaTime, signTop, unsignedRequest } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import { explain, problemsIn, withBody, withText } from "../../test/explained.js";
import { NOW_MS, signed } from "../../test/harness.js";
import { signedBatch, signedSpi } from "../../test/signed-bodies.js";

type Parameters = Readonly<Record<string, string | undefined>>;

const CALLBACK =
	'{"game_id":"游戏","download_url":"http:\\/\\/h\\/v.mp4?a=b+c&d=%2B","note":"it\'s (1) ~x*"}';
const TIME = chinaTime(NOW_MS);
const CALL = {
	method: "alibaba.cgame.avatar.video.record.report",
	app_key: TEST_APP_KEY,
	timestamp: TIME,
	v: "2.0",
	sign_method: "md5",
	request_param: CALLBACK,
} as const;

/** A call that is signed as `change` makes it, but sent as it is. */
const signedAs = (change: Parameters, sent: Parameters = {}): Buffer =>
	signed({ requestParam: CALLBACK, parameters: change, afterSigning: { ...fill(change), ...sent } });
const fill = (change: Parameters): Parameters =>
	Object.fromEntries(Object.keys(change).map((name) => [name, new Map(Object.entries(CALL)).get(name)]));
/** A call whose md5 sign is made of any text. */
const signedText = (text: string, sent: Readonly<Record<string, string>> = CALL): Buffer =>
	unsignedRequest([...Object.entries(sent), ["sign", md5(TEST_SECRET + text + TEST_SECRET)]]);
const md5 = (text: string): string => createHash("md5").update(text).digest("hex").toUpperCase();
const glue = (pairs: Iterable<readonly [string, string]>): string => [...pairs].flat().join("");
const sorted = Object.entries(CALL).sort(([a], [b]) => (a < b ? -1 : 1));

/** What each of these is told: one problem, and that the sign matches otherwise. */
const CAUSES: Readonly<Record<string, readonly [bytes: Buffer, tag: string, says: RegExp]>> = {
	"a parameter that was added": [
		signed({ afterSigning: { customerId: "stub" } }),
		"parameter-not-signed",
		/^customerId not signed: .* added on the way/,
	],
	"two that were added": [
		signed({ afterSigning: { customerId: "stub", zone: "cn" } }),
		"parameter-not-signed",
		/^customerId and zone not signed/,
	],
	"an empty value left out where others are signed": [
		signed({ parameters: { session: "" }, afterSigning: { partner_id: "" } }),
		"parameter-not-signed",
		/^partner_id not signed: .* all must be signed or none/,
	],
	"an empty value that was not sent": [
		signed({ parameters: { session: "" }, afterSigning: { session: undefined } }),
		"empty-value-signed",
		/an empty value of session was signed, but not sent/,
	],
	"two of them": [
		signed({
			parameters: { session: "", simplify: "" },
			afterSigning: { session: undefined, simplify: undefined },
		}),
		"empty-value-signed",
		/session and of simplify/,
	],
	"a value that was encoded before": [
		signedAs({ request_param: encodeURIComponent(CALLBACK) }),
		"encoded-value-signed",
		/^request_param: the percent-encoded value was signed/,
	],
	"one that was encoded as a form before": [
		signedAs({ request_param: new URLSearchParams({ "": CALLBACK }).toString().slice(1) }),
		"encoded-value-signed",
		/^request_param: the percent-encoded/,
	],
	"one in .NET's lower-case digits": [
		signedAs({
			request_param: new URLSearchParams({ "": CALLBACK })
				.toString()
				.slice(1)
				.replace(/%../g, (c) => c.toLowerCase()),
		}),
		"encoded-value-signed",
		/^request_param: the percent-encoded/,
	],
	"all values encoded before": [
		signedText(glue(sorted.map(([name, value]) => [name, encodeURIComponent(value)]))),
		"encoded-value-signed",
		/^timestamp, request_param: the percent-encoded/,
	],
	"a value that was encoded twice": [
		signedAs({}, { request_param: encodeURIComponent(CALLBACK) }),
		"value-changed",
		/^request_param: received percent-encoded twice/,
	],
	"a value signed without the blanks around it": [
		signedAs({}, { request_param: `${CALLBACK} ` }),
		"value-changed",
		/^request_param: signed without the white space/,
	],
	"a timestamp signed with +": [
		signedAs({ timestamp: TIME.replace(" ", "+") }),
		"encoded-value-signed",
		/^timestamp: signed with \+ where a space was received/,
	],
	"other line ends": [
		signedAs({ request_param: "{\n}" }, { request_param: "{\r\n}" }),
		"value-changed",
		/^request_param: signed with other line ends/,
	],
	"lines that had more": [
		signedAs({ request_param: "{\r\n}" }, { request_param: "{\n}" }),
		"value-changed",
		/^request_param: signed with other line ends/,
	],
	"other escapes of JSON": [
		signedAs({ request_param: CALLBACK.replaceAll("\\/", "/") }),
		"value-changed",
		/^request_param: signed as another JSON writer/,
	],
	"fewer escapes": [
		signedAs({}, { request_param: CALLBACK.replaceAll("\\/", "/") }),
		"value-changed",
		/^request_param: signed as another JSON writer/,
	],
	"other blanks of JSON": [
		signedAs({ request_param: '{"a":1}' }, { request_param: '{ "a": 1 }' }),
		"value-changed",
		/^request_param: signed as another JSON writer/,
	],
	"an object that was signed as its class": [
		signedAs({ request_param: "[object Object]" }),
		"value-changed",
		/^request_param: an object was signed/,
	],
	"an order without letter case": [
		signedText(
			glue(
				[...sorted, ["Zone", "cn"]].sort(([a = ""], [b = ""]) =>
					a.toLowerCase() < b.toLowerCase() ? -1 : 1,
				) as [string, string][],
			),
			{ ...CALL, Zone: "cn" },
		),
		"wrong-order",
		/letter case/,
	],
	"no order": [signedText(glue(Object.entries(CALL))), "wrong-order", /in the order in which they are sent/],
	delimiters: [
		signedText(sorted.map((pair) => pair.join("=")).join("&")),
		"delimiters-signed",
		/^= and & were signed/,
	],
	"an empty sign": [
		signedText(glue([...sorted, ["sign", ""] as const].sort(([a], [b]) => (a < b ? -1 : 1)))),
		"sign-signed",
		/sign itself must be left out/,
	],
	"a form whose bytes were signed too": [
		signedText(`${glue(sorted)}request_param=${formEncode(CALLBACK)}`),
		"body-signed",
		/bytes were signed as a raw body/,
	],
	"a form whose bytes were signed behind the query": [
		signedText(
			`${glue(sorted.filter(([name]) => name !== "request_param"))}request_param=${formEncode(CALLBACK)}`,
		),
		"body-signed",
		/bytes were signed as a raw body/,
	],
	"a body that was not signed": [
		signedText(glue(sorted.filter(([name]) => name !== "request_param"))),
		"parameter-not-signed",
		/^the body's parameters are not signed/,
	],
	"a query that was not signed": [
		signedText(`request_param${CALLBACK}`),
		"parameter-not-signed",
		/^the query's parameters are not signed/,
	],
	"a secret with a line end": [
		signed({ secret: `${TEST_SECRET}\n` }),
		"wrapped-secret",
		/copy of the secret has a line end behind it/,
	],
	"a secret in quotes": [signed({ secret: `"${TEST_SECRET}"` }), "wrapped-secret", /quotes around it/],
	"another app's secret": [signed({ secret: CAPTURE_SECRET }), "other-secret", /secret of another app/],
	"a batch of another body": [
		withBody(signedBatch(["{}"]), () => "request_param=%7B%22a%22%3A1%7D"),
		"unexplained",
		/compare the secret/,
	],
	"a batch that a file's line ends changed": [
		withBody(signedBatch(["{}", "{}"]), (body) => body.replaceAll("\r\n", "\n")),
		"body-changed",
		/line ends/,
	],
	"a batch that has a line end behind it": [
		withBody(signedBatch(["{}", "{}"]), (body) => `${body}\n`),
		"body-changed",
		/line ends/,
	],
};

function formEncode(text: string): string {
	return encodeURIComponent(text)
		.replace(/[!'()~*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
		.replaceAll("%20", "+");
}

describe("a sign of something else is explained:", () => {
	it.each(Object.entries(CAUSES))("%s", async (_what, [bytes, tag, says]) => {
		const lines = await explain(bytes);
		expect(problemsIn(lines)).toHaveLength(1);
		expect(lines[0]).toMatch(new RegExp(`^problem ${tag}: `));
		expect(lines[0]?.slice(`problem ${tag}: `.length)).toMatch(says);
		if (tag !== "unexplained") expect(lines[1]).toMatch(/^note signature-matches-once-mended: but for that/);
	});

	it("a file that was signed, by itself or with another", async () => {
		const asFile = (bytes: Buffer, name: string): Buffer =>
			withText(bytes, `name="${name}"`, `name="${name}"; filename="${name}.txt"`);
		const one = signed({ place: "multipart", parameters: { image: "text of it" } });
		expect(problemsIn(await explain(asFile(one, "image")))).toEqual([
			"problem file-signed: the file image was signed; files must be left out",
		]);
		const two = signed({ place: "multipart", parameters: { image: "text of it", sound: "more text" } });
		expect(problemsIn(await explain(asFile(asFile(two, "image"), "sound")))).toEqual([
			"problem file-signed: all files were signed; files must be left out",
		]);
	});

	it("a raw body that was left out, of a batch and of the SPI direction", async () => {
		const { app_key, timestamp, v, sign_method } = CALL;
		const bytes = signed({ parameters: { method: undefined, request_param: undefined } });
		const batch = withBody(withText(bytes, "/router/rest", "/router/batch"), () => "N");
		expect(problemsIn(await explain(batch))[0]).toMatch(/^problem body-not-signed: the body is not signed/);
		const parameters = { app_key, timestamp, v, sign_method, method: CALL.method };
		const sign = signTop(Object.entries(parameters), TEST_SECRET, "md5");
		const call = unsignedRequest([...Object.entries(parameters), ["sign", sign]], {
			headers: { "Content-Type": "application/json" },
		});
		const spi = withBody(call, () => "{}");
		expect(problemsIn(await explain(spi, { direction: "spi" }))).toEqual([
			expect.stringMatching(/^problem body-not-signed/),
		]);
	});

	it("a header that the receiver lets nobody sign, by its name", async () => {
		const request = signedSpi("{}", { signedHeaders: { "x-other": "value of it" } });
		const lines = await explain(request, { direction: "spi" });
		expect(problemsIn(lines)).toEqual([
			expect.stringMatching(/^problem header-not-allowed: header x-other of top-sign-list .*--signed-header/),
		]);
		const allowed = await explain(request, { direction: "spi", signedHeaders: ["X-Other"] });
		expect(problemsIn(allowed)).toEqual([]);
	});
});
