// Any ingress goes with any storage: here gRPC with stores in memory. One client reports, another follows the log.

import { randomBytes } from "node:crypto";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { grpcIngress } from "@reelkeep/adapter-grpc";
import { ReportOutcome, recordingService, type SubscribeEventsResponse } from "@reelkeep/adapter-grpc/v1";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep, silentLogger } from "@reelkeep/core/container";

const tokens = { relay: randomBytes(24).toString("hex"), billing: randomBytes(24).toString("hex") };
const grpc = grpcIngress({ tokens, subscribers: ["billing"] });
const reelkeep = createReelkeep({ plugins: [memoryStorage(), grpc], logger: silentLogger });
await reelkeep.start();

const client = new Client(grpc.address() ?? "", credentials.createInsecure());
const withToken = (token: string) => Metadata.fromHttp2Headers({ authorization: `Bearer ${token}` });

function report(trackInfo: string, token: string): Promise<string> {
	const callback = {
		action: "SCREEN_RECORDING_CALL_BACK",
		projectId: "cg-avatar",
		gameId: "cgdctwrqs",
		trackInfo,
		accountDomain: 0n,
		accountId: "player",
		downloadUrl: `https://bucket.example.com/${trackInfo}.mp4`,
		expireTime: 0n,
		version: 1n,
	};
	const { path, requestSerialize, responseDeserialize } = recordingService.ReportRecording;
	const request = { report: { case: "callback" as const, value: callback } };
	return new Promise((resolve) => {
		const answer = (error: ServiceError | null, response?: { readonly outcome: ReportOutcome }) => {
			if (response === undefined) resolve(status[error?.code ?? status.UNKNOWN]);
			else resolve(response.outcome === ReportOutcome.REPORTED ? "reported" : "known already");
		};
		client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, withToken(token), answer);
	});
}

for (const track of ["track-1", "track-2", "track-1"])
	console.log(`${track}: ${await report(track, tokens.relay)}`);
console.log(`track-3, from a subscriber: ${await report("track-3", tokens.billing)}`);

const { path, requestSerialize, responseDeserialize } = recordingService.SubscribeEvents;
const billing = withToken(tokens.billing);
const log = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, billing);
for await (const { events, caughtUp } of log as AsyncIterable<SubscribeEventsResponse>) {
	for (const { type, dataJson } of events) console.log(`${type} ${JSON.parse(dataJson).trackInfo}`);
	if (caughtUp) break;
}

client.close();
await reelkeep.stop();
