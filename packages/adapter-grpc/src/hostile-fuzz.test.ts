// Good connections and good messages with random damage. `REELKEEP_GRPC_FUZZ` says how many of each,
// `REELKEEP_GRPC_FUZZ_SEED` which ones.

import type { ClientHttp2Session } from "node:http2";
import { createDraw, type Draw } from "@reelkeep/harness/hostile-random";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { storeOf } from "../test/harness.js";
import { call, GOOD, GOOD_ITEM, GOOD_MESSAGE, hostileScenes, type Scene } from "../test/hostile-scene.js";
import {
	data,
	END_STREAM,
	Frame,
	frame,
	grpcMessage,
	HELLO,
	NEWEST_FIELD,
	open,
	PING,
	REPORT,
	REPORT_MANY,
	rememberedField,
	reset,
	SETTINGS,
	SUBSCRIBE,
	uint32,
} from "../test/raw-connection.js";

const COUNT = Number(process.env.REELKEEP_GRPC_FUZZ ?? 300);
/** The same each time, unless more are asked for. */
const SEED = Number(
	process.env.REELKEEP_GRPC_FUZZ_SEED ??
		(process.env.REELKEEP_GRPC_FUZZ === undefined ? 1 : Date.now() % 2 ** 31),
);
const AT_ONCE = 24;
/** Who waits longer for the server to close leaves: Node hears nothing more of a session that has failed. */
const PATIENCE_MS = 80;
const TIME_MS = 10_000 + COUNT * 60;

const LIMITS = {
	limits: { requestTimeMs: 200, streamIdleMs: 200 },
	// Both for those connections that the server holds on to until they have been idle for long enough.
	connectionIdleMs: 300,
	maxConnections: 4_096,
};

const scenes = hostileScenes();
beforeEach(() => scenes.begin());
afterEach(() => scenes.end());

const callback = Buffer.from("0a1f0a0467616d6510001a0022006a00", "hex");
const parameters = Buffer.concat([
	GOOD_ITEM,
	Buffer.from([0x12, 8, 0x0a, 1, 0x61, 0x12, 3, 0x62, 0x63, 0x64]),
]);
const healthCheck = "/grpc.health.v1.Health/Check";
const watch = "/grpc.health.v1.Health/Watch";
const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const listServices = Buffer.from([0x3a, 1, 0x2a]);

const whole = (stream: number, path: string, ...messages: readonly Uint8Array[]): Buffer[] => [
	open(stream, { ":path": path, "grpc-timeout": "5S", "user-agent": "fuzz", "key-bin": "AAEC" }),
	data(stream, Buffer.concat(messages.map((message) => grpcMessage(message))), END_STREAM),
];

/** What good clients send, from the first byte of a connection to its last; pieces, so that they can be moved about. */
const RECORDED: readonly (readonly Buffer[])[] = [
	[HELLO, ...whole(1, REPORT, GOOD)],
	[HELLO, ...whole(1, REPORT, callback), ...whole(3, REPORT, GOOD)],
	[HELLO, ...whole(1, REPORT_MANY, GOOD_ITEM, callback, parameters, GOOD_ITEM)],
	[
		HELLO,
		...whole(1, SUBSCRIBE, Buffer.from([0x18, 2])),
		frame(Frame.WINDOW_UPDATE, 0, 1, uint32(500)),
		PING,
		reset(1),
	],
	[HELLO, ...whole(1, healthCheck, Buffer.alloc(0)), ...whole(3, watch, Buffer.alloc(0)), reset(3)],
	[HELLO, ...whole(1, reflection, listServices, listServices), PING],
	[HELLO, open(1, { "grpc-encoding": "gzip" }), data(1, grpcMessage(GOOD, { flag: 1 }), END_STREAM)],
	[
		HELLO,
		SETTINGS,
		frame(Frame.HEADERS, 4, 1, Buffer.concat([rememberedField(":path", REPORT), NEWEST_FIELD])),
		open(3),
		...[...GOOD_MESSAGE].map((byte) => data(3, Buffer.from([byte]))),
		data(3, Buffer.alloc(0), END_STREAM),
		frame(Frame.GOAWAY, 0, 0, Buffer.alloc(8)),
	],
];

/** Bits flip, bytes go missing, come twice, come in or are cut off. */
function damage(draw: Draw, bytes: Buffer): Buffer {
	if (bytes.length === 0) return draw.bytes(draw.int(9));
	const at = draw.int(bytes.length);
	const end = Math.min(bytes.length, at + 1 + draw.int(24));
	const [before, slice, behind] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
	switch (draw.int(8)) {
		case 0:
			return before;
		case 1:
			return Buffer.concat([before, behind]);
		case 2:
			return Buffer.concat([before, slice, slice, behind]);
		case 3:
			return Buffer.concat([before, draw.bytes(1 + draw.int(12)), slice, behind]);
		case 4:
			return Buffer.concat([before, draw.bytes(slice.length), behind]);
		default: {
			const flipped = Buffer.from(bytes);
			flipped[at] = (flipped[at] ?? 0) ^ (1 << draw.int(8));
			return flipped;
		}
	}
}

