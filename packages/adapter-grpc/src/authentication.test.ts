import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { status as Code, credentials } from "@grpc/grpc-js";
import type { Report } from "@reelkeep/core/ports";
import { TEST_SECRET } from "@reelkeep/harness/transcript";
import { afterEach, describe, expect, it } from "vitest";
import { type Failure, ingressStarter, raw, recordingReceive, storeOf } from "../test/harness.js";
import { verifyAll } from "./callers.js";
import { createCertificateVerifier } from "./certificates.js";
import type { GrpcIngressOptions } from "./grpc-ingress.js";
import { createTokenVerifier } from "./tokens.js";
import { recordingService } from "./v1.js";

const servers = ingressStarter();
afterEach(() => servers.stop());

const pem = (name: string): Buffer => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
const ca = pem("ca");
const tls = { cert: pem("server"), key: pem("server-key") };
const mutual = { ...tls, clientCa: ca };

const OTHER_TOKEN = "test-secret-0123456789abcdef";
const tokens = createTokenVerifier({
	relay: [
		{ id: "2025", token: OTHER_TOKEN },
		{ id: "2026", token: TEST_SECRET },
	],
});
const bearer = (token = TEST_SECRET) => ({ authorization: `Bearer ${token}` });

/** Whose certificate a client shows; `none`: none. */
type Shown = "none" | "cn" | "dns" | "uri" | "expired" | "of-other-ca" | "two-names" | "forged";

const channelOf = (shown: Shown, trusted = ca) =>
	shown === "none"
		? credentials.createSsl(trusted)
		: credentials.createSsl(trusted, pem(`client-${shown}-key`), pem(`client-${shown}`));

async function serve(options: Partial<GrpcIngressOptions>) {
	const recorded = recordingReceive();
	const { address } = await servers.start(options, recorded);
	// By its name: TLS knows no server names that are IP addresses.
	const named = address.replace("127.0.0.1", "localhost");
	return {
		address,
		reports: recorded.reports,
		as: (shown: Shown, trusted?: Buffer) => servers.client(named, channelOf(shown, trusted)),
	};
}

const serveClients = (...names: readonly string[]) =>
	serve({ tls: mutual, callers: createCertificateVerifier(names) });

const SOON = () => ({ deadline: Date.now() + 5_000 });

/** What a report ends in: OK, or the failure's code. */
async function codeOf(reporting: Promise<unknown>): Promise<number> {
	try {
		await reporting;
		return Code.OK;
	} catch (error) {
		return (error as Failure).code;
	}
}

const proofOf = (reports: readonly Report[]) =>
	reports.map(({ appKey, metadata }) => ({
		appKey,
		recorded: metadata.appKey,
		scheme: metadata.verification?.scheme,
		secretId: metadata.verification?.secretId,
	}));

describe("TLS and a token", () => {
	it("lets in whoever has the token, and records whose it is and which", async () => {
		const { as, reports } = await serve({ tls, callers: tokens });
		const client = as("none");
		await client.report(raw("{}"), bearer());
		await client.reportMany([raw("{}"), raw("[]")], bearer(OTHER_TOKEN));
		const known = { appKey: "relay", recorded: "relay", scheme: "bearer" };
		expect(proofOf(reports)).toEqual([
			{ ...known, secretId: "2026" },
			{ ...known, secretId: "2025" },
			{ ...known, secretId: "2025" },
		]);
		expect(JSON.stringify(reports)).not.toContain("test-secret");
	});

	it("records the hash of the message, so that a capture can be told to be this one", async () => {
		const { as, reports } = await serve({ tls, callers: tokens });
		await as("none").report(raw('{"a":"云"}'), bearer());
		const message = recordingService.ReportRecording.requestSerialize(raw('{"a":"云"}'));
		expect(reports[0]?.metadata.verification?.requestSha256).toBe(
			createHash("sha256").update(message).digest("hex"),
		);
	});

	it.each<[string, Readonly<Record<string, string>>]>([
		["no token", {}],
		["a wrong token", bearer(`${TEST_SECRET}0`)],
		["another scheme", { authorization: `Basic ${TEST_SECRET}` }],
		["two tokens", { authorization: `Bearer ${TEST_SECRET}, Bearer ${TEST_SECRET}` }],
		["a token under another name", { "x-authorization": `Bearer ${TEST_SECRET}` }],
	])(
		"refuses %s, of a call, of a stream and of a subscription, and nothing is received",
		async (_what, metadata) => {
			const { as, reports } = await serve({ tls, callers: tokens, store: await storeOf(1) });
			const client = as("none");
			expect(await codeOf(client.report(raw("{}"), metadata))).toBe(Code.UNAUTHENTICATED);
			expect(await codeOf(client.reportMany([raw("{}")], metadata))).toBe(Code.UNAUTHENTICATED);
			expect(await codeOf(client.subscribe({}, metadata).next())).toBe(Code.UNAUTHENTICATED);
			expect(reports).toEqual([]);
		},
	);

	it("says why, and not what the token should be", async () => {
		const { as } = await serve({ tls, callers: tokens });
		const failure = await as("none")
			.report(raw("{}"), bearer("x".repeat(32)))
			.catch((error: unknown) => error);
		expect(failure).toMatchObject({ message: "no such token is known here", requestInfo: expect.anything() });
	});

	it("takes no certificate for a token", async () => {
		const { as, reports } = await serve({ tls, callers: tokens });
		expect(await codeOf(as("cn").report(raw("{}")))).toBe(Code.UNAUTHENTICATED);
		expect(reports).toEqual([]);
	});

	it("is not spoken to in plain text, nor by whom does not trust its certificate", async () => {
		const { address, as, reports } = await serve({ tls, callers: tokens });
		const plain = servers.client(address);
		const wary = as("none", pem("other-ca"));
		expect(await codeOf(plain.report(raw("{}"), bearer(), SOON()))).toBe(Code.UNAVAILABLE);
		expect(await codeOf(wary.report(raw("{}"), bearer(), SOON()))).toBe(Code.UNAVAILABLE);
		expect(reports).toEqual([]);
	});
});

