import { status as Code, Metadata } from "@grpc/grpc-js";
import { ANONYMOUS, type SignedRequest, type Verification, type Verifier } from "@reelkeep/core/ports";
import { TEST_SECRET } from "@reelkeep/harness/transcript";
import { describe, expect, it } from "vitest";
import { type Call, createIdentify, headersOf, readCall, toSignedRequest, verifyAll } from "./callers.js";
import { createCertificateVerifier } from "./certificates.js";
import { createTokenVerifier } from "./tokens.js";

type AuthContext = ReturnType<Parameters<typeof readCall>[0]["getAuthContext"]>;

const OTHER_TOKEN = "test-secret-0123456789abcdef";
const callers = createTokenVerifier({ relay: TEST_SECRET, auditor: OTHER_TOKEN });

function wireOf(
	headers: readonly (readonly [string, string | Buffer])[],
	authContext: AuthContext = {},
	peer = "127.0.0.1:40000",
) {
	const metadata = new Metadata();
	for (const [key, value] of headers) metadata.add(key, value);
	return { metadata, getAuthContext: () => authContext, getPeer: () => peer };
}

const callOf = (...given: Parameters<typeof wireOf>): Call => readCall(wireOf(...given));

const bearing = (token: string): Call => callOf([["authorization", `Bearer ${token}`]]);

const certified = (commonName: string): AuthContext => ({
	transportSecurityType: "ssl",
	sslPeerCertificate: { subject: { CN: commonName } } as never,
});

describe("createIdentify", () => {
	it.each(["report", "subscribe"] as const)(
		"lets anybody %s where nobody is asked for a proof",
		async (to) => {
			const identify = createIdentify({});
			expect(await identify(callOf([]), to)).toEqual({ _tag: "Caller", name: ANONYMOUS });
			expect(await identify(bearing("nonsense"), to)).toEqual({ _tag: "Caller", name: ANONYMOUS });
		},
	);

	it.each(["192.168.1.2:40000", "::ffff:10.0.0.1:40000", "2001:db8::1:40000", "unknown", ""])(
		"takes nobody unproved from elsewhere, on whatever server: %s",
		async (peer) => {
			const failure = { _tag: "Failed", code: Code.UNAUTHENTICATED };
			const identify = createIdentify({});
			expect(await identify(callOf([], {}, peer), "report")).toMatchObject(failure);
			expect(await identify(callOf([], {}, peer), "subscribe")).toMatchObject(failure);
		},
	);

	it.each(["127.0.0.1:40000", "127.9.9.9:1", "::1:40000", "[::1]:40000", "::ffff:127.0.0.1:40000"])(
		"takes whoever is on this machine: %s",
		async (peer) => {
			expect(await createIdentify({})(callOf([], {}, peer), "report")).toMatchObject({ _tag: "Caller" });
		},
	);

	it("lets nobody subscribe where only reports are proved, and anybody report", async () => {
		const identify = createIdentify({ verifier: callers });
		expect(await identify(bearing(TEST_SECRET), "subscribe")).toMatchObject({
			_tag: "Failed",
			code: Code.UNAUTHENTICATED,
			message: expect.stringContaining("subscribers must prove who they are"),
		});
		expect(await identify(callOf([]), "report")).toEqual({ _tag: "Caller", name: ANONYMOUS });
	});

	it("refuses subscribers where nobody is asked who he is", () => {
		expect(() => createIdentify({ subscribers: ["auditor"] })).toThrow(TypeError);
	});

	it("names who calls, and how that is known", async () => {
		expect(await createIdentify({ callers })(bearing(TEST_SECRET), "report")).toEqual({
			_tag: "Caller",
			name: "relay",
			receipt: { scheme: "bearer", secretId: "default" },
		});
	});

	it.each([
		["without a token", callOf([]), "MISSING_CREDENTIALS", "a bearer token is missing"],
		["with a wrong token", bearing(`${TEST_SECRET}x`), "WRONG_CREDENTIALS", "no such token is known here"],
		[
			"with two tokens",
			callOf([...twice("authorization", TEST_SECRET)]),
			"WRONG_CREDENTIALS",
			"authorization must be: Bearer TOKEN",
		],
	])("refuses a call %s in the verifier's words", async (_what, call, reason, message) => {
		const identify = createIdentify({ callers, subscribers: ["auditor"] });
		const refused = { _tag: "Failed", code: Code.UNAUTHENTICATED, reason, message };
		expect(await identify(call, "report")).toEqual(refused);
		expect(await identify(call, "subscribe")).toEqual(refused);
	});

	it("lets a subscriber subscribe, and not report", async () => {
		const identify = createIdentify({ callers, subscribers: ["auditor"] });
		expect(await identify(bearing(OTHER_TOKEN), "subscribe")).toMatchObject({ name: "auditor" });
		expect(await identify(bearing(OTHER_TOKEN), "report")).toEqual({
			_tag: "Failed",
			code: Code.PERMISSION_DENIED,
			reason: "NOT_A_REPORTER",
			message: "this caller may only subscribe to events",
		});
	});

	it("lets a reporter report, and not subscribe", async () => {
		const identify = createIdentify({ callers, subscribers: ["auditor"] });
		expect(await identify(bearing(TEST_SECRET), "report")).toMatchObject({ name: "relay" });
		expect(await identify(bearing(TEST_SECRET), "subscribe")).toEqual({
			_tag: "Failed",
			code: Code.PERMISSION_DENIED,
			reason: "NOT_A_SUBSCRIBER",
			message: "this caller may not subscribe to events",
		});
	});

	it("lets no caller subscribe where none is named", async () => {
		const refused = { code: Code.PERMISSION_DENIED };
		expect(await createIdentify({ callers })(bearing(OTHER_TOKEN), "subscribe")).toMatchObject(refused);
	});

	it("tells a subscriber by its whole name", async () => {
		const identify = createIdentify({ callers, subscribers: ["audit", "auditors", "Auditor", ""] });
		expect(await identify(bearing(OTHER_TOKEN), "subscribe")).toMatchObject({ _tag: "Failed" });
	});

	it("shows a verifier the headers and the certificate of the call", async () => {
		const seen: SignedRequest[] = [];
		const curious: Verifier = {
			verify: async (request) => {
				seen.push(request);
				return { _tag: "NotAuthentic", reason: "wrong-credentials", message: "seen" };
			},
		};
		await createIdentify({ callers: curious })(callOf([["X-Key", "a"]], certified("relay")), "report");
		expect(seen).toEqual([
			{
				parameters: new Map(),
				headers: new Map([["x-key", "a"]]),
				body: new Uint8Array(),
				peer: { commonName: "relay", alternativeNames: [] },
			},
		]);
	});

	it("rejects when a verifier does", async () => {
		const broken: Verifier = { verify: () => Promise.reject(new Error("broken")) };
		await expect(createIdentify({ callers: broken })(callOf([]), "report")).rejects.toThrow("broken");
	});
});

