import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOnlyReading, isParameterName, isParameterValue, REPORT_METHOD } from "./public-parameters.js";
import { signedText } from "./signature.js";

const SIGNED_NAMES = [
	"app_key",
	"format",
	"method",
	"partner_id",
	"request_param",
	"session",
	"sign_method",
	"simplify",
	"target_app_key",
	"timestamp",
	"v",
];

/** Every way to cut `text` into parameters of ascending known names, whatever their values are. */
function* readings(text: string, from = 0): Generator<ReadonlyMap<string, string>> {
	if (text === "") yield new Map();
	for (let index = from; index < SIGNED_NAMES.length; index++) {
		const name = SIGNED_NAMES[index] ?? "";
		if (!text.startsWith(name)) continue;
		const rest = text.slice(name.length);
		for (let end = 0; end <= rest.length; end++) {
			if (end < rest.length && !SIGNED_NAMES.some((next) => next > name && rest.startsWith(next, end)))
				continue;
			for (const more of readings(rest.slice(end), index + 1)) {
				yield new Map([[name, rest.slice(0, end)], ...more]);
			}
		}
	}
}

/** Text of pieces that could be taken for boundaries, and of pieces that could not. */
const piecesOf = (...pieces: string[]): fc.Arbitrary<string> =>
	fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map((chosen) => chosen.join(""));

const optional = (values: fc.Arbitrary<string>): fc.Arbitrary<string | undefined> =>
	fc.option(values, { nil: undefined });

const TRICKY_PIECES = [
	"session",
	"sess",
	"ion",
	"request_param",
	"_param",
	"partner_id",
	"format",
	"-0001",
	"A",
];

const acceptedArbitrary = fc
	.record({
		app_key: piecesOf("12345678", "format", "for", "mat", "method", "meth", "od", "json", "xml", "a"),
		format: optional(fc.constantFrom("json", "xml", "")),
		method: fc.constant(REPORT_METHOD),
		partner_id: optional(piecesOf(...TRICKY_PIECES)),
		request_param: optional(
			piecesOf(
				...TRICKY_PIECES,
				'{"a":"',
				'"}',
				"sign_methodmd5",
				"timestamp1795363491",
				"v2.0",
				"simplify",
				" ",
			),
		),
		session: optional(piecesOf(...TRICKY_PIECES, "sign_methodmd5", "timestamp1795363491", "v2.0")),
		sign_method: fc.constantFrom("md5", "hmac", "hmac-sha256"),
		simplify: optional(fc.constantFrom("true", "false", "")),
		target_app_key: optional(fc.constantFrom("", "87654321", "1795363491")),
		timestamp: fc.constantFrom("2026-11-23 12:00:00", "1795363491", "1795363491128"),
		v: fc.constant("2.0"),
	})
	.map(
		(record) =>
			new Map(Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined)),
	)
	.filter(isOnlyReading);

describe("the grammar of public parameters", () => {
	it.each([
		["method", ["", "taobao.time.get", `${REPORT_METHOD} `, REPORT_METHOD.toUpperCase()]],
		["app_key", ["", " ", "1 2", "1format", "method", "é", "1".repeat(65), "1\n"]],
		["timestamp", ["", "now", "2026-11-23", "2026-11-23 12:00:00.0", "179536349112", "１795363491"]],
		["v", ["", "1.0", "2", "2.0 ", "2.00"]],
		["format", ["JSON", "yaml", " ", "jsonp"]],
		["sign_method", ["", "MD5", "hmac-md5", "sha256"]],
		["sign", ["", "0", "a".repeat(32), "G".repeat(32), "0".repeat(33), "é".repeat(32)]],
		["simplify", ["TRUE", "1", " "]],
		["session", ["a b", '"', "{", "é", "a".repeat(257)]],
		["partner_id", ["a b", "request_param", "a-session", "{", "a".repeat(65)]],
		["target_app_key", ["a", "   ", "-1", "1".repeat(33)]],
		["request_param", ["session", "{}session", "{}session-0001", "mysession"]],
	] as const)("refuses for %s each of %j", (name, values) => {
		for (const value of values) expect(isParameterValue(name, value)).toBe(false);
	});

	it.each(["foo", "", "Method", "__proto__", "constructor", "toString", "request_param "])(
		"has no %j",
		(name) => {
			expect(isParameterName(name)).toBe(false);
		},
	);

	it("accepts what the SDKs send", () => {
		for (const partner of [
			"top-sdk-java-20170428",
			"top-sdk-java-dynamicVersionNo",
			"taobao-sdk-python-20200622",
		]) {
			expect(isParameterValue("partner_id", partner)).toBe(true);
		}
		expect(isParameterValue("session", "session-0001")).toBe(true);
		expect(isParameterValue("request_param", '{"session":"session-0001"}')).toBe(true);
		expect(isParameterValue("request_param", "not json")).toBe(true);
	});

	it("takes a long text's end in constant time", () => {
		const text = "session".repeat(40_000);
		const startedAt = performance.now();
		expect(isParameterValue("request_param", text)).toBe(false);
		expect(performance.now() - startedAt).toBeLessThan(50);
	});

	it("accepts one reading of a signed text at most", () => {
		let ambiguous = 0;
		fc.assert(
			fc.property(acceptedArbitrary, (parameters) => {
				const all = [...readings(signedText(parameters, "signed"))];
				const accepted = all.filter(isOnlyReading);
				if (all.length > 1) ambiguous += 1;
				expect(accepted).toEqual([new Map([...parameters].sort(([a], [b]) => (a < b ? -1 : 1)))]);
			}),
			{ numRuns: 400 },
		);
		expect(ambiguous, "texts with a second way to cut them").toBeGreaterThan(100);
	}, 20_000);
});
