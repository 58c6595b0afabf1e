import {
	type Client,
	status as Code,
	credentials,
	Server,
	ServerCredentials,
	type ServerOptions,
	type ServiceDefinition,
	type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { createFakeClock } from "@reelkeep/testing";
import { afterEach, describe, expect, it } from "vitest";
import {
	gatedReceive,
	ingressOptions,
	raw,
	recordingReceive,
	storeOf,
	type TestClient,
	testClient,
} from "../test/harness.js";
import { createRecordingService, type RecordingServiceOptions } from "./recording-service.js";
import { boundRequestTime } from "./request-time.js";
import { createTokenVerifier } from "./tokens.js";
import { ReportOutcome, recordingService } from "./v1.js";

/** A user's own service. */
const ECHO = {
	Echo: {
		path: "/users.own.Echo/Echo",
		requestStream: false,
		responseStream: false,
		requestSerialize: (text: string) => Buffer.from(text),
		requestDeserialize: (bytes: Buffer) => bytes.toString(),
		responseSerialize: (text: string) => Buffer.from(text),
		responseDeserialize: (bytes: Buffer) => bytes.toString(),
	},
} satisfies ServiceDefinition;

const ECHOING: UntypedServiceImplementation = {
	Echo: (call: { request: string }, callback: (error: null, text: string) => void) =>
		callback(null, `${call.request}!`),
};

const running: (() => void)[] = [];
afterEach(() => {
	for (const end of running.splice(0)) end();
});

/** A user's server with a service of theirs, and ours beside it. */
async function mount(options: Partial<RecordingServiceOptions> = {}, serverOptions: ServerOptions = {}) {
	const server = new Server(serverOptions);
	server.addService(ECHO, ECHOING);
	const { receive } = recordingReceive();
	const recordings = createRecordingService({ ...ingressOptions(), receive, ...options });
	recordings.addTo(server);
	const port = await new Promise<number>((resolve, reject) => {
		server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
			error === null ? resolve(bound) : reject(error),
		);
	});
	const client = testClient(`127.0.0.1:${port}`, credentials.createInsecure());
	running.push(() => {
		client.close();
		server.forceShutdown();
	});
	return { server, recordings, client };
}

const shutDown = (server: Server): Promise<void> =>
	new Promise((resolve, reject) => server.tryShutdown((error) => (error ? reject(error) : resolve())));

function echo({ raw: client }: TestClient, text: string): Promise<string | undefined> {
	const { path, requestSerialize, responseDeserialize } = ECHO.Echo;
	return new Promise((resolve, reject) => {
		client.makeUnaryRequest(path, requestSerialize, responseDeserialize, text, (error, answer) =>
			error === null ? resolve(answer) : reject(error),
		);
	});
}

/** A stream of reports that sends one, and then nothing; resolves with how it ends. */
function silentStream(client: Client): { ended: Promise<number>; cancel(): void } {
	const { path, requestSerialize, responseDeserialize } = recordingService.ReportRecordings;
	let answer = (_: number): void => {};
	const ended = new Promise<number>((resolve) => {
		answer = resolve;
	});
	const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, (error) =>
		answer(error?.code ?? Code.OK),
	);
	call.write({ report: raw("{}") });
	return { ended, cancel: () => call.cancel() };
}

describe("the service on a server of the user's", () => {
	it("answers beside a service of theirs", async () => {
		const { client } = await mount();
		expect(await client.report(raw("{}"))).toMatchObject({
			outcome: ReportOutcome.REPORTED,
			stream: "recording-1",
		});
		expect(await echo(client, "hello")).toBe("hello!");
	});

	it("asks its own callers for a proof, and not those of their service", async () => {
		const { client } = await mount({
			callers: createTokenVerifier({ relay: "a-token-that-nobody-guesses" }),
		});
		await expect(client.report(raw("{}"))).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
		expect(await echo(client, "hello")).toBe("hello!");
	});

	it("throws when the server has one already, and leaves that one as it is", async () => {
		const { server, recordings, client } = await mount();
		expect(() => recordings.addTo(server)).toThrow(/already/);
		const { receive } = recordingReceive({ _tag: "Refused", message: "the second" });
		const second = createRecordingService({ ...ingressOptions(), receive });
		expect(() => second.addTo(server)).toThrow(/already/);
		expect(await client.report(raw("{}"))).toMatchObject({ outcome: ReportOutcome.REPORTED });
	});

	it("refuses limits that are none", () => {
		const { receive } = recordingReceive();
		const make = () => createRecordingService({ ...ingressOptions(), receive, limits: { maxInFlight: 0 } });
		expect(make).toThrow(RangeError);
	});
});

