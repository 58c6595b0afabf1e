import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { PeerCertificate as NodeCertificate } from "node:tls";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCertificateVerifier, readPeer } from "./certificates.js";

const RELAY = "relay.example.com";

/** What Node makes of a certificate, in what of it is read. */
function nodeCertificate(subjectaltname?: string, CN?: string | string[]): NodeCertificate {
	const subject = CN === undefined ? {} : { CN };
	return { subject, ...(subjectaltname === undefined ? {} : { subjectaltname }) } as NodeCertificate;
}

const namesIn = (text: string) => readPeer(nodeCertificate(text))?.alternativeNames;

async function callerOf(certificate: NodeCertificate | undefined, names: readonly string[] = [RELAY]) {
	const peer = readPeer(certificate);
	const request = { parameters: new Map(), headers: new Map(), body: new Uint8Array() };
	const verification = await createCertificateVerifier(names).verify({ ...request, ...(peer && { peer }) });
	return verification._tag === "Authentic" ? verification.appKey : verification.reason;
}

const fixture = (name: string): NodeCertificate =>
	new X509Certificate(
		readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url)),
	).toLegacyObject() as NodeCertificate;

/** As Node's `PrintAltName` does since CVE-2021-44532: what could be misread stands in quotes, as JSON. */
function asNodeWrites(kind: string, value: string): string {
	if (/^[ !#-&(-+\--[\]-~]*$/.test(value)) return `${kind}:${value}`;
	const escaped = value.replace(/["\\]/g, "\\$&").replace(/[^ -+\--~]/g, (one) => {
		return `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
	});
	return `${kind}:"${escaped}"`;
}

describe("createCertificateVerifier", () => {
	it.each([
		["no name", []],
		["an empty name", ["relay", ""]],
		["a blank name", [" "]],
		["a name with a line end", ["relay\n"]],
		["a name in white space", [" relay"]],
	])("refuses %s at construction", (_what, names) => {
		expect(() => createCertificateVerifier(names)).toThrow(TypeError);
	});

	it("says how it knows a caller", async () => {
		const peer = { commonName: "relay", alternativeNames: [] };
		const request = { parameters: new Map(), headers: new Map(), body: new Uint8Array(), peer };
		expect(await createCertificateVerifier(["relay"]).verify(request)).toEqual({
			_tag: "Authentic",
			appKey: "relay",
			receipt: { scheme: "mtls" },
		});
	});

	it("says that a certificate is missing", async () => {
		expect(await callerOf(undefined)).toBe("missing-credentials");
	});

	it.each([
		["its common name", nodeCertificate(undefined, RELAY)],
		["its only alternative name", nodeCertificate(`DNS:${RELAY}`, "another")],
		["its last alternative name", nodeCertificate(`DNS:a.example.com, IP Address:127.0.0.1, DNS:${RELAY}`)],
	])("takes a certificate by %s", async (_what, certificate) => {
		expect(await callerOf(certificate)).toBe(RELAY);
	});

	it("calls the caller by the first of the names that matches, whatever order the certificate has", async () => {
		const certificate = nodeCertificate("DNS:second, DNS:first", "third");
		expect(await callerOf(certificate, ["first", "second", "third"])).toBe("first");
		expect(await callerOf(certificate, ["third", "second"])).toBe("third");
	});

	it.each([
		["another name", "DNS:other.example.com"],
		["another case", "DNS:Relay.example.com"],
		["a wildcard", "DNS:*.example.com"],
		["a name that begins with it", `DNS:${RELAY}.attacker.example`],
		["a name that ends with it", `DNS:x${RELAY}`],
		["a final dot", `DNS:${RELAY}.`],
		["its kind as a part of a name", `othername:UPN:${RELAY}`],
		["no name at all", ""],
	])("refuses %s", async (_what, text) => {
		expect(await callerOf(nodeCertificate(text, "someone"))).toBe("wrong-credentials");
	});

	it("takes the certificates of the fixtures by what they name, and not those that only seem to", async () => {
		const names = ["relay", RELAY, "spiffe://example.com/relay"];
		expect(await callerOf(fixture("client-cn"), names)).toBe("relay");
		expect(await callerOf(fixture("client-dns"), names)).toBe(RELAY);
		expect(await callerOf(fixture("client-uri"), names)).toBe("spiffe://example.com/relay");
		expect(await callerOf(fixture("client-forged"), names)).toBe("wrong-credentials");
		expect(await callerOf(fixture("client-two-names"), names)).toBe("wrong-credentials");
	});
});

describe("readPeer", () => {
	it.each([
		["no certificate", undefined],
		["the empty object that Node has for none", {} as NodeCertificate],
	])("reads nobody from %s", (_what, certificate) => {
		expect(readPeer(certificate)).toBeUndefined();
	});

	it("reads the common name, and no alternative names where there are none", () => {
		expect(readPeer(nodeCertificate(undefined, "relay"))).toEqual({
			commonName: "relay",
			alternativeNames: [],
		});
	});

	it("reads no common name from a subject that has several, because one of them could be another's", () => {
		expect(readPeer(nodeCertificate("DNS:a", ["relay", "nobody"]))).toEqual({ alternativeNames: ["a"] });
		expect(readPeer(fixture("client-two-names"))).toEqual({ alternativeNames: [] });
	});

	it.each<[string, readonly string[]]>([
		["DNS:a.example.com", ["a.example.com"]],
		["DNS:a, DNS:b", ["a", "b"]],
		["URI:spiffe://example.com/relay", ["spiffe://example.com/relay"]],
		["email:relay@example.com", ["relay@example.com"]],
		["IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1", ["127.0.0.1", "0:0:0:0:0:0:0:1"]],
		["Registered ID:1.2.3, DNS:a", ["1.2.3", "a"]],
		["othername:<unsupported>, DNS:a", ["<unsupported>", "a"]],
		["othername:UPN:user@x, DNS:a", ["UPN:user@x", "a"]],
		['othername:"UPN:u\\u002c DNS:relay", DNS:a', ["UPN:u, DNS:relay", "a"]],
		['DirName:"O=pp\\u002cCN=relay\\\\\\u002c URI:x"', ["O=pp,CN=relay\\, URI:x"]],
		["DNS:, DNS:a", ["", "a"]],
		['DNS:"", DNS:a', ["", "a"]],
	])("reads %s", (text, names) => {
		expect(namesIn(text)).toEqual(names);
	});

	it.each([
		['URI:"http://a, DNS:relay.example.com"', "http://a, DNS:relay.example.com"],
		['URI:"http://a\\u002c DNS:relay.example.com"', "http://a, DNS:relay.example.com"],
		['DNS:"a\\", DNS:relay.example.com"', 'a", DNS:relay.example.com'],
		['DNS:"\\"relay.example.com\\""', '"relay.example.com"'],
		['DNS:"a\\\\"', "a\\"],
		['DNS:"a\\\\\\", DNS:relay.example.com"', 'a\\", DNS:relay.example.com'],
		['DNS:"relay.example.com\\u0000.attacker.example"', "relay.example.com\0.attacker.example"],
		['DNS:"relay.example.com\\u000a"', "relay.example.com\n"],
		["DNS:\"'relay.example.com'\"", "'relay.example.com'"],
	])("reads one name from %s, and it is not the relay's", async (text, name) => {
		expect(namesIn(text)).toEqual([name]);
		expect(await callerOf(nodeCertificate(text))).toBe("wrong-credentials");
	});

	it("reads one name from a certificate whose one name reads like two", () => {
		const { subjectaltname } = fixture("client-forged");
		expect(subjectaltname).toBe('URI:"http://a\\u002c DNS:relay.example.com"');
		expect(namesIn(subjectaltname ?? "")).toEqual(["http://a, DNS:relay.example.com"]);
	});

	it.each([
		["a quote that does not end", `DNS:${RELAY}, URI:"http://a`],
		["text behind a quote", `DNS:${RELAY}, URI:"http://a"b`],
		["a quote inside", `DNS:${RELAY}, URI:"a"b"`],
		["an unknown escape", `DNS:${RELAY}, URI:"\\x41"`],
		["half an escape", `DNS:${RELAY}, URI:"\\u00"`],
		["a line end in quotes", `DNS:${RELAY}, URI:"a\nb"`],
		["a value without a kind", `DNS:${RELAY}, ${RELAY}`],
		["a value without a kind in front", `${RELAY}, DNS:${RELAY}`],
		["a kind in quotes", `DNS:${RELAY}, "URI:a"`],
		["a comma too many", `DNS:${RELAY},, DNS:a`],
	])("reads no names at all from %s", (_what, text) => {
		expect(namesIn(text)).toEqual([]);
	});

	it("reads the values that stand in a certificate, whatever an attacker chose, and no other name", async () => {
		const kind = fc.constantFrom("DNS", "URI", "email", "othername");
		const pieces = [RELAY, ", ", "DNS:", '"', "\\", "\\u002c", "'", "\n", "\0", "é", ":", ",", " "];
		const value = fc.oneof(
			fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join("")),
			fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }).map((c) => String.fromCharCode(...c)),
		);
		const names = fc.array(fc.tuple(kind, value), { minLength: 1, maxLength: 5 });
		await fc.assert(
			fc.asyncProperty(names, async (given) => {
				const text = given.map(([name, own]) => asNodeWrites(name, own)).join(", ");
				const values = given.map(([, own]) => own);
				expect(namesIn(text)).toEqual(values);
				const caller = await callerOf(nodeCertificate(text));
				expect(caller).toBe(values.includes(RELAY) ? RELAY : "wrong-credentials");
			}),
			{ numRuns: 2000 },
		);
	});
});
