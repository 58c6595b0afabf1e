import { describe, expect, it } from "vitest";
import { parseHostPattern } from "./host-policy.js";
import { type LinkPolicy, readRedirect, refuseAddresses, refuseUrl } from "./link-policy.js";

const policy = (allowPrivateNetwork = false, ...hosts: readonly string[]): LinkPolicy => ({
	hosts: ["*.aliyuncs.com", ...hosts].map(parseHostPattern),
	allowPrivateNetwork,
	allowOssInternal: false,
	ports: new Set([80, 443]),
});
const url = (text: string): URL => new URL(text);

describe("refuseUrl", () => {
	it("refuses a host that is not allowed, and says how to allow it without showing the link", () => {
		const refusal = refuseUrl(url("http://a.example/v.mp4?Signature=s3cret"), policy());
		expect(refusal).toBe(
			"the host a.example is not allowed: name it with --allow-host a.example (allowHosts), together with the hosts that are allowed now",
		);
	});

	it("opens no host by opening the private network", () => {
		expect(refuseUrl(url("http://127.0.0.1/v.mp4"), policy(true))).toContain("--allow-host 127.0.0.1");
		expect(refuseUrl(url("http://127.0.0.1/v.mp4"), policy(true, "127.0.0.1"))).toBeUndefined();
	});

	it("refuses a user name", () => {
		expect(refuseUrl(url("http://user@b.aliyuncs.com/v.mp4"), policy())).toContain("user name");
		expect(refuseUrl(url("http://:pass@b.aliyuncs.com/v.mp4"), policy())).toContain("user name");
	});

	it("allows an allowed host", () => {
		expect(refuseUrl(url("https://b.aliyuncs.com/v.mp4?x=1"), policy())).toBeUndefined();
	});
});

describe("refuseAddresses", () => {
	const target = url("http://b.aliyuncs.com/v.mp4");

	it("refuses them all for one that is forbidden", () => {
		expect(refuseAddresses(target, ["8.8.8.8", "10.0.0.1"], policy())).toContain("--allow-private-network");
		expect(refuseAddresses(target, ["8.8.8.8", "100.100.100.200"], policy(true))).toContain("metadata");
		expect(refuseAddresses(target, ["8.8.8.8", "169.254.1.1"], policy(true))).toContain("reserved");
	});

	it("refuses other ports of public addresses, and none of private ones once they are allowed", () => {
		const odd = url("http://b.aliyuncs.com:8080/v.mp4");
		expect(refuseAddresses(odd, ["8.8.8.8"], policy(true))).toContain("port");
		expect(refuseAddresses(odd, ["10.0.0.1", "8.8.8.8"], policy(true))).toContain("port");
		expect(refuseAddresses(odd, ["10.0.0.1"], policy(true))).toBeUndefined();
	});

	it("opens the addresses of OSS inside to its own hosts, on the usual ports, and says how", () => {
		const inside = url("http://b.oss-cn-hangzhou-internal.aliyuncs.com/v.mp4");
		const opened = { ...policy(), allowOssInternal: true };
		expect(refuseAddresses(inside, ["100.64.0.1"], policy())).toContain("--allow-oss-internal");
		expect(refuseAddresses(inside, ["100.64.0.1"], opened)).toBeUndefined();
		expect(refuseAddresses(inside, ["100.64.0.1", "10.0.0.1"], opened)).toContain("--allow-private-network");
		expect(refuseAddresses(inside, ["100.100.100.200"], opened)).toContain("metadata");
		expect(refuseAddresses(target, ["100.64.0.1"], opened)).toContain("--allow-private-network");
		inside.port = "8080";
		expect(refuseAddresses(inside, ["100.64.0.1"], opened)).toContain("port");
		expect(refuseAddresses(inside, ["100.64.0.1"], { ...opened, allowPrivateNetwork: true })).toBeUndefined();
	});

	it("allows public addresses on the usual ports", () => {
		expect(refuseAddresses(target, ["8.8.8.8", "2400:3200::1"], policy())).toBeUndefined();
		expect(refuseAddresses(url("https://b.aliyuncs.com/v"), ["8.8.8.8"], policy())).toBeUndefined();
	});
});

describe("readRedirect", () => {
	const from = url("https://b.aliyuncs.com/a/v.mp4?Signature=s");

	it.each([undefined, "file:///etc/passwd", "ftp://b.aliyuncs.com/", "gopher://x", "https://", "//[::1"])(
		"refuses %j",
		(location) => {
			const message = "b.aliyuncs.com redirects to no http or https link";
			expect(readRedirect(from, location)).toEqual({ _tag: "Refuse", message });
		},
	);

	it("refuses to go from https to http", () => {
		expect(readRedirect(from, "http://b.aliyuncs.com/v.mp4")._tag).toBe("Refuse");
	});

	it("follows a relative location, and one from http to https", () => {
		expect(readRedirect(from, "../w.mp4")).toEqual({
			_tag: "Follow",
			url: url("https://b.aliyuncs.com/w.mp4"),
		});
		expect(readRedirect(url("http://b.aliyuncs.com/v"), "https://c.aliyuncs.com/w")).toMatchObject({
			_tag: "Follow",
		});
	});
});
