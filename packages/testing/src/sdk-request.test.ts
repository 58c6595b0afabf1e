import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { changeMember, replaceLink } from "./callback-text.js";
import { CAPTURE_NAMES } from "./captures.js";
import { flipSignedByte, sdkRequest, toFetchRequest } from "./sdk-request.js";
import { signTop } from "./top-request.js";

it("knows every capture by name", () => {
	const files = readdirSync(new URL("../fixtures/captures/", import.meta.url));
	expect(files.map((file) => file.replace(/\.http$/, "")).sort()).toEqual(CAPTURE_NAMES);
});

describe("a member is changed in the SDK's own hand", () => {
	const cases: readonly (readonly [string, string, string | number, string])[] = [
		["Java", '{"link":"http:\\/\\/a","n":1}', "http://b/$&", '{"link":"http:\\/\\/b\\/$&","n":1}'],
		["Node", '{"link":"http://a","n":1}', "http://b", '{"link":"http://b","n":1}'],
		["Python", "{'n': '1', 'link': 'http://a'}", 'it\'s "b"', "{'n': '1', 'link': 'it\\'s \"b\"'}"],
		["text", '{"link":"1", "n":1}', 2, '{"link":"2", "n":1}'],
		["a number", '{"link":1,"n":1}', 2, '{"link":2,"n":1}'],
		["null", '{"n":1,"link":null}', "b", '{"n":1,"link":"b"}'],
		["quotes inside", '{"link":"a\\"},\\"link\\":\\"c","n":1}', "b", '{"link":"b","n":1}'],
	];
	for (const [habit, before, value, after] of cases) {
		it(habit, () => expect(changeMember(before, "link", value)).toBe(after));
	}

	it("and one that is not there is missed", () => {
		expect(() => changeMember('{"a":"link"}', "link", "b")).toThrow("the callback has no link");
	});

	it("a link keeps the form of its expiry", () => {
		const php = '{"download_url":"http:\\/\\/a","expire_time":"1"}';
		expect(replaceLink(php, "http://b", 2)).toBe('{"download_url":"http:\\/\\/b","expire_time":"2"}');
	});
});

describe.each(CAPTURE_NAMES)("a request of %s", (name) => {
	const options = { appKey: "my-app", secret: "my-secret", now: Date.UTC(2025, 0, 1) };
	const request = sdkRequest(name, { ...options, callback: { track_info: "录像 1" } });

	it("carries the test's callback, app and a signature over them, also as fetch has it", async () => {
		const { url, headers, formData } = await readFetch(request);
		const parameters = new Map([...new URL(url).searchParams, ...formData]);
		expect(parameters.get("request_param")).toMatch(/(录像|\\u5f55\\u50cf) 1/);
		expect(parameters.get("app_key")).toBe("my-app");
		const method = (parameters.get("sign_method") ?? "md5") as "md5";
		expect(parameters.get("sign")).toBe(signTop(parameters, "my-secret", method));
		expect(headers.get("content-type")).toMatch(/form/);
	});

	it("differs from its flipped control in one bit, and the signature is of the other", async () => {
		const flipped = flipSignedByte(request);
		expect(flipped).toHaveLength(request.length);
		const differing = [...request].flatMap((byte, at) =>
			byte === flipped[at] ? [] : [byte ^ (flipped[at] ?? 0)],
		);
		expect(differing).toEqual([0x20]);
		const { url, formData } = await readFetch(flipped);
		const parameters = new Map([...new URL(url).searchParams, ...formData]);
		const method = (parameters.get("sign_method") ?? "md5") as "md5";
		expect(parameters.get("sign")).not.toBe(signTop(parameters, "my-secret", method));
	});
});

it("misses a callback to flip", () => {
	expect(() => flipSignedByte(Buffer.from("GET / HTTP/1.1\r\n\r\n"))).toThrow("no callback");
});

async function readFetch(request: Uint8Array) {
	const asked = toFetchRequest(request, "https://callbacks.example.com");
	const { url, headers } = asked;
	const formData = [...(await asked.formData())].map(([key, value]): [string, string] => [key, `${value}`]);
	return { url, headers, formData };
}
