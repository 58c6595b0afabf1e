import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import { decodeCallback, SCREEN_RECORDING_CALL_BACK } from "@reelkeep/core";
import { sampleCallback } from "@reelkeep/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	ReportRecordingRequestSchema,
	ScreenRecordCallbackSchema,
} from "./gen/reelkeep/v1/recording_service_pb.js";
import { parametersOf, type ReadReport, readReport, signedParameters } from "./read-report.js";

type Fields = MessageInitShape<typeof ScreenRecordCallbackSchema>;
type Report = MessageInitShape<typeof ReportRecordingRequestSchema>["report"];

/** As it comes over the wire. */
function read(report: Report) {
	const message = create(ReportRecordingRequestSchema, report === undefined ? {} : { report });
	const bytes = toBinary(ReportRecordingRequestSchema, message);
	return readReport(fromBinary(ReportRecordingRequestSchema, bytes));
}

/** The text that the core is given. */
function textOf(fields: Fields): string {
	const value = create(ScreenRecordCallbackSchema, fields);
	const report = read({ case: "callback", value });
	if (report._tag !== "Report" || typeof report.requestParam !== "string") throw new Error("not a text");
	return report.requestParam;
}

const readBytes = (value: Uint8Array | string) =>
	read({ case: "requestParam", value: typeof value === "string" ? Buffer.from(value) : value });

/** Any text that UTF-8 can write: Chinese, emoji, control characters, half of them astral. */
const anyText = fc.oneof(
	fc.string({ unit: "binary" }),
	fc.string({ unit: "grapheme" }),
	fc.constantFrom("云游戏🎮é", "\u2028\u0000\ufeff", '"\\/', "__proto__", "1e3", "-0", "null"),
);
const safe = fc.maxSafeInteger().map(BigInt);
const anyInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const edges = fc.constantFrom(
	2n ** 53n - 1n,
	2n ** 53n,
	2n ** 53n + 1n,
	-(2n ** 53n),
	10n ** 16n,
	2n ** 63n - 1n,
);

const fields = (number: fc.Arbitrary<bigint>) =>
	fc.record({
		gameId: anyText,
		trackInfo: anyText,
		accountDomain: number,
		downloadUrl: anyText.map((text) => `https://h/${encodeURIComponent(text)}?é=云`),
		version: number,
		accountId: anyText,
		expireTime: number,
		action: fc.constant(SCREEN_RECORDING_CALL_BACK),
		projectId: anyText,
	});

const NUMBERS = ["accountDomain", "version", "expireTime"] as const;
const isSafe = (number: bigint): boolean => Number.isSafeInteger(Number(number));

describe("a callback's fields", () => {
	it("are decoded to exactly themselves", () => {
		fc.assert(
			fc.property(fields(safe), (given) => {
				const numbers = Object.fromEntries(NUMBERS.map((name) => [name, Number(given[name])]));
				expect(decodeCallback(textOf(given))).toEqual({ _tag: "Right", right: { ...given, ...numbers } });
			}),
		);
	});

	it("are refused where a number has digits that would be lost, and no digit is ever another", () => {
		fc.assert(
			fc.property(fields(fc.oneof(safe, anyInt64, edges)), (given) => {
				const decoded = decodeCallback(textOf(given));
				const lost = NUMBERS.filter((name) => !isSafe(given[name]));
				expect(decoded._tag).toBe(lost.length === 0 ? "Right" : "Left");
				if (decoded._tag === "Right") {
					for (const name of NUMBERS) expect(BigInt(decoded.right[name])).toBe(given[name]);
				} else {
					const named = decoded.left.issues.map(({ field }) =>
						field.replace(/_./, (it) => it.slice(1).toUpperCase()),
					);
					expect(named).toEqual(lost);
				}
			}),
		);
	});

	it("keep any text, of links too, though the core may then refuse it", () => {
		fc.assert(
			fc.property(anyText, anyText, (downloadUrl, action) => {
				expect(JSON.parse(textOf({ downloadUrl, action }))).toEqual({ download_url: downloadUrl, action });
			}),
		);
	});

	it.each(["9007199254740991", "-9007199254740991"])("has %s as it is", (digits) => {
		expect(JSON.parse(textOf({ expireTime: BigInt(digits) }))).toEqual({ expire_time: digits });
		const decoded = decodeCallback(JSON.stringify({ ...sampleCallback(), expire_time: digits }));
		expect(decoded).toMatchObject({ right: { expireTime: Number(digits) } });
	});

	it.each(["9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807"])(
		"has every digit of %s, and the core refuses it",
		(digits) => {
			const text = textOf({ expireTime: BigInt(digits) });
			expect(text).toBe(`{"expire_time":"${digits}"}`);
			const decoded = decodeCallback(JSON.stringify({ ...sampleCallback(), ...JSON.parse(text) }));
			expect(decoded).toMatchObject({ left: { issues: [{ field: "expire_time" }] } });
		},
	);

	it("that are not set are missing", () => {
		expect(textOf({})).toBe("{}");
		fc.assert(
			fc.property(fc.subarray(Object.keys(sampleCallback())), (names) => {
				const value = create(ScreenRecordCallbackSchema);
				for (const { name, localName } of ScreenRecordCallbackSchema.fields) {
					if (names.includes(name))
						Object.assign(value, { [localName]: NUMBERS.some((it) => it === localName) ? 1n : "x" });
				}
				expect(Object.keys(JSON.parse(textOf(value))).sort()).toEqual([...names].sort());
			}),
		);
	});

	it("that are zero or empty are there", () => {
		const given = { accountDomain: 0n, version: 0n, expireTime: 0n, gameId: "", accountId: "" };
		expect(JSON.parse(textOf(given))).toEqual({
			account_domain: "0",
			version: "0",
			expire_time: "0",
			game_id: "",
			account_id: "",
		});
	});

	it("are all of those that the core decodes, under the names that it knows", () => {
		expect(ScreenRecordCallbackSchema.fields.map(({ name }) => name).sort()).toEqual(
			Object.keys(sampleCallback()).sort(),
		);
	});

	it("are no raw text", () => {
		expect(read({ case: "callback", value: create(ScreenRecordCallbackSchema) })).toMatchObject({
			isRaw: false,
		});
	});
});

