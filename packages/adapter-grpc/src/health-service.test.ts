import {
	Client,
	status as Code,
	credentials,
	Server,
	ServerCredentials,
	type ServiceError,
} from "@grpc/grpc-js";
import type { Problem } from "@reelkeep/core/ports";
import { createFakeClock } from "@reelkeep/testing";
import { afterEach, describe, expect, it } from "vitest";
import { defineMethod } from "./define-method.js";
import {
	Health as Service,
	HealthCheckResponse_ServingStatus as Serving,
} from "./gen/grpc/health/v1/health_pb.js";
import { createHealthService } from "./health-service.js";
import { RecordingService } from "./v1.js";

const METHODS = {
	Check: defineMethod(Service.method.check),
	List: defineMethod(Service.method.list),
	Watch: defineMethod(Service.method.watch),
};
const RECORDINGS = RecordingService.typeName;
const DEGRADED: Problem = { source: "disk", message: "is filling up", severity: "degraded" };
const FAILING: Problem = { source: "store", message: "is closed" };
const WATCH_INTERVAL_MS = 2_000;

const running: (() => void)[] = [];
afterEach(() => {
	for (const end of running.splice(0)) end();
});

/** A server with nothing but health, on a clock that stands still, and a client of it. */
async function serve(check: () => Promise<readonly Problem[]> = async () => []) {
	const clock = createFakeClock();
	let asked = 0;
	const health = {
		check: () => {
			asked += 1;
			return check();
		},
	};
	const service = createHealthService({ health, clock });
	const server = new Server();
	service.addTo(server);
	const port = await new Promise<number>((resolve, reject) => {
		server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
			error === null ? resolve(bound) : reject(error),
		);
	});
	const connect = () => {
		// A connection of its own.
		const options = { "grpc.use_local_subchannel_pool": 1 };
		const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
		running.push(() => client.close());
		return clientOf(client);
	};
	running.push(() => server.forceShutdown());
	/** Four on each connection. */
	const watchMany = (count: number) => {
		const clients = Array.from({ length: Math.ceil(count / 4) }, connect);
		return Array.from({ length: count }, (_, index) => (clients[index >> 2] ?? connect()).watch());
	};
	return { clock, service, server, asked: () => asked, watchMany, ...connect() };
}

function clientOf(client: Client) {
	const ask = <Answer>(
		method: { readonly path: string; readonly requestSerialize: (value: object) => Buffer },
		request: object,
		read: (bytes: Buffer) => Answer,
	): Promise<Answer> =>
		new Promise((resolve, reject) => {
			client.makeUnaryRequest(method.path, method.requestSerialize, read, request, (error, answer) =>
				error === null ? resolve(answer as Answer) : reject(error),
			);
		});
	return {
		check: async (service = "") =>
			(await ask(METHODS.Check, { service }, METHODS.Check.responseDeserialize)).status as Serving,
		async list() {
			const { statuses } = await ask(METHODS.List, {}, METHODS.List.responseDeserialize);
			return Object.fromEntries(Object.entries(statuses ?? {}).map(([name, { status }]) => [name, status]));
		},
		/** What was told so far, and how it ended. */
		watch(service = "") {
			const told: Serving[] = [];
			const { path, requestSerialize, responseDeserialize } = METHODS.Watch;
			const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service });
			call.on("data", ({ status }: { status: Serving }) => told.push(status));
			const ended = new Promise<number>((resolve) => {
				call.on("end", () => resolve(Code.OK));
				call.on("error", ({ code }: ServiceError) => resolve(code));
			});
			return { told, ended, cancel: () => call.cancel() };
		},
	};
}

describe("Check", () => {
	it.each<[string, () => Promise<readonly Problem[]>, Serving]>([
		["nothing is wrong", async () => [], Serving.SERVING],
		["something is degraded", async () => [DEGRADED], Serving.SERVING],
		["something fails", async () => [DEGRADED, FAILING], Serving.NOT_SERVING],
		["the check rejects", () => Promise.reject(new Error("broken")), Serving.NOT_SERVING],
		[
			"the check throws",
			() => {
				throw new Error("broken");
			},
			Serving.NOT_SERVING,
		],
	])("says where %s, of the server and of its service", async (_what, check, status) => {
		const health = await serve(check);
		expect(await health.check()).toBe(status);
		expect(await health.check(RECORDINGS)).toBe(status);
	});

	it("says within 5 s that nothing is served where the check hangs", async () => {
		const health = await serve(() => new Promise(() => {}));
		const checking = health.check();
		await expect.poll(() => health.clock.sleepers).toBe(1);
		await health.clock.advance(5_000);
		expect(await checking).toBe(Serving.NOT_SERVING);
	});

	it.each(["reelkeep.v1", `${RECORDINGS} `, "reelkeep.v1.recordingservice", "__proto__"])(
		"does not know %j",
		async (name) => {
			const health = await serve();
			await expect(health.check(name)).rejects.toMatchObject({ code: Code.NOT_FOUND });
			expect(health.asked()).toBe(0);
		},
	);

	it("asks once a second at most, however often it is asked", async () => {
		let problems: readonly Problem[] = [];
		const health = await serve(async () => problems);
		const answers = await Promise.all(Array.from({ length: 1_000 }, () => health.check()));
		expect(new Set(answers)).toEqual(new Set([Serving.SERVING]));
		expect(health.asked()).toBe(1);
		problems = [FAILING];
		await health.clock.advance(999);
		expect(await health.check()).toBe(Serving.SERVING);
		await health.clock.advance(1);
		expect(await health.check()).toBe(Serving.NOT_SERVING);
		expect(health.asked()).toBe(2);
	});

	it("says that nothing is served once the service stops, without asking", async () => {
		const health = await serve();
		health.service.stop();
		expect(await health.check()).toBe(Serving.NOT_SERVING);
		expect(await health.check(RECORDINGS)).toBe(Serving.NOT_SERVING);
		expect(health.asked()).toBe(0);
	});
});

