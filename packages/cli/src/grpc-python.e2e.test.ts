// A client in Python, packages/cli/test/grpc_client.py: on grpcio, with the contract as it is published, in its own words.

import { fileURLToPath } from "node:url";
import {
	type GrpcClients,
	grpcClients,
	READER_TOKEN,
	RELAY_TOKEN,
	type RunningClient,
	STRANGE_TOKEN,
	whyNoPython,
} from "@reelkeep/harness/grpc-clients";
import type { ServeProcess } from "@reelkeep/harness/reelkeep-process";
import { sendRaw } from "@reelkeep/harness/send-raw";
import {
	type PrintedEvent,
	type TemporaryReceiver,
	temporaryReceiver,
} from "@reelkeep/harness/temporary-receiver";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const program = fileURLToPath(new URL("../test/grpc_client.py", import.meta.url));
const SERVICE = "reelkeep.v1.RecordingService";

const missing = whyNoPython();
// Where everything must be checked, what cannot be is a failure.
const isSkipped = missing !== undefined && process.env.CI === undefined;

const callback = (track_info: string, changes: object = {}) =>
	sampleCallback({
		track_info,
		download_url: `http://127.0.0.1:9/${track_info}.mp4?Signature=x`,
		...changes,
	});
const httpReport = (track: string) =>
	signedRequest({
		...{ appKey: TEST_APP_KEY, secret: TEST_SECRET, now: Date.now() },
		requestParam: JSON.stringify(callback(track)),
	});

interface WireEvent extends Pick<PrintedEvent, "id" | "type" | "stream" | "position"> {
	readonly version: string;
	readonly recordedAt: string;
	readonly dataJson: string;
	readonly metadataJson: string;
}

/** As `reelkeep events` prints it. */
function toPrinted({ version, recordedAt, dataJson, metadataJson, ...others }: WireEvent): PrintedEvent {
	return {
		...others,
		...{ version: Number(version), recordedAt: Number(recordedAt) },
		...{ data: JSON.parse(dataJson), metadata: JSON.parse(metadataJson) },
	};
}

const KILLS = 8;

