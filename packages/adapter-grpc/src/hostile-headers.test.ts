// Headers that a client of gRPC never sends, and messages past the limit.

import { setTimeout as pause } from "node:timers/promises";
import { status as Code } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gatedReceive, type RecordingReceive, recordingReceive } from "../test/harness.js";
import { call, GOOD_MESSAGE, heldBytes, hostileScenes, MARK, type Scene } from "../test/hostile-scene.js";
import {
	ACK,
	callHeaders,
	data,
	END_HEADERS,
	END_STREAM,
	Frame,
	frame,
	grpcMessage,
	HELLO,
	headerBlock,
	NEWEST_FIELD,
	open,
	PING,
	type RawConnection,
	rememberedField,
} from "../test/raw-connection.js";
import { DEFAULT_GRPC_LIMITS } from "./limits.js";
import { createTokenVerifier } from "./tokens.js";

const scenes = hostileScenes();
beforeEach(() => scenes.begin());
afterEach(() => scenes.end());

const ENHANCE_YOUR_CALM = 11;
const PROTOCOL_ERROR = 1;

describe("a request_param", () => {
	/** A message of exactly `bytes`. */
	const ofBytes = (bytes: number): Buffer => {
		const param = bytes - 4;
		const head = [0x12, (param & 127) | 128, ((param >>> 7) & 127) | 128, param >>> 14];
		return grpcMessage(Buffer.concat([Buffer.from(head), Buffer.alloc(param, "[")]));
	};

	it("may be as long as the limit, and not one byte longer", async () => {
		const scene = await scenes.start();
		const session = scene.session();
		const { maxMessageBytes } = DEFAULT_GRPC_LIMITS;
		const longest = await call(session, { send: (stream) => stream.end(ofBytes(maxMessageBytes)) });
		expect(longest.status).toBe(Code.OK);
		const longer = await call(session, { send: (stream) => stream.end(ofBytes(maxMessageBytes + 1)) });
		expect(longer.status).toBe(Code.RESOURCE_EXHAUSTED);
		await scene.expectUnharmed(1);
	});

	// Read to its end, it would count as talk, and the connection be cut off.
	it("of 4 MiB ends its own call only, not the others of its connection", async () => {
		const receiving = gatedReceive();
		const scene = await scenes.start({}, receiving);
		const session = scene.session();
		const other = call(session);
		const tooLong = session.request({ ...callHeaders({ te: undefined }), ":authority": undefined });
		tooLong.on("error", () => {}).resume();
		tooLong.end(ofBytes(4 * 1024 * 1024));
		// Longer than the server needs to look at how much was said.
		const connection = await scene.raw();
		await pinging(connection.send, 1_500);
		receiving.release();
		await expect(other).resolves.toMatchObject({ status: Code.OK });
		await scene.expectUnharmed(1);
	});
});

/** Says something now and then for a while. */
async function pinging(send: (bytes: Buffer) => Promise<void>, timeMs: number): Promise<void> {
	for (const end = performance.now() + timeMs; performance.now() < end; ) {
		await send(PING);
		await pause(100);
	}
}

