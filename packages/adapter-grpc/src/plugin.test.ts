import { readFileSync } from "node:fs";
import { type Client, status as Code, credentials } from "@grpc/grpc-js";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep, type Reelkeep } from "@reelkeep/core/container";
import { type Get, type Plugin, type Token, tokenName, VERIFIER, type Verifier } from "@reelkeep/core/ports";
import { TEST_SECRET, transcribe, transcribingLogger } from "@reelkeep/harness/transcript";
import { sampleCallback } from "@reelkeep/testing";
import { afterEach, describe, expect, it } from "vitest";
import { raw, type TestClient, testClient } from "../test/harness.js";
import { defineMethod } from "./define-method.js";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "./gen/grpc/health/v1/health_pb.js";
import { type GrpcIngressPluginOptions, grpcIngress } from "./plugin.js";
import { ReportOutcome } from "./v1.js";

const pem = (name: string): Buffer => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
const tls = { cert: pem("server"), key: pem("server-key") };
const mutual = { ...tls, clientCa: pem("ca") };
const TOKENS = { relay: TEST_SECRET };
const AUTHORIZED = { authorization: `Bearer ${TEST_SECRET}` };
const CALLBACK = JSON.stringify(sampleCallback());

/** Says yes to those who know a word. */
const verifierOf = (word: string): Verifier => ({
	verify: async ({ headers }) =>
		headers.get("x-word") === word
			? { _tag: "Authentic", appKey: word, receipt: { scheme: "word" } }
			: { _tag: "NotAuthentic", reason: "wrong-credentials", message: "that is not the word" },
});

const started: { readonly reelkeeps: Reelkeep[]; readonly clients: TestClient[] } = {
	reelkeeps: [],
	clients: [],
};
afterEach(async () => {
	for (const client of started.clients.splice(0)) client.close();
	await Promise.all(started.reelkeeps.splice(0).map((reelkeep) => reelkeep.stop()));
});

async function start(...plugins: readonly Plugin[]): Promise<Reelkeep> {
	const reelkeep = createReelkeep({ plugins: [memoryStorage(), ...plugins], logger: transcribingLogger() });
	started.reelkeeps.push(reelkeep);
	await reelkeep.start();
	return reelkeep;
}

function clientOf(plugin: ReturnType<typeof grpcIngress>): TestClient {
	const client = testClient(plugin.address() ?? "nowhere");
	started.clients.push(client);
	return client;
}

async function typesIn({ store }: Reelkeep): Promise<readonly string[]> {
	const types: string[] = [];
	for await (const { type } of store.readAll()) types.push(type);
	return types;
}

function messageOf(options: GrpcIngressPluginOptions): string {
	try {
		grpcIngress(options);
	} catch (error) {
		transcribe("error", String(error));
		return String(error);
	}
	return "nothing was thrown";
}