describe("stop()", () => {
	it("lets the server shut down though a subscription and a stream are open", async () => {
		const clock = createFakeClock();
		const recorded = recordingReceive();
		const options = { clock, receive: recorded.receive, store: await storeOf(1) };
		const { server, recordings, client } = await mount(options);
		const batches = client.subscribe({});
		await batches.next();
		const reports = silentStream(client.raw);
		await expect.poll(() => recorded.reports).toHaveLength(1);
		const ended = [
			expect(batches.next()).rejects.toMatchObject({ code: Code.UNAVAILABLE }),
			expect(reports.ended).resolves.toBe(Code.UNAVAILABLE),
		];
		const stopping = recordings.stop();
		const down = shutDown(server);
		await clock.advance(1_000);
		await Promise.all([...ended, stopping, down]);
	});

	it("resolves only once what is being stored is stored, and answered", async () => {
		const recorded = gatedReceive();
		const { server, recordings, client } = await mount({ receive: recorded.receive });
		const reporting = client.report(raw("{}"));
		await expect.poll(() => recorded.reports).toHaveLength(1);
		let stopped = false;
		const stopping = recordings.stop().then(() => {
			stopped = true;
		});
		await new Promise((resolve) => setTimeout(resolve, 50));
		expect(stopped).toBe(false);
		recorded.release();
		expect(await reporting).toMatchObject({ outcome: ReportOutcome.REPORTED });
		await Promise.all([stopping, shutDown(server)]);
	});

	it("may be asked for again, and where nothing ever came", async () => {
		const { server, recordings } = await mount();
		await Promise.all([recordings.stop(), recordings.stop()]);
		await recordings.stop();
		await shutDown(server);
	});

	it("leaves their service alone", async () => {
		const { recordings, client } = await mount();
		await recordings.stop();
		expect(await echo(client, "still here")).toBe("still here!");
	});
});

describe("subscriptions", () => {
	it("are 11 at once without a warning", async () => {
		const warnings: string[] = [];
		const keep = ({ name }: Error): unknown => warnings.push(name);
		process.on("warning", keep);
		running.push(() => process.off("warning", keep));
		const { client } = await mount({ store: await storeOf(1) });
		await Promise.all(Array.from({ length: 11 }, () => client.subscribe({}).next()));
		expect(warnings).toEqual([]);
	});
});

describe("boundRequestTime", () => {
	it("ends a stream that is silent, and leaves other calls alone", async () => {
		const limits = { requestTimeMs: 5_000, streamIdleMs: 100 };
		const { client } = await mount({ limits }, { interceptors: [boundRequestTime(limits)] });
		const { ended } = silentStream(client.raw);
		expect(await client.report(raw("{}"))).toMatchObject({ outcome: ReportOutcome.REPORTED });
		expect(await echo(client, "hello")).toBe("hello!");
		expect(await ended).toBe(Code.DEADLINE_EXCEEDED);
	});

	it("does not end a call whose answer takes longer than its request may", async () => {
		const recorded = gatedReceive();
		const interceptors = [boundRequestTime({ requestTimeMs: 50, streamIdleMs: 50 })];
		const { client } = await mount({ receive: recorded.receive }, { interceptors });
		const reporting = client.report(raw("{}"));
		await new Promise((resolve) => setTimeout(resolve, 150));
		recorded.release();
		expect(await reporting).toMatchObject({ outcome: ReportOutcome.REPORTED });
	});

	it("refuses limits that are none", () => {
		expect(() => boundRequestTime({ streamIdleMs: 0 })).toThrow(RangeError);
	});
});
