// The same callback through both ingresses of one composition is one recording (promise 2).

import { Client, credentials } from "@grpc/grpc-js";
import { grpcIngress } from "@reelkeep/adapter-grpc";
import { ReportOutcome, type ReportRecordingResponse, recordingService } from "@reelkeep/adapter-grpc/v1";
import { httpIngress } from "@reelkeep/adapter-http";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep, type Reelkeep } from "@reelkeep/core/container";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { TEST_APP_KEY, TEST_SECRET, transcribingLogger } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

type Callback = ReturnType<typeof sampleCallback>;

const http = () => httpIngress({ apps: { [TEST_APP_KEY]: TEST_SECRET } });
let ingresses: { readonly http: ReturnType<typeof http>; readonly grpc: ReturnType<typeof grpcIngress> };
let reelkeep: Reelkeep;
let client: Client;
beforeEach(async () => {
	ingresses = { http: http(), grpc: grpcIngress() };
	const plugins = [memoryStorage(), ingresses.http, ingresses.grpc];
	reelkeep = createReelkeep({ plugins, logger: transcribingLogger() });
	await reelkeep.start();
	client = new Client(ingresses.grpc.address() ?? "", credentials.createInsecure());
});
afterEach(async () => {
	client.close();
	await reelkeep.stop();
});

async function overHttp(callback: Callback): Promise<boolean> {
	const requestParam = JSON.stringify(callback);
	const request = { appKey: TEST_APP_KEY, secret: TEST_SECRET, now: Date.now(), requestParam };
	const { body } = await sendRaw(ingresses.http.address() ?? "", signedRequest(request));
	return body.includes('"consume_state":1');
}

/** As the fields of the contract, whose JSON names are the callback's own. */
function overGrpc(callback: Callback): Promise<ReportRecordingResponse> {
	const { path, requestSerialize, responseDeserialize } = recordingService.ReportRecording;
	const value = {
		gameId: String(callback.game_id),
		trackInfo: String(callback.track_info),
		accountDomain: BigInt(callback.account_domain as number),
		downloadUrl: String(callback.download_url),
		version: BigInt(callback.version as number),
		accountId: String(callback.account_id),
		expireTime: BigInt(callback.expire_time as number),
		action: String(callback.action),
		projectId: String(callback.project_id),
	};
	const request = { report: { case: "callback" as const, value } };
	return new Promise((resolve, reject) => {
		client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) =>
			response === undefined ? reject(error) : resolve(response),
		);
	});
}

async function reported(): Promise<readonly string[]> {
	const streams: string[] = [];
	for await (const { type, stream, metadata } of reelkeep.store.readAll()) {
		streams.push(`${type} ${stream} ${metadata.ingress}`);
	}
	return streams;
}

describe("a callback", () => {
	it("that was reported over HTTP is known over gRPC", async () => {
		const callback = sampleCallback({ track_info: "云游戏-1 🎮", account_domain: 7 });
		expect(await overHttp(callback)).toBe(true);
		const { outcome, stream } = await overGrpc(callback);
		expect(outcome).toBe(ReportOutcome.ALREADY_REPORTED);
		expect(await reported()).toEqual([`RecordingReported ${stream} http`]);
	});

	it("that was reported over gRPC is known over HTTP", async () => {
		const callback = sampleCallback({ track_info: " untrimmed\u00a0é e\u0301 " });
		const { outcome, stream } = await overGrpc(callback);
		expect(outcome).toBe(ReportOutcome.REPORTED);
		expect(await overHttp(callback)).toBe(true);
		expect(await reported()).toEqual([`RecordingReported ${stream} grpc`]);
	});

	it("is one recording when both report it at once, ten times each", async () => {
		const callback = sampleCallback();
		const both = Array.from({ length: 10 }, () => [overHttp(callback), overGrpc(callback)]).flat();
		const answers = await Promise.all(both);
		expect(answers.every((answer) => answer === true || typeof answer === "object")).toBe(true);
		expect(await reported()).toHaveLength(1);
	});

	it("that contradicts the other ingress is on record, as within one", async () => {
		expect(await overHttp(sampleCallback())).toBe(true);
		expect((await overGrpc(sampleCallback({ game_id: "another" }))).outcome).toBe(ReportOutcome.CONTRADICTED);
	});
});
