// `buf curl`, a client on another gRPC library, with the `.proto` files and with what server reflection tells it.

import { fileURLToPath } from "node:url";
import {
	CONTRACT,
	type GrpcClients,
	grpcClients,
	READER_TOKEN,
	RELAY_TOKEN,
	STRANGE_TOKEN,
} from "@reelkeep/harness/grpc-clients";
import type { ServeProcess } from "@reelkeep/harness/reelkeep-process";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { sampleCallback } from "@reelkeep/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const SERVICE = "reelkeep.v1.RecordingService";
const REPORT = `${SERVICE}/ReportRecording`;
const FLAGS = ["--protocol", "grpc", "--http2-prior-knowledge"];

const callback = (track_info: string, changes: object = {}) =>
	sampleCallback({
		track_info,
		download_url: `http://127.0.0.1:9/${track_info}.mp4?Signature=x`,
		...changes,
	});
const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64");

/** buf writes each message over several lines; only its last one is a brace at the margin. */
const documentsOf = (text: string) =>
	text
		.split(/(?<=^\})\n/m)
		.filter((document) => document.trim() !== "")
		.map((document) => JSON.parse(document));

describe.each([
	["the contract's files", ["--schema", CONTRACT]],
	["server reflection", []],
])("buf curl with %s", (_, schema) => {
	let receiver: TemporaryReceiver;
	let clients: GrpcClients;
	let serve: ServeProcess;
	beforeAll(async () => {
		receiver = temporaryReceiver(entry);
		clients = grpcClients();
		serve = await receiver.serve(...clients.serveFlags);
	});
	afterAll(async () => {
		await Promise.all([clients.dispose(), receiver.dispose()]);
	});

	const commandOf = (method: string, token: string | undefined, ...data: readonly string[]) => [
		...["curl", ...FLAGS, ...schema, ...data],
		...(token === undefined ? [] : ["-H", `authorization: Bearer ${token}`]),
		`http://${serve.grpcAddress}/${method}`,
	];
	/** The messages that came back, and the error. The exit code of buf is eight times the status code. */
	async function call(method: string, token: string | undefined, ...requests: readonly object[]) {
		const input = requests.map((request) => JSON.stringify(request)).join("");
		const { code, stdout, stderr } = await clients.runBuf(commandOf(method, token, "-d", "@-"), input);
		return { status: (code ?? -1) / 8, responses: documentsOf(stdout), error: stderr && JSON.parse(stderr) };
	}
	const eventsOf = async (track: string) =>
		(await receiver.events()).filter(({ data }) => data.trackInfo === track);

	test("reports a recording as fields, and `reelkeep events` shows it", async () => {
		const { status, responses } = await call(REPORT, RELAY_TOKEN, { callback: callback("fields") });
		const [event, ...others] = await eventsOf("fields");
		expect({ status, responses }).toEqual({
			status: 0,
			responses: [{ outcome: "REPORT_OUTCOME_REPORTED", stream: event?.stream }],
		});
		expect(event).toMatchObject({
			type: "RecordingReported",
			metadata: { ingress: "grpc", appKey: "relay" },
		});
		expect(others).toEqual([]);
	});

	test("reports a recording as the bytes of request_param", async () => {
		const request = { request_param: base64(callback("bytes")) };
		expect(await call(REPORT, RELAY_TOKEN, request)).toMatchObject({
			responses: [{ outcome: "REPORT_OUTCOME_REPORTED" }],
		});
		expect(await call(REPORT, RELAY_TOKEN, { callback: callback("bytes") })).toMatchObject({
			responses: [{ outcome: "REPORT_OUTCOME_ALREADY_REPORTED" }],
		});
		expect(await eventsOf("bytes")).toHaveLength(1);
	});

	test("is told which field is wrong", async () => {
		const { status, error } = await call(REPORT, RELAY_TOKEN, {
			callback: callback("wrong", { project_id: undefined }),
		});
		expect({ status, error }).toMatchObject({ status: 3, error: { code: "invalid_argument" } });
		const type = "google.rpc.BadRequest";
		const badRequest = error.details.find((detail: { readonly type: string }) => detail.type === type);
		const { stdout } = await clients.runBuf(
			["convert", CONTRACT, "--type", type, "--from", "-#format=binpb", "--to", "-#format=json"],
			Buffer.from(badRequest.value, "base64"),
		);
		expect(JSON.parse(stdout)).toEqual({
			fieldViolations: [{ field: "project_id", description: "is missing" }],
		});
	});

	test("is refused without a token, with a strange one, and with a subscriber's", async () => {
		const request = { callback: callback("refused") };
		const answers = [undefined, STRANGE_TOKEN, READER_TOKEN].map((token) => call(REPORT, token, request));
		expect(await Promise.all(answers)).toMatchObject([
			{ status: 16, responses: [], error: { code: "unauthenticated", message: "a bearer token is missing" } },
			{ status: 16, responses: [], error: { code: "unauthenticated" } },
			{ status: 7, responses: [], error: { code: "permission_denied" } },
		]);
		expect(await eventsOf("refused")).toEqual([]);
	});

	test("reads that the server and its service serve, without a token", async () => {
		const answers = ["", SERVICE].map((service) =>
			call("grpc.health.v1.Health/Check", undefined, { service }),
		);
		const serving = { status: 0, responses: [{ status: "SERVING" }] };
		expect(await Promise.all(answers)).toMatchObject([serving, serving]);
	});

	test("streams reports, and has a result for each in their order", async () => {
		const requests = [
			{ report: { callback: callback("stream-1") } },
			{ report: { request_param: base64(callback("stream-2")) } },
			{ report: { request_param: Buffer.from("rubbish").toString("base64") } },
			{ report: { callback: callback("stream-3") } },
		];
		const answer = await call(`${SERVICE}/ReportRecordings`, RELAY_TOKEN, ...requests);
		const reported = { response: { outcome: "REPORT_OUTCOME_REPORTED" } };
		expect(answer).toMatchObject({
			status: 0,
			responses: [{ results: [reported, reported, { error: { code: 3 } }, reported] }],
		});
		const reportedStreams = (await receiver.events())
			.filter(({ type, data }) => type === "RecordingReported" && /^stream-\d$/.test(`${data.trackInfo}`))
			.sort((one, other) => `${one.data.trackInfo}`.localeCompare(`${other.data.trackInfo}`))
			.map(({ stream }) => stream);
		const results: readonly { readonly response?: { readonly stream: string } }[] =
			answer.responses[0].results;
		expect(results.flatMap(({ response }) => response?.stream ?? [])).toEqual(reportedStreams);
	});

	// With the files at hand buf does not ask the server.
	if (schema.length === 0) {
		test("lists the services", async () => {
			const command = ["curl", ...FLAGS, "--list-services", `http://${serve.grpcAddress}`];
			const { stdout } = await clients.runBuf(command);
			expect(stdout.trim().split("\n").sort()).toEqual([
				"grpc.health.v1.Health",
				"grpc.reflection.v1.ServerReflection",
				SERVICE,
			]);
		});
	}

	test("follows the event log, links masked, until the server stops and says so", async () => {
		expect(await call(`${SERVICE}/SubscribeEvents`, RELAY_TOKEN, {})).toMatchObject({ status: 7 });
		const request = JSON.stringify({ max_batch_events: 2 });
		const command = commandOf(`${SERVICE}/SubscribeEvents`, READER_TOKEN, "-d", request);
		const subscriber = clients.startBuf(command);
		const report = { callback: callback("followed") };
		expect(await call(REPORT, RELAY_TOKEN, report)).toMatchObject({ status: 0 });
		let line = "";
		while (!line.includes("followed.mp4")) line = await subscriber.nextLine();
		expect(line).toContain("followed.mp4?***");
		expect(await serve.stop()).toBe(0);
		const { code, stdout, stderr } = await subscriber.end();
		expect({ status: (code ?? -1) / 8, ...JSON.parse(stderr) }).toMatchObject({
			status: 14,
			code: "unavailable",
			message: "the server is stopping",
		});
		const followed = documentsOf(stdout).flatMap(({ events = [] }) => events);
		const recorded = await receiver.events();
		expect(followed.map(({ id, position }) => ({ id, position }))).toEqual(
			recorded.slice(0, followed.length).map(({ id, position }) => ({ id, position })),
		);
	});
});
