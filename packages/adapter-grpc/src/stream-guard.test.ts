import { constants } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { guardStreams, refusalOf, shortenTimeout } from "./stream-guard.js";

const NOBODY = { begin: () => {}, end: () => {}, compressed: () => {} };

describe("guardStreams", () => {
	it("refuses a server that has nothing to guard, instead of guarding nothing in silence", () => {
		expect(() => guardStreams(new Server(), NOBODY)).toThrow(/cannot be guarded/);
	});

	it("finds the HTTP/2 server of this version of @grpc/grpc-js", () => {
		const server = new Server();
		server.createConnectionInjector(ServerCredentials.createInsecure());
		expect(() => guardStreams(server, NOBODY)).not.toThrow();
		server.forceShutdown();
	});
});

describe("refusalOf", () => {
	it.each([
		["the usual ones", { ":path": "/reelkeep.v1.RecordingService/ReportRecording", te: "trailers" }],
		["16 KiB", { k: "v".repeat(16 * 1024 - 1) }],
		["a header that stands several times", { "set-cookie": ["a", "b"] }],
		["one without a value", { key: undefined }],
	])("lets %s pass", (_, headers) => {
		expect(refusalOf(headers)).toBeUndefined();
	});

	it.each([
		["more than 16 KiB in one value", { k: "v".repeat(16 * 1024) }],
		[
			"more than 16 KiB together",
			Object.fromEntries(Array.from({ length: 100 }, (_, key) => [`key-${key}`, "v".repeat(200)])),
		],
		["more than 16 KiB of names", { ["n".repeat(16 * 1024)]: "v" }],
		["more than 16 KiB in a list", { "set-cookie": Array.from({ length: 200 }, () => "v".repeat(100)) }],
	])("asks for calm after %s", (_, headers) => {
		expect(refusalOf(headers)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
	});

	it.each(["é", "\u0000", "a\tb", "中", "\x7f"])("takes %j for a fault of the protocol", (value) => {
		expect(refusalOf({ key: value })).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
	});
});

describe("shortenTimeout", () => {
	it.each([
		["1n", "1n"],
		["10S", "10S"],
		["1440M", "1440M"],
		["24H", "24H"],
		["99999999m", "99999999m"],
		["25H", "86400S"],
		["2592000S", "86400S"],
		["99999999H", "86400S"],
		["soon", "soon"],
	])("makes of %s %s", (given, taken) => {
		const headers = { "grpc-timeout": given };
		shortenTimeout(headers);
		expect(headers["grpc-timeout"]).toBe(taken);
	});

	it("adds none", () => {
		const headers = {};
		shortenTimeout(headers);
		expect(headers).toEqual({});
	});
});
