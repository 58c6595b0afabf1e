import { describe, expect, it } from "vitest";
import { isOtherName, isParameterName, isParameterValue, REPORT_METHOD } from "./public-parameters.js";

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
		["partner_id", ["a b", "request_param", "a-session", "timestamp", "{", "a".repeat(65)]],
		["target_app_key", ["a", "   ", "-1", "1".repeat(33)]],
		[
			"request_param",
			[
				"session",
				"{}session",
				"{}session-0001",
				"mysession",
				" {}sign_methodmd5",
				"xsimplify",
				"xsimplifytrue",
				"target_app_key1",
				'{"a":"}"}_',
				"{}x1",
			],
		],
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

	it("lets what it does not know be named like a parameter, and like nothing else", () => {
		for (const name of ["customerId", "__proto__", "_", "top-trace.id", "a1"])
			expect(isOtherName(name)).toBe(true);
		for (const name of ["", "1a", "a b", "a=", "é", "{", "-a", ".a", "a\n"])
			expect(isOtherName(name)).toBe(false);
	});

	it("takes a long text's end in constant time", () => {
		const text = "session".repeat(40_000);
		const startedAt = performance.now();
		expect(isParameterValue("request_param", text)).toBe(false);
		expect(performance.now() - startedAt).toBeLessThan(50);
	});
});