describe("verifyAll", () => {
	const request = { parameters: new Map(), headers: new Map(), body: new Uint8Array() };
	const yes = (appKey: string): Verification => ({ _tag: "Authentic", appKey, receipt: { scheme: appKey } });
	const no: Verification = { _tag: "NotAuthentic", reason: "wrong-credentials", message: "no" };

	function asked(...verifications: readonly Verification[]) {
		const order: number[] = [];
		const [first, ...others] = verifications.map(
			(verification, index): Verifier => ({
				verify: async (given) => {
					expect(given).toBe(request);
					order.push(index);
					return verification;
				},
			}),
		) as [Verifier, ...Verifier[]];
		return { order, verifier: verifyAll([first, ...others]) };
	}

	it("asks them one behind the other, and the last one says who calls", async () => {
		const { order, verifier } = asked(yes("a"), yes("b"), yes("c"));
		expect(await verifier.verify(request)).toEqual({ ...yes("c"), receipt: { scheme: "a+b+c" } });
		expect(order).toEqual([0, 1, 2]);
	});

	it.each([
		[[no, yes("b"), yes("c")], [0]],
		[
			[yes("a"), no, yes("c")],
			[0, 1],
		],
		[
			[yes("a"), yes("b"), no],
			[0, 1, 2],
		],
		[[no], [0]],
	] as const)("asks nobody behind the first that says no: %j", async (verifications, order) => {
		const given = asked(...verifications);
		expect(await given.verifier.verify(request)).toBe(no);
		expect(given.order).toEqual(order);
	});

	it("asks one alone", async () => {
		expect(await asked(yes("a")).verifier.verify(request)).toEqual(yes("a"));
	});

	it("wants the certificate and the token", async () => {
		const both = createIdentify({ callers: verifyAll([createCertificateVerifier(["machine"]), callers]) });
		const authorization = [["authorization", `Bearer ${TEST_SECRET}`]] as const;
		expect(await both(callOf(authorization, certified("machine")), "report")).toMatchObject({
			name: "relay",
			receipt: { scheme: "mtls+bearer" },
		});
		for (const call of [
			callOf(authorization),
			callOf(authorization, certified("other")),
			callOf([], certified("machine")),
		]) {
			expect(await both(call, "report")).toMatchObject({ code: Code.UNAUTHENTICATED });
		}
	});
});

describe("headersOf", () => {
	it("has the keys in lower case, and the values as they came", () => {
		const headers = headersOf(
			wireOf([
				["Top-Sign", "ABC"],
				["x", " a,b "],
				["empty", ""],
			]),
		);
		expect([...headers]).toEqual([
			["top-sign", "ABC"],
			["x", " a,b "],
			["empty", ""],
		]);
	});

	it("joins the values of a key that stands several times, in their order", () => {
		expect(headersOf(wireOf([...twice("x", "a"), ["x", "b"]])).get("x")).toBe("Bearer a, Bearer a, b");
	});

	it("leaves out what is no text", () => {
		expect([...headersOf(wireOf([["trace-bin", Buffer.from([1])]])).keys()]).toEqual([]);
	});

	it.each(["__proto__", "constructor", "tostring"])(
		"takes nothing for a header that is none, with %s",
		(key) => {
			expect(headersOf(wireOf([])).has(key)).toBe(false);
			const headers = headersOf(
				wireOf([
					[key, "a"],
					["x", "b"],
				]),
			);
			expect(headers.get("x")).toBe("b");
			expect([undefined, "a"]).toContain(headers.get(key));
		},
	);
});

describe("toSignedRequest", () => {
	it("has no peer where there is no certificate, and the parameters of the report", () => {
		const parameters = new Map([["sign", "x"]]);
		const signed = toSignedRequest(callOf([], { transportSecurityType: "ssl" }), parameters);
		expect(signed).toEqual({ parameters, headers: new Map(), body: new Uint8Array() });
		expect("peer" in signed).toBe(false);
	});
});

function twice(key: string, token: string): readonly (readonly [string, string])[] {
	return [
		[key, `Bearer ${token}`],
		[key, `Bearer ${token}`],
	];
}