function damageSome(draw: Draw, bytes: Buffer): Buffer {
	let damaged = bytes;
	for (let times = draw.once(3) ? 4 : 1; times > 0; times -= 1) damaged = damage(draw, damaged);
	return damaged;
}

/** Damaged within one piece, with pieces twice, gone or elsewhere, or anywhere. */
function damageConnection(draw: Draw, pieces: readonly Buffer[]): Buffer {
	const damaged = [...pieces];
	const at = draw.int(damaged.length);
	const piece = damaged[at] ?? Buffer.alloc(0);
	switch (draw.int(5)) {
		case 0:
			damaged.splice(at, 1);
			break;
		case 1:
			damaged.splice(draw.int(damaged.length), 0, piece);
			break;
		case 2:
			damaged[at] = damageSome(draw, piece);
			break;
		case 3:
			damaged.splice(at, 1, draw.pick(draw.pick(RECORDED)), piece);
			break;
		default:
			return damageSome(draw, Buffer.concat(damaged));
	}
	return draw.once(2) ? Buffer.concat(damaged) : damageSome(draw, Buffer.concat(damaged));
}

/** Sends all of it, and goes: by FIN, by RST, or when the server has closed. Tells how it ended. */
async function sendAlone(scene: Scene, bytes: Buffer, draw: Draw): Promise<string> {
	const connection = await scene.raw({ remembers: false });
	const cut = draw.int(bytes.length + 1);
	await connection.send(bytes.subarray(0, cut));
	await new Promise((resolve) => setImmediate(resolve));
	await connection.send(bytes.subarray(cut));
	if (draw.once(8)) connection.socket.resetAndDestroy();
	else if (!connection.socket.destroyed) connection.socket.end();
	const timer = setTimeout(() => connection.socket.destroy(new Error("left alone")), PATIENCE_MS);
	let ending = "closed";
	connection.socket.once("error", () => {
		ending = "left";
	});
	await connection.closed;
	clearTimeout(timer);
	return ending;
}

/** `work` of 0 to `count - 1`, a few at a time. */
async function forEach(count: number, work: (index: number) => Promise<void>): Promise<void> {
	let next = 0;
	const worker = async (): Promise<void> => {
		for (let index = next++; index < count; index = next++) await work(index);
	};
	await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const countUp = (counts: Map<string, number>, word: string): void =>
	void counts.set(word, (counts.get(word) ?? 0) + 1);

/** Says of a failure how to see it again. */
async function withSeed(work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (error) {
		throw new Error(`REELKEEP_GRPC_FUZZ_SEED=${SEED} REELKEEP_GRPC_FUZZ=${COUNT} sees it again`, {
			cause: error,
		});
	}
}

const report = (what: string, counts: Map<string, number>, reports: number): void => {
	if (process.env.REELKEEP_GRPC_FUZZ === undefined) return;
	const words = [...counts].sort().map(([word, times]) => `${word}: ${times}`);
	console.log(`${COUNT} ${what}, seed ${SEED}: ${words.join(", ")}; ${reports} reports were taken`);
};

describe(`damage, with seed ${SEED}`, () => {
	it("to whole connections does no harm", { timeout: TIME_MS }, () =>
		withSeed(async () => {
			const scene = await scenes.start({ ...LIMITS, store: await storeOf(5) });
			const endings = new Map<string, number>();
			await forEach(COUNT, async (index) => {
				const draw = createDraw(SEED, index);
				countUp(endings, await sendAlone(scene, damageConnection(draw, draw.pick(RECORDED)), draw));
			});
			report("connections", endings, scene.reports.length);
			await scene.expectUnharmed(scene.reports.length);
		}),
	);

	it("to messages is answered, each of them", { timeout: TIME_MS }, () =>
		withSeed(async () => {
			const scene = await scenes.start({ ...LIMITS, store: await storeOf(5) });
			const statuses = new Map<string, number>();
			let session: ClientHttp2Session = scene.session();
			await forEach(COUNT, async (index) => {
				const draw = createDraw(SEED, index);
				if (session.destroyed || session.closed) session = scene.session();
				const path = draw.pick([REPORT, REPORT, REPORT_MANY, healthCheck, reflection]);
				const message = grpcMessage(draw.pick([GOOD, GOOD_ITEM, callback, parameters, listServices]));
				const bytes = damageSome(draw, message);
				const isEnded = path === reflection || !draw.once(10);
				const { status } = await call(session, {
					path,
					send: (stream) => (isEnded ? stream.end(bytes) : stream.write(bytes)),
				});
				countUp(statuses, String(status));
			});
			report("messages", statuses, scene.reports.length);
			expect(statuses.get("undefined")).toBeUndefined();
			await scene.expectUnharmed(scene.reports.length);
		}),
	);
});