describe("mutual TLS", () => {
	it.each([
		["common name", "cn", "relay"],
		["DNS name", "dns", "relay.example.com"],
		["URI, without a subject", "uri", "spiffe://example.com/relay"],
	] as const)("lets in whom it knows by %s, and records that", async (_what, shown, name) => {
		const { as, reports } = await serveClients("someone-else", name);
		const client = as(shown);
		await client.report(raw("{}"));
		await client.reportMany([raw("{}")]);
		const known = { appKey: name, recorded: name, scheme: "mtls", secretId: undefined };
		expect(proofOf(reports)).toEqual([known, known]);
	});

	it.each([
		["another common name", "cn", "Relay"],
		["another DNS name", "dns", "example.com"],
		["another path of a URI", "uri", "spiffe://example.com"],
		["two common names", "two-names", "relay"],
		["a name that reads like two (CVE-2021-44532)", "forged", "relay.example.com"],
	] as const)("refuses %s: its authority signs for others too", async (_what, shown, name) => {
		const { as, reports } = await serveClients(name);
		const client = as(shown);
		await expect(client.report(raw("{}"))).rejects.toMatchObject({
			code: Code.UNAUTHENTICATED,
			message: "the client certificate names nobody who may call here",
		});
		expect(await codeOf(client.reportMany([raw("{}")]))).toBe(Code.UNAUTHENTICATED);
		expect(reports).toEqual([]);
	});

	it.each(["none", "of-other-ca", "expired"] as const)(
		"does not even greet a client whose certificate is: %s",
		async (shown) => {
			const { as, reports } = await serveClients("relay", "relay.example.com");
			const client = as(shown);
			expect(await codeOf(client.report(raw("{}"), {}, SOON()))).toBe(Code.UNAVAILABLE);
			expect(reports).toEqual([]);
			expect(await codeOf(as("cn").report(raw("{}")))).toBe(Code.OK);
		},
	);

	it("takes no token for a certificate", async () => {
		const { as, reports } = await serveClients("relay");
		expect(await codeOf(as("none").report(raw("{}"), bearer(), SOON()))).toBe(Code.UNAVAILABLE);
		expect(reports).toEqual([]);
	});
});

describe("a certificate and a token", () => {
	const callers = verifyAll([createCertificateVerifier(["relay"]), tokens]);

	it("are both wanted, and the token says who calls", async () => {
		const { as, reports } = await serve({ tls: mutual, callers });
		expect(await codeOf(as("cn").report(raw("{}"), bearer()))).toBe(Code.OK);
		expect(await codeOf(as("cn").report(raw("{}")))).toBe(Code.UNAUTHENTICATED);
		expect(await codeOf(as("dns").report(raw("{}"), bearer()))).toBe(Code.UNAUTHENTICATED);
		expect(await codeOf(as("of-other-ca").report(raw("{}"), bearer(), SOON()))).toBe(Code.UNAVAILABLE);
		expect(proofOf(reports)).toEqual([
			{ appKey: "relay", recorded: "relay", scheme: "mtls+bearer", secretId: "2026" },
		]);
	});
});

describe("nobody who is asked for a proof", () => {
	it("is anonymous, and there is no receipt of how he was known", async () => {
		const { address, reports } = await serve({});
		await servers.client(address).report(raw("{}"), bearer());
		expect(reports).toMatchObject([
			{ appKey: "anonymous", metadata: { ingress: "grpc", appKey: "anonymous" } },
		]);
		expect(reports[0]?.metadata).not.toHaveProperty("verification");
	});
});
