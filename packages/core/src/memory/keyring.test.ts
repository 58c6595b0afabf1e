import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMemoryKeyring } from "./keyring.js";

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const secret = "http://h/720p.mp4?Signature=0EULWMQnEjKQs8cHFlLttlZaFiI%3D";

const reasonOf = (opening: Promise<string>): Promise<unknown> =>
	opening.then(
		() => "opened",
		(error: { readonly _tag?: string; readonly reason?: string }) => `${error._tag} ${error.reason}`,
	);

describe("a memory keyring", () => {
	test("refuses a key that is not 32 bytes long, an id that it could not find again, and no current key", () => {
		for (const length of [0, 16, 31, 33]) {
			expect(() => createMemoryKeyring({ current: "a", keys: { a: new Uint8Array(length) } })).toThrow(
				TypeError,
			);
		}
		for (const id of ["", "a.b", "a b", "é"]) {
			expect(() => createMemoryKeyring({ current: id, keys: { [id]: key(1) } })).toThrow(TypeError);
		}
		expect(() => createMemoryKeyring({ current: "b", keys: { a: key(1) } })).toThrow(TypeError);
	});

	test("does not open a sealed text that was changed anywhere", async () => {
		const keyring = createMemoryKeyring({ current: "a", keys: { a: key(1), b: key(2) } });
		const sealed = await keyring.seal(secret, "link:s");
		const anyChange = fc.oneof(
			fc
				.tuple(fc.nat(sealed.length - 1), fc.constantFrom(..."ABCabc019-_."))
				.map(([at, character]) => sealed.slice(0, at) + character + sealed.slice(at + 1)),
			fc.nat(sealed.length - 1).map((length) => sealed.slice(0, length)),
			fc.constantFrom(
				`${sealed}.x`,
				`${sealed}.`,
				`${sealed}A`,
				`${sealed}=`,
				` ${sealed}`,
				"",
				"v1",
				"v1.a.",
			),
		);
		await fc.assert(
			fc.asyncProperty(anyChange, async (changed) => {
				fc.pre(changed !== sealed);
				expect(await reasonOf(keyring.open(changed, "link:s"))).toMatch(
					/^KeyringFault (damaged|unknown-key)$/,
				);
			}),
			{ numRuns: 300 },
		);
	});

	test("does not open in another context", async () => {
		const keyring = createMemoryKeyring();
		const sealed = await keyring.seal(secret, "link:a");
		for (const context of ["link:b", "body:a", "", "link:a "]) {
			expect(await reasonOf(keyring.open(sealed, context))).toBe("KeyringFault damaged");
		}
	});

	test("names an unknown key, and a key of the same name with other bytes opens nothing", async () => {
		const sealed = await createMemoryKeyring({ current: "a", keys: { a: key(1) } }).seal(secret, "c");
		const other = createMemoryKeyring({ current: "b", keys: { b: key(1) } });
		expect(await reasonOf(other.open(sealed, "c"))).toBe("KeyringFault unknown-key");
		const same = createMemoryKeyring({ current: "a", keys: { a: key(2) } });
		expect(await reasonOf(same.open(sealed, "c"))).toBe("KeyringFault damaged");
	});

	test("opens after a rotation what the old key sealed, and seals with the new one", async () => {
		const old = await createMemoryKeyring({ current: "2025", keys: { "2025": key(1) } }).seal(secret, "c");
		const rotated = createMemoryKeyring({ current: "2026", keys: { "2025": key(1), "2026": key(2) } });
		expect(await rotated.open(old, "c")).toBe(secret);
		expect(await rotated.seal(secret, "c")).toMatch(/^v1\.2026\./);
	});

	test("keeps its keys when the caller wipes the bytes", async () => {
		const bytes = key(1);
		const keyring = createMemoryKeyring({ current: "a", keys: { a: bytes } });
		bytes.fill(0);
		const sealed = await keyring.seal(secret, "c");
		expect(await createMemoryKeyring({ current: "a", keys: { a: key(1) } }).open(sealed, "c")).toBe(secret);
	});

	test("gives back any text, and never seals the same text alike", async () => {
		const keyring = createMemoryKeyring();
		await fc.assert(
			fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.string(), async (text, context) => {
				const sealed = await keyring.seal(text, context);
				expect(sealed).toMatch(/^v1\.memory\.[A-Za-z0-9_-]+$/);
				expect(await keyring.open(sealed, context)).toBe(text);
				expect(await keyring.seal(text, context)).not.toBe(sealed);
			}),
		);
	});

	test("is of its own in each process: another one opens nothing", async () => {
		const sealed = await createMemoryKeyring().seal(secret, "c");
		expect(sealed).not.toContain("0EULWMQn");
		expect(await reasonOf(createMemoryKeyring().open(sealed, "c"))).toBe("KeyringFault damaged");
	});
});