describe("a call's headers", () => {
	it("of a thousand keys have the call reset, and the connection goes on", async () => {
		const scene = await scenes.start();
		const session = scene.session();
		const headers = Object.fromEntries(Array.from({ length: 1000 }, (_, key) => [`key-${key}`, MARK]));
		expect(await call(session, { headers })).toMatchObject({ http: undefined, reset: ENHANCE_YOUR_CALM });
		expect(await call(session)).toMatchObject({ status: Code.OK });
		await scene.expectUnharmed(1);
	});

	it("of 100 KiB in all have the call reset", async () => {
		const scene = await scenes.start();
		const connection = await scene.raw();
		const keys = Object.fromEntries(Array.from({ length: 50 }, (_, key) => [`k${key}`, "v".repeat(2048)]));
		const block = headerBlock({ ...callHeaders(), ...keys });
		const part = (from: number): Buffer => block.subarray(from, from + 16_384);
		// Before that the server's bounds do not bind.
		await connection.send(HELLO, frame(Frame.SETTINGS, ACK, 0));
		await connection.send(frame(Frame.HEADERS, 0, 1, part(0)));
		for (let from = 16_384; from < block.length; from += 16_384) {
			const flags = from + 16_384 < block.length ? 0 : END_HEADERS;
			await connection.send(frame(Frame.CONTINUATION, flags, 1, part(from)));
		}
		await connection.send(PING);
		await connection.until(({ type }) => type === Frame.PING);
		const reset = connection.frames().find(({ type }) => type === Frame.RST_STREAM);
		expect(reset?.payload.readUInt32BE()).toBe(ENHANCE_YOUR_CALM);
		await scene.expectUnharmed();
	});

	it("of 64 KiB in one key are taken or reset, and the connection goes on", async () => {
		const scene = await scenes.start();
		const session = scene.session();
		const { status, reset } = await call(session, { headers: { key: "v".repeat(64 * 1024 - 600) } });
		expect([status, reset]).toContain(status === undefined ? ENHANCE_YOUR_CALM : Code.OK);
		expect(await call(session)).toMatchObject({ status: Code.OK });
		await scene.expectUnharmed(status === undefined ? 1 : 2);
	});

	it.each([
		["a -bin key that is no base64", { "key-bin": `${MARK} !"§$%`.replace("§", "&") }],
		["an empty -bin key", { "key-bin": "" }],
		["a key of an empty value", { key: "" }],
		["no te", { te: undefined }],
		["a content type with a suffix", { "content-type": "application/grpc+proto" }],
	])("are no obstacle with %s", async (_, headers) => {
		const scene = await scenes.start();
		expect(await call(scene.session(), { headers })).toMatchObject({ http: 200, status: Code.OK });
		await scene.expectUnharmed(1);
	});

	// grpc-js writes a header whose value is not ASCII, with the value, to standard error.
	it.each([
		["authorization", "Bearer é"],
		["grpc-timeout", "é1S"],
		["key", "é"],
	])("are repeated nowhere when %s is not ASCII", async (key, value) => {
		const scene = await scenes.start();
		const answer = await call(scene.session(), { headers: { [key]: `${value}${MARK}` } });
		expect(answer).toMatchObject({ http: undefined, reset: PROTOCOL_ERROR });
		await scene.expectUnharmed();
	});

	it.each(["key!", "authorization%", "a|b", "grpc-timeout'"])(
		"are repeated nowhere when a key is %s",
		async (key) => {
			const scene = await scenes.start();
			const answer = await call(scene.session(), { headers: { [key]: MARK } });
			await scene.expectUnharmed(answer.status === Code.OK ? 1 : 0);
		},
	);

	it.each([
		["no content type", { "content-type": undefined }, 415],
		["JSON's content type", { "content-type": "application/json" }, 415],
	])("are refused with %s", async (_, headers, http) => {
		const scene = await scenes.start();
		expect(await call(scene.session(), { headers })).toMatchObject({ http, status: undefined });
		await scene.expectUnharmed();
	});

	it.each([
		["a path that leads nowhere", { ":path": `/${MARK}` }],
		["a method of another service", { ":path": "/grpc.health.v1.Health/ReportRecording" }],
		["a path without its slash", { ":path": "*" }],
		["the path of a file", { ":path": "/reelkeep.v1.RecordingService/../../etc/passwd" }],
		["a name that every object has", { ":path": "/__proto__" }],
	])("are UNIMPLEMENTED, or no HTTP, with %s", async (_, headers) => {
		const scene = await scenes.start();
		const { status, reset } = await call(scene.session(), { headers });
		expect([status, reset]).toContain(status === undefined ? PROTOCOL_ERROR : Code.UNIMPLEMENTED);
		await scene.expectUnharmed();
	});

	it.each(["GET", "HEAD", "OPTIONS", "CONNECT"])("are no report with the method %s", async (method) => {
		const scene = await scenes.start();
		const connection = await scene.raw();
		const path = method === "CONNECT" ? { ":path": undefined, ":scheme": undefined } : {};
		await connection.send(HELLO, open(1, { ":method": method, ...path }, END_HEADERS | END_STREAM));
		await connection.until(({ stream }) => stream === 1);
		await scene.expectUnharmed();
	});
});