describe("List", () => {
	it("says of the server and of its service how they are", async () => {
		let problems: readonly Problem[] = [];
		const health = await serve(async () => problems);
		expect(await health.list()).toEqual({ "": Serving.SERVING, [RECORDINGS]: Serving.SERVING });
		problems = [FAILING];
		await health.clock.advance(1_000);
		expect(await health.list()).toEqual({ "": Serving.NOT_SERVING, [RECORDINGS]: Serving.NOT_SERVING });
	});
});

describe("Watch", () => {
	it("tells how things are, then each change, and nothing between", async () => {
		let problems: readonly Problem[] = [];
		const health = await serve(async () => problems);
		const { told, cancel, ended } = health.watch(RECORDINGS);
		await expect.poll(() => told).toEqual([Serving.SERVING]);
		await health.clock.advance(3 * WATCH_INTERVAL_MS);
		problems = [DEGRADED];
		await health.clock.advance(WATCH_INTERVAL_MS);
		problems = [FAILING];
		await health.clock.advance(2 * WATCH_INTERVAL_MS);
		problems = [];
		await health.clock.advance(WATCH_INTERVAL_MS);
		await expect.poll(() => told).toEqual([Serving.SERVING, Serving.NOT_SERVING, Serving.SERVING]);
		cancel();
		expect(await ended).toBe(Code.CANCELLED);
		await expect.poll(() => health.clock.sleepers).toBe(0);
	});

	it("tells of a service that there is none, and stays, as the protocol wants it", async () => {
		const health = await serve();
		const { told, ended } = health.watch("unknown");
		await expect.poll(() => told).toEqual([Serving.SERVICE_UNKNOWN]);
		await health.clock.advance(3 * WATCH_INTERVAL_MS);
		expect(health.asked()).toBe(0);
		health.service.stop();
		expect(await ended).toBe(Code.OK);
		expect(told).toEqual([Serving.SERVICE_UNKNOWN]);
	});

	it("tells that nothing is served once the service stops, and ends", async () => {
		const health = await serve();
		const { told, ended } = health.watch();
		await expect.poll(() => told).toEqual([Serving.SERVING]);
		health.service.stop();
		expect(await ended).toBe(Code.OK);
		expect(told).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
		const late = health.watch();
		expect(await late.ended).toBe(Code.OK);
		expect(late.told).toEqual([Serving.NOT_SERVING]);
	});

	it("does not end with SERVING where a check is under way at the stop", async () => {
		let answer = (_: readonly Problem[]): void => {};
		const health = await serve(
			() =>
				new Promise((resolve) => {
					answer = resolve;
				}),
		);
		const { told, ended } = health.watch();
		await expect.poll(() => health.asked()).toBe(1);
		health.service.stop();
		answer([]);
		await ended;
		expect(told.at(-1)).toBe(Serving.NOT_SERVING);
	});

	it("has 4 at once of one connection, turns one more away, and has a place again when one leaves", async () => {
		const health = await serve();
		const watchers = Array.from({ length: 4 }, () => health.watch());
		await expect.poll(() => watchers.every(({ told }) => told.length === 1)).toBe(true);
		expect(await health.watch().ended).toBe(Code.RESOURCE_EXHAUSTED);
		expect(await health.watch("unknown").ended).toBe(Code.RESOURCE_EXHAUSTED);
		expect(health.asked()).toBe(1);
		watchers[0]?.cancel();
		await expect.poll(() => health.clock.sleepers).toBe(3);
		const next = health.watch();
		await expect.poll(() => next.told).toEqual([Serving.SERVING]);
	});

	it("has 11 at once without a warning", async () => {
		const warnings: string[] = [];
		const keep = ({ name }: Error): unknown => warnings.push(name);
		process.on("warning", keep);
		running.push(() => process.off("warning", keep));
		const health = await serve();
		const watchers = health.watchMany(11);
		await expect.poll(() => watchers.every(({ told }) => told.length === 1)).toBe(true);
		expect(warnings).toEqual([]);
	});

	it("costs one check for all who watch", async () => {
		const health = await serve();
		const watchers = health.watchMany(20);
		await expect.poll(() => watchers.every(({ told }) => told.length === 1)).toBe(true);
		await health.clock.advance(WATCH_INTERVAL_MS);
		expect(health.asked()).toBe(2);
	});
});

describe("addTo", () => {
	it("throws where the server has a health service already", async () => {
		const { service, server } = await serve();
		expect(() => service.addTo(server)).toThrow(Error);
	});
});