describe("grpcIngress, at construction", () => {
	it.each<[string, GrpcIngressPluginOptions, RegExp]>([
		["every address, and nobody proves anything", { host: "0.0.0.0" }, /0\.0\.0\.0 can be reached/],
		["every IPv6 address", { host: "::" }, /:: can be reached/],
		["the empty host, which Node takes for every address", { host: "" }, /can be reached/],
		["an address of this network", { host: "192.168.1.2" }, /192\.168\.1\.2 can be reached/],
		["a name", { host: "relay.example.com" }, /relay\.example\.com can be reached/],
		["a name that looks like loopback", { host: "127.0.0.1.example.com" }, /can be reached/],
		["an address that looks like loopback", { host: "1127.0.0.1" }, /can be reached/],
		["TLS alone, which proves nobody", { host: "0.0.0.0", tls }, /can be reached/],
		["clients without TLS", { clients: ["relay"] }, /give tls\.clientCa/],
		["clients without an authority of theirs", { clients: ["relay"], tls }, /give tls\.clientCa/],
		["an authority without clients", { tls: mutual }, /give clients/],
		["an authority without clients, beside tokens", { tls: mutual, tokens: TOKENS }, /give clients/],
		["no client at all", { clients: [], tls: mutual }, /no client certificate is allowed/],
		["a blank client", { clients: [" "], tls: mutual }, /is blank/],
		["subscribers whom nobody can tell", { subscribers: ["auditor"] }, /nobody is asked for one/],
		[
			"subscribers where only reports are proved",
			{ subscribers: ["auditor"], verifier: verifierOf("x") },
			/nobody is asked for one/,
		],
		["no token", { tokens: {} }, /no caller has a token/],
		["a weak token", { tokens: { relay: "test-secret" } }, /relay has fewer than 24 characters/],
		["a token with a line end", { tokens: { relay: `${TEST_SECRET}\n` } }, /line end/],
		["a shared token", { tokens: { a: TEST_SECRET, b: TEST_SECRET } }, /same token/],
		[
			"a key of another certificate",
			{ tls: { ...tls, key: pem("client-cn-key") } },
			/cannot be used for TLS: ERR_/,
		],
		["what is no certificate", { tls: { ...tls, cert: Buffer.from("x") } }, /cannot be used for TLS: ERR_/],
	])("refuses %s with a TypeError, and quotes no secret", (_what, options, reason) => {
		const message = messageOf(options);
		expect(message).toMatch(/^TypeError: /);
		expect(message).toMatch(reason);
		expect(message).not.toMatch(/test-secret|PRIVATE KEY/);
	});

	it.each([
		["an empty file", Buffer.alloc(0)],
		["a text", Buffer.from("ca.pem")],
		["a key", pem("server-key")],
	])("refuses %s for the client authority", (_what, clientCa) => {
		expect(messageOf({ tls: { ...tls, clientCa }, clients: ["relay"] })).toMatch(/^TypeError: /);
	});

	it("refuses a subscriber whom no token and no certificate names", () => {
		expect(messageOf({ tokens: TOKENS, subscribers: ["auditor"] })).toMatch(/^TypeError: .*auditor/);
	});

	it.each<[string, GrpcIngressPluginOptions, RegExp]>([
		["limits", { limits: { maxInFlight: 0 } }, /limits\.maxInFlight/],
		["connections", { maxConnections: 0 }, /maxConnections/],
	])("refuses %s that are none", (_what, options, reason) => {
		expect(messageOf(options)).toMatch(reason);
	});

	it.each<[string, GrpcIngressPluginOptions]>([
		["loopback, whoever calls", {}],
		["localhost", { host: "localhost" }],
		["another loopback address", { host: "127.1.2.3" }],
		["IPv6 loopback", { host: "::1" }],
		["every address, with tokens", { host: "0.0.0.0", tokens: TOKENS }],
		["every address, with certificates", { host: "0.0.0.0", tls: mutual, clients: ["relay"] }],
		["every address, with a verifier of yours", { host: "0.0.0.0", callers: verifierOf("x") }],
		["every address, where reports are proved", { host: "0.0.0.0", verifier: VERIFIER }],
	])("takes %s", (_what, options) => {
		expect(grpcIngress(options).name).toBe("grpc");
	});
});