describe("a call's grpc-timeout", () => {
	it.each(["soon", "", "-1S", "1", "123456789"])("that is malformed gets a status: %j", async (timeout) => {
		const scene = await scenes.start();
		const answer = await call(scene.session(), { headers: { "grpc-timeout": timeout } });
		// grpc-js reads the digits and the unit wherever they stand.
		expect(answer.status).toBe(/\d{1,8}[HMSmun]/.test(timeout) ? Code.OK : Code.INTERNAL);
		await scene.expectUnharmed(answer.status === Code.OK ? 1 : 0);
	});

	it.each(["0n", "1n", "1u", "1m"])("ends a call in DEADLINE_EXCEEDED when it is %s", async (timeout) => {
		const receiving = gatedReceive();
		const scene = await scenes.start({}, receiving);
		const answer = await call(scene.session(), { headers: { "grpc-timeout": timeout } });
		expect(answer.status).toBe(Code.DEADLINE_EXCEEDED);
		receiving.release();
		await scene.expectUnharmed(receiving.reports.length);
	});

	// grpc-js takes the milliseconds as a 32-bit number; 30 days become less than none.
	it("of 30 days leaves a report the time that it needs", async () => {
		const receiving = slowReceive();
		const scene = await scenes.start({}, receiving);
		const answer = await call(scene.session(), { headers: { "grpc-timeout": "2592000S" } });
		await scene.expectUnharmed(1);
		expect(answer.status).toBe(Code.OK);
	});

	it("of 99999999 hours is no error", async () => {
		const scene = await scenes.start({}, slowReceive());
		const answer = await call(scene.session(), { headers: { "grpc-timeout": "99999999H" } });
		expect(answer.status).toBe(Code.OK);
		await scene.expectUnharmed(1);
	});
});

/** Needs longer than a deadline that is over at once. */
function slowReceive(): RecordingReceive {
	return recordingReceive(async () => {
		await pause(20);
		return { _tag: "Reported", stream: "s" };
	});
}

describe("authorization that stands twice", () => {
	const TOKEN = "a-token-that-nobody-guesses";
	const callers = createTokenVerifier({ relay: TOKEN });

	// Node keeps the first one of this header, whatever comes behind it.
	it.each([
		["the good one first", [TOKEN, MARK], true],
		["the good one last", [MARK, TOKEN], false],
	])("counts as its first: %s", async (_, tokens, isTaken) => {
		const receiving = gatedReceive();
		receiving.release();
		const scene = await scenes.start({ callers }, receiving);
		const connection = await scene.raw();
		const fields = tokens.map((token) => headerBlock({ authorization: `Bearer ${token}` }));
		const block = Buffer.concat([headerBlock(callHeaders()), ...fields]);
		await connection.send(HELLO, frame(Frame.HEADERS, END_HEADERS, 1, block));
		await connection.send(data(1, GOOD_MESSAGE, END_STREAM));
		await connection.until(
			({ type, stream, flags }) => type === Frame.HEADERS && stream === 1 && flags > END_HEADERS,
		);
		expect(scene.reports).toHaveLength(isTaken ? 1 : 0);
		expect(scene.said()).not.toContain(MARK);
	});
});

describe("headers that HPACK's table repeats", () => {
	/** `fields` times 4,000 commas, for a byte each. */
	async function commas(scene: Scene, name: string, fields: number, calls: number): Promise<RawConnection> {
		const connection = await scene.raw();
		const base = headerBlock(callHeaders());
		const repeated = Buffer.concat(Array.from({ length: fields - 1 }, () => NEWEST_FIELD));
		const first = Buffer.concat([base, rememberedField(name, ",".repeat(4_000)), repeated]);
		const others = Buffer.concat([base, NEWEST_FIELD, repeated]);
		await connection.send(HELLO, frame(Frame.HEADERS, END_HEADERS, 1, first));
		for (let index = 1; index < calls; index += 1) {
			await connection.send(frame(Frame.HEADERS, END_HEADERS, 1 + 2 * index, others));
		}
		await connection.send(PING);
		await connection.until(({ type }) => type === Frame.PING);
		return connection;
	}

	it.each(["key-bin", "key"])(
		"are counted as what they are, of a client that acknowledges nothing: %s",
		async (name) => {
			const scene = await scenes.start();
			const connection = await commas(scene, name, 110, 4);
			const resets = connection.frames().filter(({ type }) => type === Frame.RST_STREAM);
			expect(resets.map(({ payload }) => payload.readUInt32BE())).toEqual(Array(4).fill(ENHANCE_YOUR_CALM));
			await scene.expectUnharmed();
		},
	);

	it("hold not much more than they are, however many commas a -bin header has", async () => {
		const CALLS = 40;
		const scene = await scenes.start();
		const before = heldBytes();
		const connection = await commas(scene, "key-bin", 4, CALLS);
		const held = heldBytes() - before;
		connection.socket.destroy();
		await scene.expectUnharmed();
		expect(held).toBeLessThan(CALLS * 256 * 1024);
	});
});
