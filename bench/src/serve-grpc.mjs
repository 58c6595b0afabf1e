// One gRPC server in a process of its own: `node serve-grpc.mjs KIND DIRECTORY EVENTS` prints its address, and ends with its
// standard input. With EVENTS the log is filled first; 0: reports come from the load.

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { grpcIngress } from "@reelkeep/adapter-grpc";
import { recordingService } from "@reelkeep/adapter-grpc/v1";
import { createReelkeep, silentLogger } from "@reelkeep/core/container";
import { EVENT_STORE } from "@reelkeep/core/ports";
import { fsStorage } from "@reelkeep/storage-fs";
import { sampleEvent, streamOf } from "./events.mjs";

/** Who reports does not subscribe, and who subscribes does not report. */
const TOKENS = { reporter: "reporter-token-0123456789abcdef", reader: "reader-token-0123456789abcdef" };
const HOST = "127.0.0.1";
const [kind, directory, count] = process.argv.slice(2);
const KINDS = { reelkeep, bare };

const { address, stop } = await KINDS[kind]();
console.log(address);
process.stdin.on("end", async () => {
	await stop();
	process.exit(0);
});
process.stdin.resume();

async function reelkeep() {
	if (Number(count) > 0) await fillLog(Number(count));
	const grpc = grpcIngress({ host: HOST, port: 0, tokens: TOKENS, subscribers: ["reader"] });
	const plugin = createReelkeep({ plugins: [fsStorage({ directory }), grpc], logger: silentLogger });
	await plugin.start();
	return { address: grpc.address(), stop: () => plugin.stop() };
}

/** By a Reelkeep that has stopped when it is read: its live events are not to follow it meanwhile. */
async function fillLog(events) {
	const filling = createReelkeep({ plugins: [fsStorage({ directory })], logger: silentLogger });
	await filling.start();
	const [store, event] = [filling.get(EVENT_STORE), await sampleEvent()];
	for (let from = 0; from < events; from += 1000) {
		const batch = Array.from({ length: 1000 }, (_, index) => from + index);
		await Promise.all(
			batch.map((index) => store.append(streamOf(index), [{ ...event, id: `event-${index}` }], "no-stream")),
		);
	}
	await filling.stop();
}

/** grpc-js alone: the request's bytes back, or ready responses of 256 events' length as fast as they are taken. */
async function bare() {
	const server = new Server();
	const bytes = (value) => value;
	const { ReportRecording, SubscribeEvents } = recordingService;
	const raw = {
		requestSerialize: bytes,
		requestDeserialize: bytes,
		responseSerialize: bytes,
		responseDeserialize: bytes,
	};
	const events = Number(count);
	server.addService(
		{ ReportRecording: { ...ReportRecording, ...raw }, SubscribeEvents: { ...SubscribeEvents, ...raw } },
		{
			ReportRecording: (_call, callback) => callback(null, Buffer.alloc(0)),
			async SubscribeEvents(call) {
				const batch = Buffer.alloc(Number(process.env.BATCH_BYTES ?? 256 * 1024), "a");
				for (let sent = 0; sent < events; sent += 256) {
					if (!call.write(batch)) await new Promise((drained) => call.once("drain", drained));
				}
				call.end();
			},
		},
	);
	const port = await new Promise((resolve, reject) =>
		server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, bound) =>
			error ? reject(error) : resolve(bound),
		),
	);
	return { address: `${HOST}:${port}`, stop: async () => server.forceShutdown() };
}
