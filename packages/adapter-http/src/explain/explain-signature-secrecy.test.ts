// Whatever is sent: what is explained gives nothing away, and is what the product would do.

import { createHash, createHmac } from "node:crypto";
import { takeApart } from "@reelkeep/harness/signed-body";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "@reelkeep/harness/transcript";
import { signedRequest } from "@reelkeep/testing";
import fc from "fast-check";
import { expect, it } from "vitest";
import { handlerOptions, NOW_MS, recordingReceive, standingClock } from "../../test/harness.js";
import { signedBatch, signedSpi } from "../../test/signed-bodies.js";
import { createBatchHandler } from "../batch.js";
import { createTopHandler } from "../handle.js";
import { DEFAULT_HTTP_LIMITS } from "../limits.js";
import { readParameters } from "../parameters.js";
import { createSpiHandler } from "../spi.js";
import { createSpiVerifier } from "../spi-verifier.js";
import { createTopVerifier } from "../verifier.js";
import { explainSignature } from "./explain-signature.js";

const SECOND_SECRET = "test-secret-00112233445566aa";
const OTHER_KEY = "34567890";
const OTHER_SECRET = "test-secret-99887766554433bb";
const APPS = {
	[TEST_APP_KEY]: [
		{ id: "old", secret: TEST_SECRET },
		{ id: "new", secret: SECOND_SECRET },
	],
	[OTHER_KEY]: OTHER_SECRET,
};
const SECRETS = [TEST_SECRET, SECOND_SECRET, OTHER_SECRET];

const LINK = "http://h/v.mp4?OSSAccessKeyId=key-0001&Signature=sig-0001";
const VALUES = [
	...["", " ", "value-0001", " value-0001 ", "value%2D0001", "value 0001+", LINK, JSON.stringify({ LINK })],
	...["timestamp-0001", "request_param-0001", "游戏游戏游戏游戏", "\r\nvalue-0001\r\n", ...SECRETS],
];
const NAMES = [
	...["session", "format", "partner_id", "simplify", "target_app_key", "v", "timestamp", "sign_method"],
	...["method", "request_param", "app_key", "customerId", "Zone", "value-0001", "x value-0001", "游", LINK],
	...SECRETS,
];
const SIGNS = ["", "00112233445566778899AABBCCDDEEFF", "0".repeat(64), "not-hexadecimal"];

const changes = fc.dictionary(
	fc.constantFrom(...NAMES),
	fc.option(fc.constantFrom(...VALUES), { nil: undefined, freq: 4 }),
	{ maxKeys: 3 },
);

const requests = fc
	.record({
		secret: fc.oneof(
			fc.constantFrom(...SECRETS),
			fc.constantFrom(`${TEST_SECRET}\n`, "unknown-secret", TEST_SECRET.toUpperCase()),
		),
		appKey: fc.constantFrom(TEST_APP_KEY, TEST_APP_KEY, OTHER_KEY, "99999999", "12345678901"),
		now: fc.constantFrom(...[0, 0, 0, 5_000, 8 * 3_600_000, -3_600_000].map((off) => NOW_MS - off)),
		requestParam: fc.constantFrom(
			"{}",
			`{"download_url":"${LINK}"}`,
			` {"a": 1} `,
			"not json at all",
			undefined,
		),
		place: fc.constantFrom("form", "body", "query", "get-with-body", "multipart"),
		signMethod: fc.constantFrom("md5", "hmac", "hmac-sha256"),
		parameters: fc.oneof(fc.constant({}), changes),
		added: fc.oneof(fc.constant({}), changes),
		sign: fc.option(fc.constantFrom(...SIGNS, undefined), { freq: 4, nil: null }),
	} as const)
	.map(({ added, sign, ...rest }) =>
		signedRequest({ ...rest, afterSigning: { ...added, ...(sign === null ? {} : { sign }) } }),
	);

/** Every sign that the product would have taken for these parameters, and any of its secrets. */
function signsOf(parameters: ReadonlyMap<string, string>): readonly string[] {
	const pairs = [...parameters].filter(([name]) => name !== "sign").sort(([a], [b]) => (a < b ? -1 : 1));
	const texts = [pairs, pairs.filter(([, value]) => value.trim() !== "")].map((some) => some.flat().join(""));
	return texts.flatMap((text) =>
		SECRETS.flatMap((secret) => [
			createHash("md5")
				.update(secret + text + secret)
				.digest("hex"),
			createHmac("md5", secret).update(text).digest("hex"),
			createHmac("sha256", secret).update(text).digest("hex"),
		]),
	);
}

