// `reelkeep serve` under hostile requests: it lives, answers as TOP does, and keeps what was authentic and nothing else.
//
// REELKEEP_FUZZ_REQUESTS: how many (default 20000). REELKEEP_FUZZ_SEED: of which seed (default: another one each time).

import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { HIDDEN_TRACK, KNOWN_TRACKS, KNOWN_UNDECODABLE } from "@reelkeep/harness/hostile-material";
import { describeCounts, type HostileRun, runHostile } from "@reelkeep/harness/hostile-run";
import { type PrintedEvent, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { findLeaks } from "@reelkeep/harness/transcript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const requests = Number(process.env.REELKEEP_FUZZ_REQUESTS ?? 20_000);
const seed = Number(process.env.REELKEEP_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Twenty times what they take on a machine with nothing else to do. */
const TIME_MS = 60_000 + requests * 10;
const SLOW = 4;

const receiver = temporaryReceiver(fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url)));
let serve: Awaited<ReturnType<typeof receiver.serve>>;
let run: HostileRun;

beforeAll(async () => {
	serve = await receiver.serve();
	const startedAt = performance.now();
	run = await runHostile({ address: serve.address, seed, requests, slow: SLOW });
	const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
	console.log(`seed ${seed}, ${requests} requests, ${seconds} s\n${describeCounts(run.counts)}`);
}, TIME_MS);
afterAll(() => receiver.dispose());

describe("a receiver that got hostile requests", () => {
	test("has answered each as its kind allows, or closed", () => {
		expect(run.failures).toEqual([]);
	});

	test("lives, and is ready", async () => {
		expect(process.kill(serve.pid, 0)).toBe(true);
		for (const path of ["/healthz", "/readyz"]) {
			expect((await fetch(serve.address + path)).status).toBe(200);
		}
	});

	test("has kept each authentic callback once, and nothing else", async () => {
		const events = await receiver.events();
		const ofType = (type: string): readonly PrintedEvent[] => events.filter((event) => event.type === type);
		const reported = ofType("RecordingReported");
		const tracks = reported.map(({ data }) => data.trackInfo);
		expect(tracks.sort()).toEqual([...KNOWN_TRACKS].sort());
		expect(tracks).not.toContain(HIDDEN_TRACK);
		const bodies = ofType("CallbackQuarantined").map(({ data }) => data.sha256);
		expect(bodies.sort()).toEqual([...KNOWN_UNDECODABLE].sort());
		// The archiver tells of links that it may not follow.
		const others = events.filter(
			({ type }) => type !== "RecordingReported" && type !== "CallbackQuarantined",
		);
		expect(others.filter(({ metadata }) => metadata.ingress !== "archiver")).toEqual([]);
		const streams = new Set(reported.map(({ stream }) => stream));
		expect(others.filter(({ type, stream }) => !type.startsWith("Archive") || !streams.has(stream))).toEqual(
			[],
		);
	});

	test("has logged nothing that was sent, and no error of its own", () => {
		const log = serve.log();
		expect(log.split("\n").length).toBeGreaterThan(requests / 2);
		expect(findLeaks(log)).toEqual([]);
		const ofRequests = [/[0-9A-F]{32}/, /request_param=/, /sign=/, /[?&]app_key/, /%7B/, /mp4\?[^*]/];
		for (const sent of [...ofRequests, /LTAI/, /0EULW/]) {
			expect(sent.exec(log)?.[0]).toBeUndefined();
		}
		expect(/internal error|"level":[56]0/.exec(log)?.[0]).toBeUndefined();
	});

	test.each([
		["of a stated length", `Content-Length: ${2 ** 40}\r\n\r\n`],
		["in chunks without end", "Transfer-Encoding: chunked\r\n\r\n"],
	])("answers a body over the limit %s, drains a bounded while, and closes", async (_what, lines) => {
		const socket = connect(Number(new URL(serve.address).port), "127.0.0.1");
		let said = "";
		socket.on("data", (chunk) => {
			said += chunk;
		});
		socket.on("error", () => {});
		const piece = `10000\r\n${"x".repeat(0x10000)}\r\n`;
		socket.write(`POST /router/rest?format=json HTTP/1.1\r\nHost: x\r\n${lines}`);
		const startedAt = performance.now();
		while (!socket.closed && performance.now() - startedAt < 20_000) {
			// Whoever never looks up may miss the answer; this sender goes on in spite of it.
			const isHeard = said !== "";
			if (!socket.write(piece) || !isHeard)
				await new Promise((resolve) => setTimeout(resolve, isHeard ? 1 : 10));
		}
		expect(socket.closed, "it is closed from the other side").toBe(true);
		expect(said).toContain('"code":41');
		// What the limit and both sides' buffers hold.
		expect(socket.bytesWritten).toBeLessThan(64 * 1024 * 1024);
	});
});