describe("request_param", () => {
	it("is kept as it is, whatever text it is", () => {
		fc.assert(
			fc.property(anyText, (text) => {
				fc.pre(text.trim() !== "");
				expect(readBytes(text)).toEqual({ _tag: "Report", requestParam: text, isRaw: true });
			}),
		);
	});

	it("keeps spaces, byte order marks and escapes, which a canonical JSON would not", () => {
		const text = '\ufeff { "game_id" : "\\u4e91", "a":1.0,"a":2 }\r\n';
		expect(readBytes(text)).toMatchObject({ requestParam: text });
	});

	it("is the same bytes where it is not UTF-8, else the text of the same bytes", () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
				const report = readBytes(bytes);
				fc.pre(Buffer.from(bytes).toString().trim() !== "");
				if (report._tag === "Failed") throw new Error("it is missing");
				expect(report.isRaw).toBe(true);
				expect(Buffer.from(report.requestParam as string)).toEqual(Buffer.from(bytes));
			}),
		);
	});

	it.each([
		["a byte that UTF-8 never has", [0x7b, 0xff, 0x7d]],
		["half a character", [0xe4, 0xba]],
		["half of a surrogate pair", [0xed, 0xa0, 0x80]],
		["a character written too long", [0xc0, 0x80]],
		["GBK", [0xd4, 0xc6]],
	])("stays bytes where it has %s", (_what, bytes) => {
		const { requestParam } = readBytes(Uint8Array.from(bytes)) as ReadReport;
		expect(requestParam).toBeInstanceOf(Uint8Array);
		expect([...(requestParam as Uint8Array)]).toEqual(bytes);
	});

	it.each([
		["nothing is set", undefined],
		["it is empty", { case: "requestParam" as const, value: new Uint8Array() }],
		["it is blank", { case: "requestParam" as const, value: Buffer.from(" \t\r\n") }],
	])("is missing where %s", (_what, report) => {
		expect(read(report)).toEqual({
			_tag: "Failed",
			code: Code.INVALID_ARGUMENT,
			reason: "MISSING_REPORT",
			message: "there is no report in the request",
			issues: [{ field: "report", problem: "is missing: set callback or request_param" }],
		});
	});
});

describe("parametersOf", () => {
	it("takes what stands behind top-, and nothing else", () => {
		const headers = new Map([
			["top-app_key", "1"],
			["top-sign", "ABC"],
			["authorization", "Bearer x"],
			["stop-v", "2.0"],
			["top", "x"],
			["top-top-v", "y"],
		]);
		expect([...parametersOf(headers)]).toEqual([
			["app_key", "1"],
			["sign", "ABC"],
			["top-v", "y"],
		]);
	});
});

describe("signedParameters", () => {
	const parameters = new Map([["sign", "ABC"]]);
	const raw: ReadReport = { _tag: "Report", requestParam: "{}", isRaw: true };

	it("adds request_param to the others, and changes none", () => {
		expect(signedParameters(raw, parameters)).toEqual(
			new Map([
				["sign", "ABC"],
				["request_param", "{}"],
			]),
		);
		expect([...parameters.keys()]).toEqual(["sign"]);
	});

	it.each<[string, ReadReport, readonly string[], RegExp]>([
		["a callback's fields", { ...raw, isRaw: false }, [], /send request_param/],
		["what is not UTF-8", { ...raw, requestParam: Uint8Array.of(0xff) }, [], /not UTF-8/],
		["a second request_param", raw, ["request_param"], /stands twice/],
	])("refuses %s", (_what, report, names, message) => {
		const given = new Map([...parameters, ...names.map((name) => [name, "{}"] as const)]);
		const code = Code.UNAUTHENTICATED;
		expect(signedParameters(report, given)).toEqual({
			_tag: "Failed",
			code,
			reason: "UNSIGNED",
			message: expect.stringMatching(message),
		});
	});
});