const recorded = recordingReceive();
const clock = standingClock();
const handlers = handlerOptions(recorded.receive);
const verifier = createTopVerifier({ apps: APPS, clock });
const handle = createTopHandler({ ...handlers, verifier });
const handleBatch = createBatchHandler({ ...handlers, verifier });
const handleSpi = createSpiHandler({ ...handlers, verifier: createSpiVerifier({ apps: APPS, clock }) });
/** Scheme names may be told. */
const TOLD = new Set(["hmac-sha256"]);

it("gives away no secret, no sign and no value, and says what the handler does", async () => {
	const seen = new Map<string, number>();
	await fc.assert(
		fc.asyncProperty(requests, async (bytes) => {
			const request = takeApart(bytes);
			const findings = await explainSignature(request, { apps: APPS, now: NOW_MS });
			const text = findings.map(({ message }) => message).join("\n");
			transcribe("cli", text);
			for (const { _tag } of findings) seen.set(_tag, (seen.get(_tag) ?? 0) + 1);

			const [, query = ""] = request.target.split("?");
			const source = { query, contentType: request.headers.get("content-type"), body: request.body };
			const { parameters } = await readParameters(source, DEFAULT_HTTP_LIMITS);
			const values = [...parameters.values()].filter((value) => value.length >= 8 && !TOLD.has(value));
			for (const secret of [...SECRETS, ...signsOf(parameters), ...values]) {
				expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
			}

			recorded.reports.length = 0;
			await handle(request);
			const isRefused = findings.some(({ severity }) => severity === "problem");
			expect(isRefused, text).toBe(recorded.reports.length === 0);
		}),
		{ numRuns: 2000 },
	);
	expect(seen.size, [...seen.keys()].join()).toBeGreaterThan(15);
}, 60_000);

const edits = fc.array(
	fc.constantFrom<readonly [from: RegExp | string, to: string]>(
		[/sign=[^& ]*/, "sign=00112233445566778899AABBCCDDEEFF"],
		[/sign=[^& ]*/, ""],
		["timestamp=", "timestamp_="],
		["?", "?session=&"],
		["?", "?customerId=%7Bstub&"],
		["v=2.0", "v=3.0"],
		["x-top-trace: ", "x-top-trace: a"],
		["top-sign-list: ", "top-sign-list: x-other,"],
		["{}", "{ }"],
		[/$/, " "],
		[/$/, "x"],
		["application/json", "application/x-www-form-urlencoded"],
	),
	{ maxLength: 2 },
);
const lists = fc.constantFrom(
	"",
	"x-top-trace",
	"X-Top-Trace",
	"x-top-trace, x-none",
	"x-other",
	"app_key",
	",",
);
const bodied = fc.oneof(
	fc
		.record({
			list: lists,
			trace: fc.constantFrom("t1", "a%20b", "%ff", ""),
			body: fc.constantFrom("{}", "[]", ""),
		})
		.map(({ list, trace, body }) => {
			const headers = { "top-sign-list": list, "x-top-trace": trace };
			return { direction: "spi" as const, bytes: signedSpi(body, { headers }) };
		}),
	fc
		.constantFrom(["{}"], ["{}", '{"a":1}'])
		.map((calls) => ({ direction: "gateway" as const, bytes: signedBatch(calls) })),
);

it("says what the handlers of batches and of the SPI direction do", async () => {
	const answers = new Set<boolean>();
	await fc.assert(
		fc.asyncProperty(bodied, edits, async ({ direction, bytes }, changed) => {
			const text = changed.reduce((all, [from, to]) => all.replace(from, to), bytes.toString("latin1"));
			const request = takeApart(Buffer.from(text, "latin1"));
			const findings = await explainSignature(request, { apps: APPS, now: NOW_MS, direction });
			const told = findings.map(({ message }) => message).join("\n");
			transcribe("cli", told);
			recorded.reports.length = 0;
			await (direction === "spi" ? handleSpi : handleBatch)(request);
			const isReported = recorded.reports.length > 0;
			answers.add(isReported);
			const isRefused = findings.some(({ severity }) => severity === "problem");
			expect(isRefused, `${text}\n${told}`).toBe(!isReported);
		}),
		{ numRuns: 1000 },
	);
	expect(answers.size).toBe(2);
}, 60_000);
