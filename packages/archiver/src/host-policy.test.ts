import { describe, expect, it } from "vitest";
import { DEFAULT_ALLOWED_HOSTS, isHostAllowed, isOssInternalHost, parseHostPattern } from "./host-policy.js";

const byDefault = DEFAULT_ALLOWED_HOSTS.map(parseHostPattern);
const isAllowed = (hostname: string, ...patterns: readonly string[]): boolean =>
	isHostAllowed(hostname, patterns.map(parseHostPattern));

describe("isHostAllowed", () => {
	it.each([
		"evil-aliyuncs.com",
		"evilaliyuncs.com",
		"aliyuncs.com.evil.io",
		"a.aliyuncs.com.evil.io",
		"aliyuncs.com",
		".aliyuncs.com",
		"a..aliyuncs.com",
		"a.aliyuncs.com.",
		"a.aliyuncs.com/",
		"a.aliyuncs.com#.evil.io",
		"a.aliyuncs.com@evil.io",
		"127.0.0.1",
		"[::1]",
		"",
	])("refuses %j by default", (hostname) => {
		expect(isHostAllowed(hostname, byDefault)).toBe(false);
	});

	it.each(["a.aliyuncs.com", "bucket.oss-cn-hangzhou.aliyuncs.com", "A.ALIYUNCS.COM", "a_b.aliyuncs.com"])(
		"allows %j by default",
		(hostname) => {
			expect(isHostAllowed(hostname, byDefault)).toBe(true);
		},
	);

	it("allows a host that is named as a whole, and not its subdomains", () => {
		expect(isAllowed("a.videos.example", "videos.example")).toBe(false);
		expect(isAllowed("videos.example", "Videos.Example")).toBe(true);
		expect(isAllowed("xn--fiqs8s.example", "中国.example")).toBe(true);
	});

	it("allows an address that is named, in whichever spelling the link has it", () => {
		expect(isAllowed("127.0.0.2", "127.0.0.1")).toBe(false);
		expect(isAllowed("127.0.0.1", "127.0.0.1")).toBe(true);
		expect(isAllowed(new URL("http://2130706433").hostname, "127.0.0.1")).toBe(true);
		expect(isAllowed("[::1]", "::1")).toBe(true);
	});

	it("allows nobody without a pattern", () => {
		expect(isAllowed("a.aliyuncs.com")).toBe(false);
	});
});

describe("parseHostPattern", () => {
	it.each([
		"",
		"*",
		"*.",
		"*.*",
		"a*.example",
		"*example",
		"http://a.example",
		"a.example:80",
		"a.example/x",
		"u@a.example",
		"a b",
		"a.example.",
		"*.127.0.0.1",
	])("refuses %j", (pattern) => {
		expect(() => parseHostPattern(pattern)).toThrow(TypeError);
	});
});

describe("isOssInternalHost", () => {
	it.each([
		["bucket.oss-cn-hangzhou-internal.aliyuncs.com", true],
		["oss-cn-hangzhou-internal.aliyuncs.com", true],
		["BUCKET.OSS-CN-HANGZHOU-INTERNAL.ALIYUNCS.COM", true],
		["bucket.oss-cn-hangzhou.aliyuncs.com", false],
		["internal.aliyuncs.com", false],
		["-internal.aliyuncs.com", false],
		["bucket.oss-internal.aliyuncs.com.evil.io", false],
		["bucket.oss-internal.evil-aliyuncs.com", false],
		["bucket.oss-internal.x.aliyuncs.com", false],
		["bucket.oss-internal.aliyuncs.com.", false],
		["100.64.0.1", false],
	])("finds of %s: %s", (hostname, isInternal) => {
		expect(isOssInternalHost(hostname)).toBe(isInternal);
	});
});
