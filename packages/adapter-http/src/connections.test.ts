import type { Logger } from "@reelkeep/core/ports";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { afterEach, describe, expect, it } from "vitest";
import { converse, gatedReceive, ingressStarter, NOW_MS, signed } from "../test/harness.js";

const { start, stop } = ingressStarter();
afterEach(stop);

const BROKEN_CHUNK = "POST /router/rest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
const UNFINISHED = "POST /router/rest HTTP/1.1\r\nHost: x\r\n";

/** Long enough for what was written to be read on this machine; nothing fails when it is not. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

/** `SUCCESS` and error codes, in the order in which they were heard. */
const outcomesOf = (said: string): readonly string[] =>
	[...said.matchAll(/SUCCESS|<code>([0-9]+)<|"code":([0-9]+),/g)].map(
		([all, xml, json]) => xml ?? json ?? all,
	);

describe("a connection with a request in flight", () => {
	it.each([
		["garbage", "garbage\r\n\r\n", "41"],
		["a request whose body breaks off", BROKEN_CHUNK, "41"],
		["CONNECT", "CONNECT h:443 HTTP/1.1\r\n\r\n", "9"],
		["garbage in several pieces", "garbage\r\n\r\nmore garbage\r\n\r\n", "41"],
	])("hears the answer to it before the one to %s behind it", async (_what, behind, code) => {
		const recorded = gatedReceive();
		const { address } = await start({}, recorded);
		const { ended, said, socket } = await converse(address, signed(), signed(), behind);
		await expect.poll(() => recorded.reports.length).toBe(2);
		socket.write(behind);
		await settled();
		expect(said()).toBe("");
		recorded.release();
		expect(outcomesOf(await ended)).toEqual(["SUCCESS", "SUCCESS", code]);
	});

	it("hears the answer to it before the one to a request that never ends", async () => {
		const recorded = gatedReceive();
		const { address } = await start({ headersTimeMs: 100 }, recorded);
		const { ended, said } = await converse(address, signed(), UNFINISHED);
		await expect.poll(() => recorded.reports.length).toBe(1);
		await new Promise((resolve) => setTimeout(resolve, 400));
		expect(said()).toBe("");
		recorded.release();
		expect(outcomesOf(await ended)).toEqual(["SUCCESS", "15"]);
	});

	it("may go away meanwhile", async () => {
		const recorded = gatedReceive();
		const { address } = await start({}, recorded);
		const { ended, socket } = await converse(address, signed(), BROKEN_CHUNK);
		await expect.poll(() => recorded.reports.length).toBe(1);
		socket.resetAndDestroy();
		await ended;
		recorded.release();
		expect((await sendRaw(address, signed())).body).toContain("SUCCESS");
	});
});

describe("a connection that asks on and on without waiting", () => {
	const requests = (count: number) => Array.from({ length: count }, () => signed());

	it("gets 64 answers and is closed behind them", async () => {
		const recorded = gatedReceive();
		const { address } = await start({}, recorded);
		const { ended } = await converse(address, ...requests(66));
		await expect.poll(() => recorded.reports.length).toBe(64);
		await settled();
		recorded.release();
		expect(outcomesOf(await ended)).toEqual(Array.from({ length: 64 }, () => "SUCCESS"));
	});

	it("is destroyed when it goes on, and nobody else is", async () => {
		const recorded = gatedReceive();
		const { address } = await start({}, recorded);
		const patient = await converse(address, signed());
		const greedy = await converse(address, ...requests(130));
		expect(await greedy.ended).toBe("");
		recorded.release();
		await expect.poll(() => outcomesOf(patient.said())).toEqual(["SUCCESS"]);
		patient.socket.destroy();
	});
});

describe("a stop", () => {
	it.each([
		["has said nothing", ""],
		["is in the middle of its headers", UNFINISHED],
		["was answered", "GET /healthz HTTP/1.1\r\n\r\n"],
	])("closes a connection at once that %s", async (_what, text) => {
		const { ingress, address } = await start({ stopTimeMs: 60_000 });
		const { ended, said } = await converse(address, text);
		if (text.endsWith("\r\n\r\n")) await expect.poll(said).toContain("200 OK");
		else await settled();
		await ingress.stop();
		await ended;
	});

	it("takes no new request from a connection that still waits for an answer", async () => {
		const recorded = gatedReceive();
		const { ingress, address } = await start({}, recorded);
		const { ended, socket } = await converse(address, signed());
		await expect.poll(() => recorded.reports.length).toBe(1);
		const stopped = ingress.stop();
		socket.write(signed());
		await settled();
		recorded.release();
		expect(outcomesOf(await ended)).toEqual(["SUCCESS"]);
		await stopped;
		expect(recorded.reports).toHaveLength(1);
	});

	it("answers all that is in flight on one connection, and says with the last that it closes", async () => {
		const recorded = gatedReceive();
		const { ingress, address } = await start({}, recorded);
		const { ended } = await converse(address, signed(), signed());
		await expect.poll(() => recorded.reports.length).toBe(2);
		const stopped = ingress.stop();
		recorded.release();
		const said = await ended;
		expect(outcomesOf(said)).toEqual(["SUCCESS", "SUCCESS"]);
		expect(said.match(/^connection: .*$/gim)).toEqual(["Connection: keep-alive", "Connection: close"]);
		await stopped;
	});

	it("answers a request whose body ends after it", async () => {
		const { ingress, address } = await start();
		const bytes = signed();
		const { ended, socket } = await converse(address, bytes.subarray(0, -1));
		await settled();
		const stopped = ingress.stop();
		socket.write(bytes.subarray(-1));
		expect(outcomesOf(await ended)).toEqual(["SUCCESS"]);
		await stopped;
	});
});

describe("an HTTP ingress with as many connections as it may have", () => {
	function warnings(): { readonly logger: Logger; readonly told: object[] } {
		const told: object[] = [];
		const ignore = (): void => {};
		const warn = (details: object): void => void told.push(details);
		return { told, logger: { trace: ignore, debug: ignore, info: ignore, warn, error: ignore } };
	}

	it("turns one more away, tells the log once a minute, and takes one when another has gone", async () => {
		const { logger, told } = warnings();
		let nowMs = NOW_MS;
		const clock = { now: () => nowMs, sleep: async () => {} };
		const { address } = await start({ maxConnections: 2, logger, clock });
		const held = [await converse(address), await converse(address)];
		for (let i = 0; i < 3; i++) await expect(sendRaw(address, signed())).rejects.toThrow("without a whole");
		const warning = { reason: "too many are open", maxConnections: 2 };
		expect(told).toEqual([{ ...warning, times: 1 }]);
		nowMs += 60_000;
		await expect(sendRaw(address, signed())).rejects.toThrow("without a whole");
		expect(told).toEqual([
			{ ...warning, times: 1 },
			{ ...warning, times: 3 },
		]);
		nowMs = NOW_MS;
		held[0]?.socket.end();
		await held[0]?.ended;
		expect((await sendRaw(address, signed())).body).toContain("SUCCESS");
	});

	it.each([0, -1, 1.5, Number.NaN])("refuses a limit of %d", async (maxConnections) => {
		await expect(start({ maxConnections })).rejects.toThrow("maxConnections must be a positive whole number");
	});
});