describe.skipIf(isSkipped)(`grpcio on Python${isSkipped ? ` (skipped: ${missing})` : ""}`, () => {
	let clients: GrpcClients;
	let receiver: TemporaryReceiver;
	let serve: ServeProcess;
	beforeAll(async () => {
		clients = grpcClients();
		receiver = temporaryReceiver(entry);
		serve = await receiver.serve(...clients.serveFlags);
	});
	afterAll(async () => {
		await Promise.all([clients.dispose(), receiver.dispose()]);
	});
	beforeEach(() => {
		if (missing !== undefined) throw new Error(missing);
	});

	/** What the client answers to each command, in their order; it has ended well. */
	async function ask(commands: readonly object[], { grpcAddress } = serve) {
		const client = await clients.startPython(program, grpcAddress);
		for (const command of commands) client.write(`${JSON.stringify(command)}\n`);
		const { code, stdout, stderr } = await client.end();
		expect(code, stderr).toBe(0);
		return stdout
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line));
	}
	const reported = async (of = receiver) =>
		(await of.events()).filter(({ type }) => type === "RecordingReported");
	const isAbout =
		(...tracks: readonly string[]) =>
		({ data }: PrintedEvent) =>
			tracks.includes(`${data.trackInfo}`);
	const kept = (outcome: string) => ({ code: "OK", response: { outcome: `REPORT_OUTCOME_${outcome}` } });

	test("reports recordings as fields and as bytes, one by one and as a stream, each with its result", async () => {
		const reports = [
			{ callback: callback("fields") },
			{ requestParam: JSON.stringify(callback("bytes")) },
			{ requestParam: "rubbish" },
			{ callback: callback("fields") },
		];
		const answers = await ask([
			...reports.map((report) => ({ do: "report", token: RELAY_TOKEN, ...report })),
			{ do: "report-all", token: RELAY_TOKEN, reports: [{ callback: callback("streamed") }, ...reports] },
		]);
		const response = { outcome: "REPORT_OUTCOME_ALREADY_REPORTED" };
		expect(answers).toMatchObject([
			kept("REPORTED"),
			kept("REPORTED"),
			{ code: "INVALID_ARGUMENT" },
			kept("ALREADY_REPORTED"),
			{
				code: "OK",
				response: {
					results: [
						{ response: { outcome: "REPORT_OUTCOME_REPORTED" } },
						...[{ response }, { response }, { error: { code: 3 } }, { response }],
					],
				},
			},
		]);
		const events = (await reported()).filter(isAbout("fields", "bytes", "streamed"));
		expect(events.map(({ data }) => data.trackInfo)).toEqual(["fields", "bytes", "streamed"]);
		expect(events[0]).toMatchObject({
			stream: answers[0].response.stream,
			metadata: { ingress: "grpc", appKey: "relay" },
		});
	});

	test("is told which field is wrong, in the details of the status", async () => {
		const wrong = callback("wrong", { project_id: undefined });
		const answers = await ask([
			{ do: "report", token: RELAY_TOKEN, callback: wrong },
			{ do: "report", token: RELAY_TOKEN, requestParam: JSON.stringify(wrong) },
		]);
		const fieldViolations = [{ field: "project_id", description: "is missing" }];
		const refused = { code: "INVALID_ARGUMENT", details: { "google.rpc.BadRequest": { fieldViolations } } };
		expect(answers).toMatchObject([refused, refused]);
	});

	test("is refused without a token, with a strange one, and with one for something else", async () => {
		const report = { do: "report", callback: callback("refused") };
		const answers = await ask([
			report,
			{ ...report, token: STRANGE_TOKEN },
			{ ...report, token: READER_TOKEN },
			{ do: "report-all", token: READER_TOKEN, reports: [report] },
			{ do: "subscribe" },
			{ do: "subscribe", token: RELAY_TOKEN },
		]);
		expect(answers.map(({ code }) => code)).toEqual([
			...["UNAUTHENTICATED", "UNAUTHENTICATED", "PERMISSION_DENIED"],
			...["PERMISSION_DENIED", "UNAUTHENTICATED", "PERMISSION_DENIED"],
		]);
		expect((await reported()).filter(isAbout("refused"))).toEqual([]);
	});

	test("reads the server's health, its services and its contract, all without a token", async () => {
		const answers = await ask([
			{ do: "health" },
			{ do: "health", service: SERVICE },
			{ do: "health", service: "no.such.Service" },
			{ do: "reflect" },
		]);
		const serving = { code: "OK", response: { status: "SERVING" } };
		expect(answers).toMatchObject([
			serving,
			serving,
			{ code: "NOT_FOUND" },
			{ response: { services: ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", SERVICE] } },
		]);
		// Each file that reflection hands out, and whether it is the file that we publish.
		expect(answers[3].response.files).toEqual({
			"reelkeep/v1/recording_service.proto": true,
			"google/rpc/status.proto": true,
			"google/protobuf/any.proto": true,
			"google/protobuf/duration.proto": true,
		});
	});

	test("reports what HTTP has reported already, and it is one recording", async () => {
		expect((await sendRaw(serve.address, httpReport("both"))).body).toContain('"consume_state":1');
		const answers = await ask([
			{ do: "report", token: RELAY_TOKEN, callback: callback("both") },
			{ do: "report", token: RELAY_TOKEN, requestParam: JSON.stringify(callback("both")) },
		]);
		expect(answers).toMatchObject([kept("ALREADY_REPORTED"), kept("ALREADY_REPORTED")]);
		const events = (await reported()).filter(isAbout("both"));
		expect(events).toMatchObject([{ stream: answers[0].response.stream, metadata: { ingress: "http" } }]);
		const recordings = await receiver.recordings();
		expect(recordings.filter(({ trackInfo }) => trackInfo === "both")).toHaveLength(1);
	});

	test("signs reports as TOP's SDKs do, where they must be; forged and unsigned ones are refused", async () => {
		const own = temporaryReceiver(entry);
		onTestFinished(own.dispose);
		const signing = await own.serve("--grpc=127.0.0.1:0", "--grpc-verify=top");
		const signed = (track: string, scheme: string, secret = TEST_SECRET) => ({
			requestParam: JSON.stringify(callback(track)),
			sign: { appKey: TEST_APP_KEY, secret, scheme },
		});
		const forged = { ...signed("forged", "md5"), sent: JSON.stringify(callback("other")) };
		const commands = [
			...["md5", "hmac", "hmac-sha256"].map((scheme) => ({ do: "report", ...signed(scheme, scheme) })),
			{ do: "report", ...forged },
			{ do: "report", ...signed("guessed", "hmac-sha256", "another-secret") },
			{ do: "report", requestParam: JSON.stringify(callback("unsigned")) },
			{ do: "report", callback: callback("unsigned") },
			{ do: "report-all", reports: [signed("streamed", "hmac"), forged, signed("md5", "md5")] },
		];
		const refused = { code: "UNAUTHENTICATED" };
		expect(await ask(commands, signing)).toMatchObject([
			...[kept("REPORTED"), kept("REPORTED"), kept("REPORTED")],
			...[refused, refused, refused, refused],
			{
				response: {
					results: [
						{ response: { outcome: "REPORT_OUTCOME_REPORTED" } },
						{ error: { code: 16 } },
						{ response: { outcome: "REPORT_OUTCOME_ALREADY_REPORTED" } },
					],
				},
			},
		]);
		const receipts = (await reported(own)).map(({ data, metadata: { appKey, verification } }) => [
			...[data.trackInfo, appKey, verification],
		]);
		expect(receipts).toMatchObject([
			["md5", TEST_APP_KEY, { scheme: "md5" }],
			["hmac", TEST_APP_KEY, { scheme: "hmac" }],
			["hmac-sha256", TEST_APP_KEY, { scheme: "hmac-sha256" }],
			["streamed", TEST_APP_KEY, { scheme: "hmac" }],
		]);
	});

	test(`misses nothing and sees nothing twice, killed ${KILLS} times while reports go on`, async () => {
		const reporters = reportOn(await clients.startPython(program, serve.grpcAddress));
		const seen: PrintedEvent[] = [];
		const see = (line: string): void => {
			const { code, response } = JSON.parse(line);
			expect(code).toBe("OK");
			seen.push(...(response.events ?? []).map(toPrinted));
		};
		/** From the last position that was printed on, until `isEnough`; then it is killed. */
		const subscribe = async (isEnough: () => boolean): Promise<void> => {
			const last = seen.at(-1)?.position;
			const request = { maxBatchEvents: 4, ...(last === undefined ? {} : { afterPosition: last }) };
			const subscriber = await clients.startPython(program, serve.grpcAddress);
			subscriber.write(`${JSON.stringify({ do: "subscribe", token: READER_TOKEN, request })}\n`);
			while (!isEnough()) see(await subscriber.nextLine());
			const { code, stderr } = await subscriber.kill();
			expect(code, stderr).toBeNull();
			for (const line of subscriber.unreadLines()) see(line);
		};
		for (let kill = 1; kill <= KILLS; kill += 1) {
			const [before, earlier] = [seen.length, reporters.counts()];
			await subscribe(() => {
				const { http, grpc } = reporters.counts();
				return seen.length >= before + 20 + 7 * kill && http > earlier.http && grpc > earlier.grpc;
			});
		}
		await reporters.stop();
		const recorded = await receiver.events();
		const last = recorded.at(-1)?.id;
		await subscribe(() => seen.some(({ id }) => id === last));
		expect(seen.slice(0, recorded.length)).toEqual(recorded);
		const { http, grpc } = reporters.counts();
		const isOurs = ({ data }: PrintedEvent): boolean => /^(http|grpc)-/.test(`${data.trackInfo}`);
		expect((await reported()).filter(isOurs)).toHaveLength(http + grpc);
		console.log(
			`${KILLS} kills: ${http} reports over HTTP, ${grpc} over gRPC, ${recorded.length} events seen once`,
		);
	});

	/** Reports over both until `stop`: on four connections over HTTP, and on streams of eight over gRPC. */
	function reportOn(client: RunningClient) {
		let [isOver, http, grpc] = [false, 0, 0];
		let failure: unknown;
		const overHttp = async (sender: number): Promise<void> => {
			for (let serial = 0; !isOver; serial += 1) {
				const { body } = await sendRaw(serve.address, httpReport(`http-${sender}-${serial}`));
				expect(body).toContain('"consume_state":1');
				http += 1;
			}
		};
		const overGrpc = async (): Promise<void> => {
			for (; !isOver; grpc += 8) {
				const reports = Array.from({ length: 8 }, (_, at) => ({ callback: callback(`grpc-${grpc + at}`) }));
				client.write(`${JSON.stringify({ do: "report-all", token: RELAY_TOKEN, reports })}\n`);
				const { code, response } = JSON.parse(await client.nextLine());
				const result = { response: { outcome: "REPORT_OUTCOME_REPORTED" } };
				expect({ code, ...response }).toMatchObject({ code: "OK", results: reports.map(() => result) });
			}
		};
		const ended = Promise.all([overGrpc(), ...[1, 2, 3, 4].map(overHttp)]).catch((error) => {
			failure = error;
		});
		const counts = () => {
			if (failure !== undefined) throw failure;
			return { http, grpc };
		};
		return {
			counts,
			async stop() {
				isOver = true;
				await ended;
				counts();
			},
		};
	}
});
