// Durable reports and replays over gRPC, beside grpc-js alone. The client reads no more of an answer than it must.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { recordingService } from "@reelkeep/adapter-grpc/v1";
import { sampleCallback } from "@reelkeep/testing";
import { startServer } from "./server-process.mjs";

const CALLS = 64;
/** Of the client: with 64 KiB, the default, a stream waits for a round trip every 60 events, and nothing else is measured. */
const OPTIONS = { "grpc-node.flow_control_window": 4 * 1024 * 1024 };
const asIs = (bytes) => bytes;
/** Of one kind's stream; so long are those of the other. */
let batchBytes = 0;

/** Reports for `seconds`, 64 at once; half of the time is not counted: it compiles. */
export function reports(kind, { seconds, folder }) {
	return withServer("reporter", kind, folder, 0, async (client, metadata) => {
		const { path, requestSerialize } = recordingService.ReportRecording;
		const start = performance.now();
		const [from, until] = [start + seconds * 500, start + seconds * 1000];
		const times = [];
		let next = 0;
		const call = () =>
			new Promise((resolve, reject) => {
				next += 1;
				const value = Buffer.from(JSON.stringify(sampleCallback({ track_info: `${kind}-${next}` })));
				const request = { report: { case: "requestParam", value } };
				client.makeUnaryRequest(path, requestSerialize, asIs, request, metadata, (error, answer) =>
					error ? reject(error) : resolve(answer),
				);
			});
		const run = async () => {
			while (performance.now() < until) {
				const sentAt = performance.now();
				await call();
				const now = performance.now();
				if (sentAt >= from && now < until) times.push(now - sentAt);
			}
		};
		await Promise.all(Array.from({ length: CALLS }, run));
		times.sort((a, b) => a - b);
		return {
			perSecond: times.length / ((until - from) / 1000),
			p99Ms: times[Math.floor(times.length * 0.99)],
		};
	});
}

/** The whole log of `events` events through one subscription; its first half is not counted: it compiles. */
export function replays(kind, { events, folder }) {
	const whole = Math.ceil(events / 1000) * 1000;
	return withServer("reader", kind, folder, whole, async (client, metadata) => {
		const { path, requestSerialize } = recordingService.SubscribeEvents;
		const call = client.makeServerStreamRequest(path, requestSerialize, asIs, {}, metadata);
		let [seen, bytes, responses] = [0, 0, 0];
		let half;
		for await (const response of call) {
			responses += 1;
			bytes += response.length;
			seen += kind === "reelkeep" ? countEvents(response) : 256;
			if (seen >= whole / 2) half ??= { seen, at: performance.now() };
			if (seen >= whole) break;
		}
		if (kind === "reelkeep") batchBytes = Math.round(bytes / responses);
		return { perSecond: (seen - half.seen) / ((performance.now() - half.at) / 1000) };
	});
}

/** How many events a `SubscribeEventsResponse` has: what is measured is the server, not what decodes in the client. */
function countEvents(response) {
	let [count, at] = [0, 0];
	const varint = () => {
		for (let [value, scale] = [0, 1]; ; scale *= 128) {
			const byte = response[at++];
			value += (byte & 127) * scale;
			if (byte < 128) return value;
		}
	};
	while (at < response.length) {
		const tag = varint();
		const value = varint();
		if ((tag & 7) === 2) at += value;
		if (tag >> 3 === 1) count += 1;
	}
	return count;
}

async function withServer(caller, kind, folder, events, work) {
	const directory = mkdtempSync(join(folder, "grpc-"));
	const env = batchBytes > 0 ? { BATCH_BYTES: String(batchBytes) } : {};
	const server = await startServer("serve-grpc.mjs", [kind, directory, events], env);
	const client = new Client(server.line, credentials.createInsecure(), OPTIONS);
	const metadata = new Metadata();
	metadata.set("authorization", `Bearer ${caller}-token-0123456789abcdef`);
	try {
		return await work(client, metadata);
	} finally {
		client.close();
		await server.stop();
		rmSync(directory, { recursive: true });
	}
}