describe("grpcIngress in a Reelkeep", () => {
	it("stores what is reported, and tells its address while it listens", async () => {
		const grpc = grpcIngress();
		expect(grpc.address()).toBeUndefined();
		const reelkeep = await start(grpc);
		expect(grpc.address()).toMatch(/^127\.0\.0\.1:[1-9][0-9]*$/);
		const client = clientOf(grpc);
		expect(await client.report(raw(CALLBACK))).toMatchObject({ outcome: ReportOutcome.REPORTED });
		expect(await client.report(raw(CALLBACK))).toMatchObject({ outcome: ReportOutcome.ALREADY_REPORTED });
		const [{ events } = { events: [] }] = [(await client.subscribe({}).next()).value];
		expect(events.map(({ type }: { type: string }) => type)).toEqual(["RecordingReported"]);
		await reelkeep.stop();
		expect(grpc.address()).toBeUndefined();
	});

	it("asks for exactly what it says that it needs", async () => {
		const { store } = await start();
		const asked: string[] = [];
		const get: Get = <T>(token: Token<T>): T => {
			asked.push(tokenName(token));
			return { store, now: () => 0, info: () => {}, warn: () => {}, check: async () => [] } as T;
		};
		for (const grpc of [grpcIngress(), grpcIngress({ verifier: VERIFIER })]) {
			await grpc.start?.(get);
			await grpc.stop?.();
			expect([...new Set(asked.splice(0))].sort()).toEqual(grpc.needs.map(tokenName).sort());
			expect(grpc.provides).toEqual([]);
		}
	});

	it("asks for its tokens, its certificates and a proof of yours, all of them", async () => {
		const grpc = grpcIngress({
			tls: mutual,
			clients: ["relay"],
			tokens: TOKENS,
			callers: verifierOf("please"),
		});
		await start(grpc);
		const address = (grpc.address() ?? "").replace("127.0.0.1", "localhost");
		const channel = credentials.createSsl(pem("ca"), pem("client-cn-key"), pem("client-cn"));
		const client = testClient(address, channel);
		started.clients.push(client);
		await expect(client.report(raw(CALLBACK), AUTHORIZED)).rejects.toMatchObject({
			message: "that is not the word",
		});
		await expect(client.report(raw(CALLBACK), { "x-word": "please" })).rejects.toMatchObject({
			message: "a bearer token is missing",
		});
		const all = { ...AUTHORIZED, "x-word": "please" };
		expect(await client.report(raw(CALLBACK), all)).toMatchObject({ outcome: ReportOutcome.REPORTED });
	});

	it("takes the verifier that another plugin provides", async () => {
		const provider: Plugin = {
			name: "words",
			provides: [VERIFIER],
			needs: [],
			register: (registry) => registry.provide(VERIFIER, () => verifierOf("please")),
		};
		const grpc = grpcIngress({ verifier: VERIFIER });
		await start(grpc, provider);
		const client = clientOf(grpc);
		await expect(client.report(raw(CALLBACK))).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
		expect(await client.report(raw(CALLBACK), { "x-word": "please" })).toMatchObject({
			outcome: ReportOutcome.REPORTED,
		});
	});

	it("cannot be composed when it needs a verifier that nobody provides", () => {
		const plugins = [memoryStorage(), grpcIngress({ verifier: VERIFIER })];
		expect(() => createReelkeep({ plugins })).toThrow(/nothing provides Verifier, which grpc needs/);
	});

	it("stands twice in one composition, by another name, and both write into one log", async () => {
		const open = grpcIngress();
		const known = grpcIngress({ name: "grpc-known", tokens: TOKENS });
		const reelkeep = await start(open, known);
		expect(open.address()).not.toBe(known.address());
		await expect(clientOf(known).report(raw(CALLBACK))).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
		await clientOf(known).report(raw(CALLBACK), AUTHORIZED);
		const again = await clientOf(open).report(raw(CALLBACK));
		expect(again).toMatchObject({ outcome: ReportOutcome.ALREADY_REPORTED });
		expect(await typesIn(reelkeep)).toEqual(["RecordingReported"]);
		const plugins = [memoryStorage(), grpcIngress(), grpcIngress()];
		expect(() => createReelkeep({ plugins })).toThrow(/two plugins are named grpc/);
	});

	it("keeps to its own Reelkeep where two are in one process", async () => {
		const ingresses = [grpcIngress(), grpcIngress()] as const;
		const first = await start(ingresses[0]);
		const second = await start(ingresses[1]);
		await clientOf(ingresses[0]).report(raw(CALLBACK));
		expect([await typesIn(first), await typesIn(second)]).toEqual([["RecordingReported"], []]);
		await first.stop();
		await clientOf(ingresses[1]).report(raw(CALLBACK));
		expect(await typesIn(second)).toEqual(["RecordingReported"]);
	});

	it("tells over the health service what is wrong with the composition", async () => {
		const problems = [{ source: "own", message: "is broken" }];
		const broken: Plugin = { name: "own", provides: [], needs: [], check: async () => problems };
		const grpc = grpcIngress();
		await start(grpc, broken);
		const { path, requestSerialize, responseDeserialize } = defineMethod(Health.method.check);
		const client: Client = clientOf(grpc).raw;
		const status = await new Promise((resolve, reject) => {
			client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, response) =>
				error === null ? resolve(response?.status) : reject(error),
			);
		});
		expect(status).toBe(Serving.NOT_SERVING);
	});

	it("does not start where its address is taken, and the whole start is rolled back", async () => {
		const grpc = grpcIngress();
		await start(grpc);
		const port = Number(grpc.address()?.split(":")[1]);
		const second = grpcIngress({ port });
		await expect(start(second)).rejects.toMatchObject({ code: "EADDRINUSE" });
		expect(second.address()).toBeUndefined();
	});

	it("may be stopped when it never started", async () => {
		await expect(grpcIngress().stop?.()).resolves.toBeUndefined();
	});
});
