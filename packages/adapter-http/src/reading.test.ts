import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawing, SIGNED_NAMES } from "../test/recutting.js";
import { REPORT_METHOD } from "./public-parameters.js";
import { findOtherReading, isReading } from "./reading.js";
import { signedText } from "./signature.js";

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
			fc.oneof(
				fc.constantFrom('{"a":"session"}', '{"s":{"request_param":"}timestamp1"}}', "{}"),
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
	.filter((parameters) => isReading(parameters, "none"));

/** What a request means to us, besides whose it is. */
const meaningOf = (parameters: ReadonlyMap<string, string>) => ({
	requestParam: parameters.get("request_param"),
	timestamp: parameters.get("timestamp"),
});

const isComplete = (parameters: ReadonlyMap<string, string>): boolean =>
	["app_key", "method", "sign_method", "timestamp", "v"].every((name) => parameters.has(name));

/** Cuts names of other parameters out of values, at places that `draw` picks. */
function withOthers(
	parameters: ReadonlyMap<string, string>,
	draw: () => number,
): ReadonlyMap<string, string> {
	const pairs = [...parameters].flatMap(([name, value]): [string, string][] => {
		if (value.length < 2 || draw() % 5 !== 0) return [[name, value]];
		const from = draw() % value.length;
		const length = 1 + (draw() % (value.length - from));
		return [
			[name, value.slice(0, from)],
			[value.slice(from, from + length), value.slice(from + length)],
		];
	});
	return new Map(pairs);
}

const others = fc.dictionary(
	fc.constantFrom(
		"a",
		"customerId",
		"customer",
		"q",
		"rest",
		"ses",
		"sx",
		"timestamp_",
		"w",
		"x_time",
		"zz",
		"_a",
	),
	piecesOf(
		...TRICKY_PIECES,
		"{",
		"}",
		'"',
		"timestamp",
		"stamp1795363491",
		"v2.0",
		"游戏",
		"a=b&c",
		"sign_methodmd5",
	),
	{ maxKeys: 3 },
);

describe("the signed text of a call", () => {
	it("without other parameters is accepted in one reading at most, of those that have none either", () => {
		let ambiguous = 0;
		fc.assert(
			fc.property(acceptedArbitrary, (parameters) => {
				const all = [...readings(signedText(parameters, "signed"))];
				const accepted = all.filter((one) => isComplete(one) && isReading(one, "none"));
				if (all.length > 1) ambiguous += 1;
				expect(accepted).toEqual([new Map([...parameters].sort(([a], [b]) => (a < b ? -1 : 1)))]);
			}),
			{ numRuns: 400 },
		);
		expect(ambiguous, "texts with a second way to cut them").toBeGreaterThan(100);
	}, 20_000);

	it("means the same in every reading that is accepted, whatever else is cut out of it", () => {
		let accepted = 0;
		fc.assert(
			fc.property(acceptedArbitrary, others, fc.nat(), (known, more, seed) => {
				const draw = drawing(seed);
				const parameters = new Map([...known, ...Object.entries(more)]);
				if (!isReading(parameters, "none")) return;
				const text = signedText(parameters, "signed");
				for (const reading of readings(text)) {
					for (let round = 0; round < 6; round++) {
						const one = withOthers(reading, draw);
						// A name that stands twice is refused by the parser.
						if (signedText(one, "signed") !== text) continue;
						if (!isComplete(one) || !isReading(one, "none")) continue;
						expect(meaningOf(one), JSON.stringify([...one])).toEqual(meaningOf(parameters));
						accepted += 1;
					}
				}
			}),
			{ numRuns: 400 },
		);
		expect(accepted, "other readings that mean the same").toBeGreaterThan(30);
	}, 30_000);
});

describe("a call with other parameters", () => {
	const call = (more: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
		new Map(
			Object.entries({
				app_key: "12345678",
				method: REPORT_METHOD,
				request_param: '{"a":"}"}',
				sign_method: "md5",
				timestamp: "1795363491",
				v: "2.0",
				...more,
			}),
		);

	it.each<Readonly<Record<string, string>>>([
		{ customerId: "stub" },
		{ rest: "{}[]\"'=&+ 游戏", a: "", zz: " " },
		{ zz: "request_param{}" },
		{ a: "session-0001", zz: "session" },
	])("is accepted with %o", (more) => {
		expect(findOtherReading(call(more))).toBeUndefined();
	});

	it.each<readonly [Readonly<Record<string, string>>, RegExp]>([
		[{ a: "request_param" }, /must not hold the word "request_param"/],
		[{ pa: "request_", param: "" }, /must not hold the word "request_param"/],
		[{ zz: "timestamp1" }, /must not hold the word "timestamp"/],
		[{ timestamp_ms: "1" }, /must not hold the word "timestamp"/],
		[{ a: "1", request_param: "{'python': 'text'" }, /must be one JSON object/],
		[{ a: "1", request_param: "{} " }, /must be one JSON object/],
		[{ a: "1", request_param: " {}" }, /must be one JSON object/],
		[{ a: "1", request_param: "not json" }, /must be one JSON object/],
		[{ ses: "", request_param: "", session: "session" }, /must be one JSON object/],
	])("is refused with %o", (more, message) => {
		expect(findOtherReading(call(more))).toMatch(message);
	});

	it("may hide request_param only where there is one", () => {
		const without = new Map(
			[...call({ zz: "request_param{}" })].filter(([name]) => name !== "request_param"),
		);
		expect(findOtherReading(without)).toMatch(/request_param/);
	});
});

describe("parameters with a raw body behind them", () => {
	const batch = (more: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> =>
		new Map(Object.entries({ app_key: "1", sign_method: "md5", timestamp: "1795363491", v: "2.0", ...more }));

	it.each<readonly ["batch" | "json", Readonly<Record<string, string>>]>([
		["batch", {}],
		["batch", { session: "s", customerId: "{x" }],
		["json", { customerId: "x", zz: "y" }],
	])("are accepted: %s with %o", (rawBody, more) => {
		expect(findOtherReading(batch(more), rawBody)).toBeUndefined();
	});

	it.each<readonly ["batch" | "json", Readonly<Record<string, string>>, RegExp]>([
		["batch", { zz: "1" }, /behind timestamp/],
		["batch", { session: "timestamp1795363490v2.0" }, /word "timestamp"/],
		["batch", { a: "timestamp" }, /word "timestamp"/],
		["batch", { request_param: "{}" }, /beside a signed body/],
		["batch", { a: "request_param{" }, /beside a signed body/],
		["json", { request_param: "{}" }, /beside a signed body/],
		["json", { a: '{"request_param":{}' }, /beside a signed body/],
		["json", { a: "{" }, /brace/],
		["json", { timestamp_a: "" }, /word "timestamp"/],
	])("are refused: %s with %o", (rawBody, more, message) => {
		expect(findOtherReading(batch(more), rawBody)).toMatch(message);
	});
});
