import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFixture } from "../test/harness.js";
import { coveredParameters, digest, isSignMethod, type SignMethod, signedText } from "./signature.js";

interface Vector {
	readonly name: string;
	readonly secret: string;
	readonly sign_method: SignMethod;
	readonly params: Readonly<Record<string, string>>;
	readonly body: string;
	readonly sign: string;
	readonly sign_keep_empty?: string;
}

const VECTORS = readFixture("vectors.json") as readonly Vector[];
const NO_BODY = new Uint8Array();
const SECRET = "test-secret-0000000000000000";
const METHODS = ["md5", "hmac", "hmac-sha256"] as const;

const sign = (parameters: ReadonlyMap<string, string>, method: SignMethod): string =>
	digest(method, SECRET, signedText(parameters, "signed"), NO_BODY).toString("hex").toUpperCase();

const matchesSignature = (...question: Parameters<typeof coveredParameters>): boolean =>
	coveredParameters(...question) !== undefined;

const parametersArbitrary = fc
	.dictionary(fc.string({ minLength: 1 }), fc.string({ unit: "grapheme" }), { maxKeys: 8 })
	.map((record) => new Map(Object.entries(record)));

describe("coveredParameters", () => {
	it("never throws and never matches for a sign that is not upper-case hexadecimal of the right length", () => {
		const parameters = new Map([["app_key", "1"]]);
		const right = sign(parameters, "md5");
		const wrong = [
			"",
			" ",
			right.toLowerCase(),
			`${right} `,
			right.slice(1),
			`é${right.slice(1)}`,
			"签".repeat(32),
		];
		for (const method of METHODS) {
			for (const text of [...wrong, "\u0000".repeat(32), "G".repeat(64)]) {
				expect(matchesSignature({ parameters, body: NO_BODY }, method, SECRET, text)).toBe(false);
			}
		}
	});

	it("refuses the sign of one method under another", () => {
		const parameters = new Map([["app_key", "1"]]);
		const signed = sign(parameters, "md5");
		expect(matchesSignature({ parameters, body: NO_BODY }, "hmac", SECRET, signed)).toBe(false);
	});

	it("refuses a sign under another secret, whatever the parameters", () => {
		fc.assert(
			fc.property(parametersArbitrary, fc.constantFrom(...METHODS), (parameters, method) => {
				const request = { parameters, body: NO_BODY };
				expect(matchesSignature(request, method, `${SECRET}x`, sign(parameters, method))).toBe(false);
			}),
		);
	});

	it("refuses changed values and accepts unchanged ones in any order", () => {
		fc.assert(
			fc.property(parametersArbitrary, fc.constantFrom(...METHODS), (parameters, method) => {
				const signed = sign(parameters, method);
				const reversed = new Map([...parameters].reverse());
				expect(matchesSignature({ parameters: reversed, body: NO_BODY }, method, SECRET, signed)).toBe(true);
				for (const [name, value] of parameters) {
					if (name === "sign") continue;
					// No name has this letter: behind a value, a name's letters may give the same text, which reading.ts sees to.
					const changed = new Map([...parameters, [name, `${value}€`]]);
					expect(matchesSignature({ parameters: changed, body: NO_BODY }, method, SECRET, signed)).toBe(
						false,
					);
				}
			}),
		);
	});

	it.each(VECTORS)("accepts the vector $name with $sign_method", (vector) => {
		const parameters = new Map(Object.entries(vector.params));
		const request = { parameters, body: Buffer.from(vector.body) };
		const signs = [vector.sign, ...(vector.sign_keep_empty === undefined ? [] : [vector.sign_keep_empty])];
		for (const text of signs) {
			expect(matchesSignature(request, vector.sign_method, vector.secret, text)).toBe(true);
			const flipped = (text.startsWith("0") ? "1" : "0") + text.slice(1);
			expect(matchesSignature(request, vector.sign_method, vector.secret, flipped)).toBe(false);
		}
	});

	it("has all 21 vectors, three of them with signed empty values", () => {
		expect(VECTORS).toHaveLength(21);
		expect(VECTORS.filter((vector) => vector.sign_keep_empty !== undefined)).toHaveLength(3);
	});
});

describe("signedText", () => {
	it("leaves out the sign, and blank values when asked to", () => {
		const parameters = new Map([
			["b", ""],
			["sign", "X"],
			["a", "1"],
			["c", "  "],
		]);
		expect(signedText(parameters, "signed")).toBe("a1bc  ");
		expect(signedText(parameters, "left-out")).toBe("a1");
	});
});

describe("isSignMethod", () => {
	it("knows three methods, written exactly so", () => {
		expect(METHODS.every(isSignMethod)).toBe(true);
		expect(["MD5", "hmac-md5", "", "sha256"].some(isSignMethod)).toBe(false);
	});
});
