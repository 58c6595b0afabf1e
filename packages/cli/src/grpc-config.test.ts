import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UsageError } from "./flags.js";
import { type GrpcFlags, readGrpcConfig } from "./grpc-config.js";
import { type ServeFlags, serveConfig } from "./serve-config.js";

const folder = mkdtempSync(join(tmpdir(), "reelkeep-grpc-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string, mode = 0o600): string {
	const path = join(folder, name);
	writeFileSync(path, text, { mode });
	return path;
}

const RELAY = "relay-token-0123456789abcdef";
const BILLING = "billing-token-0123456789abcdef";
const tokenFile = file("tokens", `# callers\nrelay=${RELAY}\nbilling:2026=${BILLING}\n`);
const pem = file("any.pem", "PEM");

const flags = (more: Partial<GrpcFlags> = {}): GrpcFlags => ({ grpc: "127.0.0.1:50051", ...more });
const serveFlags = (more: Partial<ServeFlags> = {}): ServeFlags => ({
	data: folder,
	http: "off",
	grpc: "127.0.0.1:50051",
	failureAnswer: "isp",
	verify: "top",
	clockTolerance: "10m",
	...more,
});

describe("readGrpcConfig", () => {
	it("is nothing when gRPC is off", () => {
		expect(readGrpcConfig({ grpc: "off" }, {})).toEqual({ grpc: undefined, reporters: [], warnings: [] });
	});

	it("has whoever calls report anonymously when nobody is asked for a proof", () => {
		expect(readGrpcConfig(flags(), {})).toEqual({
			grpc: { host: "127.0.0.1", port: 50051, isSigned: false },
			reporters: ["anonymous"],
			warnings: [],
		});
	});

	it("reads tokens with and without a name, and tells reporters from subscribers", () => {
		const { grpc, reporters } = readGrpcConfig(
			flags({ grpcTokenFile: tokenFile, grpcSubscriber: ["billing"] }),
			{},
		);
		expect(grpc).toMatchObject({
			tokens: { relay: [{ id: "default", token: RELAY }], billing: [{ id: "2026", token: BILLING }] },
			subscribers: ["billing"],
		});
		expect(reporters).toEqual(["relay"]);
	});

	it("takes names of subscribers and certificates from the environment too", () => {
		const tls = { grpcTlsCert: pem, grpcTlsKey: pem, grpcTlsClientCa: pem };
		const environment = {
			REELKEEP_GRPC_TLS_CLIENT: "relay.example.com,spiffe://example.com/billing",
			REELKEEP_GRPC_SUBSCRIBER: "spiffe://example.com/billing",
		};
		const { grpc, reporters } = readGrpcConfig(flags(tls), environment);
		expect(grpc?.clients).toEqual(["relay.example.com", "spiffe://example.com/billing"]);
		expect(grpc?.tls?.clientCa?.toString()).toBe("PEM");
		expect(reporters).toEqual(["relay.example.com"]);
	});

	it("has nobody report besides apps where reports are signed", () => {
		const { grpc, reporters } = readGrpcConfig(flags({ grpcVerify: "top", grpcTokenFile: tokenFile }), {});
		expect(grpc?.isSigned).toBe(true);
		expect(reporters).toEqual([]);
	});

	it("warns of files that others can read", () => {
		const open = file("open-tokens", `relay=${RELAY}\n`, 0o644);
		const openKey = file("open.key", "PEM", 0o644);
		const { warnings } = readGrpcConfig(
			flags({ grpcTokenFile: open, grpcTlsCert: pem, grpcTlsKey: openKey }),
			{},
		);
		expect(warnings).toEqual([
			`${openKey} can be read by others; chmod 600 it`,
			`${open} can be read by others; chmod 600 it`,
		]);
	});

	it.each<[string, Partial<GrpcFlags>, RegExp]>([
		["an address that is none", { grpc: "50051" }, /--grpc takes HOST:PORT/],
		["options without an address", { grpc: "off", grpcTokenFile: tokenFile }, /no address: --grpc HOST:PORT/],
		[
			"a subscriber without an address",
			{ grpc: "off", grpcSubscriber: ["x"] },
			/no address: --grpc HOST:PORT/,
		],
		["a certificate without its key", { grpcTlsCert: pem }, /--grpc-tls-cert and --grpc-tls-key go together/],
		["a client CA without a certificate", { grpcTlsClientCa: pem }, /needs a certificate of our own/],
		[
			"a client CA that lets in whomever it has signed for",
			{ grpcTlsCert: pem, grpcTlsKey: pem, grpcTlsClientCa: pem },
			/give --grpc-tls-client NAME/,
		],
		["client names without a CA", { grpcTlsClient: ["relay"] }, /give --grpc-tls-client-ca FILE/],
		[
			"a subscriber whom nobody knows",
			{ grpcTokenFile: tokenFile, grpcSubscriber: ["biling"] },
			/names biling, who has no token \(--grpc-token-file\)/,
		],
		[
			"a token file that is not there",
			{ grpcTokenFile: "/nowhere" },
			/cannot read --grpc-token-file \/nowhere: ENOENT/,
		],
		[
			"a PEM file that is not there",
			{ grpcTlsCert: "/nowhere", grpcTlsKey: pem },
			/cannot read --grpc-tls-cert \/nowhere: ENOENT/,
		],
	])("refuses %s", (_, more, says) => {
		expect(() => readGrpcConfig(flags(more), {})).toThrow(UsageError);
		expect(() => readGrpcConfig(flags(more), {})).toThrow(says);
	});

	it.each([
		["relay", /a caller is written CALLER=TOKEN, or CALLER:NAME=TOKEN/],
		["relay=", /the token of caller relay is empty/],
		[`relay=${RELAY}\nrelay=${BILLING}`, /name both: relay:OLD=TOKEN and relay:NEW=TOKEN/],
		[`relay=${RELAY} # of the relay`, /a comment stands behind the token of caller relay/],
		["iR6FdlmbSf0123456789ykNsCFKEabcdefgh=", /the token of caller iR6F… is empty/],
		["relay-token-0123456789abcdef=relay # x", /a comment stands behind the token of caller rela…/],
	])("refuses the line %s without quoting a token", (text, says) => {
		const grpcTokenFile = file("odd-tokens", text);
		const read = () => readGrpcConfig(flags({ grpcTokenFile }), {});
		expect(read).toThrow(says);
		expect(read).not.toThrow(/0123456789/);
	});
});

describe("serveConfig with gRPC", () => {
	it("needs no app, unless reports are signed", () => {
		expect(serveConfig(serveFlags(), {}).apps).toEqual({});
		expect(() => serveConfig(serveFlags({ grpcVerify: "top" }), {})).toThrow(
			/no app may report.*no --grpc-verify/,
		);
	});

	it("binds callers to projects as it binds apps", () => {
		const some = serveFlags({ grpcTokenFile: tokenFile, appProjects: ["relay=cg-avatar", "billing=*"] });
		expect(serveConfig(some, {}).projects).toEqual({ relay: ["cg-avatar"], billing: "*" });
		const forgotten = serveFlags({ grpcTokenFile: tokenFile, appProjects: ["relay=cg-avatar"] });
		expect(() => serveConfig(forgotten, {})).toThrow(/app billing could report nothing/);
		const anonymous = serveFlags({ http: "127.0.0.1:0", app: ["1=secret-of-app"], appProjects: ["1=*"] });
		expect(() => serveConfig(anonymous, {})).toThrow(/app anonymous could report nothing/);
	});

	it("warns of no app where nothing is signed", () => {
		const apps = { app: ["1=secret-of-app", "2=secret-of-other"] };
		expect(
			serveConfig(serveFlags({ ...apps, grpcTokenFile: tokenFile, grpcSubscriber: ["billing"] }), {})
				.warnings,
		).toEqual([expect.stringMatching(/secrets given by --app are visible/)]);
	});

	it("warns when several report, of whom each may speak for all projects", () => {
		const { warnings } = serveConfig(serveFlags({ grpcTokenFile: tokenFile }), {});
		expect(warnings).toEqual([expect.stringMatching(/several apps may report/)]);
		const one = serveFlags({ grpcTokenFile: tokenFile, grpcSubscriber: ["billing"] });
		expect(serveConfig(one, {}).warnings).toEqual([]);
	});
});
