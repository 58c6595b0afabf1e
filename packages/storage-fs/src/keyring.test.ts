import { randomBytes } from "node:crypto";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isKeyringFault, type KeyringFault } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFileKeyring } from "./keyring.js";
import { temporaryDirectory } from "./test-disk.js";
import { rejection } from "./test-store.js";

const LINK = "https://example.com/video.mp4?key=1";

async function keyFile(): Promise<string> {
	return join(await temporaryDirectory(), "data", "keys.json");
}

async function faultOf(work: Promise<unknown>): Promise<KeyringFault> {
	const fault = await rejection(work);
	if (!isKeyringFault(fault)) throw new Error("expected a keyring fault", { cause: fault });
	return fault;
}

async function written(text: string, permissions = 0o600): Promise<string> {
	const file = join(await temporaryDirectory(), "keys.json");
	await writeFile(file, text);
	await chmod(file, permissions);
	return file;
}

describe("a key file", () => {
	test("that others may read is refused, and the way out named", async () => {
		const key = randomBytes(32).toString("base64");
		const text = JSON.stringify({ current: "a", keys: { a: key } });
		for (const permissions of [0o640, 0o604, 0o660, 0o644]) {
			const fault = await faultOf(
				createFileKeyring({ file: await written(text, permissions) }).seal("x", "c"),
			);
			expect(fault.reason).toBe("unavailable");
			expect(fault.message).toContain("chmod 600");
			expect(fault.message).not.toContain(key);
		}
	});

	test("that is malformed is refused in words, without its contents", async () => {
		const key = randomBytes(32).toString("base64");
		for (const text of [
			"",
			"{",
			"null",
			"[]",
			`{"keys":{"a":"${key}"}}`,
			`{"current":"b","keys":{"a":"${key}"}}`,
			`{"current":"toString","keys":{"a":"${key}"}}`,
			`{"current":"a","keys":{"a":"${key}","b":"c2hvcnQ="}}`,
			`{"current":"a","keys":{"a":"${key.slice(0, -1)}"}}`,
			`{"current":"a","keys":{"a":1}}`,
			`{"current":"a.b","keys":{"a.b":"${key}"}}`,
			`{"current":"a","keys":{"a":"${key}"}}${" ".repeat(70_000)}`,
		]) {
			const fault = await faultOf(
				createFileKeyring({ file: await written(text) }).load({ createIfMissing: true }),
			);
			expect(fault.reason).toBe("unavailable");
			expect(fault.message).toContain("malformed");
			expect(fault.message).not.toContain(key.slice(0, 12));
		}
	});

	test("that is missing is refused where sealed text exists, and found once it was restored", async () => {
		const file = await keyFile();
		const keyring = createFileKeyring({ file });
		const fault = await faultOf(keyring.load({ createIfMissing: false }));
		expect(fault.message).toContain("Restore it");
		expect(await rejection(stat(file))).toMatchObject({ code: "ENOENT" });
		const sealed = await createFileKeyring({ file }).seal(LINK, "c");
		await keyring.load({ createIfMissing: false });
		expect(await keyring.open(sealed, "c")).toBe(LINK);
	});

	test("that several make at once is one, of mode 600", async () => {
		const file = await keyFile();
		const keyrings = Array.from({ length: 8 }, () => createFileKeyring({ file }));
		const sealed = await Promise.all(keyrings.map((keyring, at) => keyring.seal(`text ${at}`, "c")));
		for (const [at, text] of sealed.entries()) {
			for (const keyring of keyrings) expect(await keyring.open(text, "c")).toBe(`text ${at}`);
		}
		expect((await stat(file)).mode & 0o777).toBe(0o600);
	});

	test("with several keys seals with the current one and opens with all", async () => {
		const [old, young] = [randomBytes(32), randomBytes(32)].map((key) => key.toString("base64"));
		const before = await written(JSON.stringify({ current: "old", keys: { old } }));
		const sealed = await createFileKeyring({ file: before }).seal(LINK, "c");
		const after = await written(JSON.stringify({ current: "young", keys: { old, young } }));
		const keyring = createFileKeyring({ file: after });
		expect(await keyring.open(sealed, "c")).toBe(LINK);
		expect(await keyring.seal(LINK, "c")).toMatch(/^v1\.young\.[A-Za-z0-9_-]+$/);
		const only = createFileKeyring({
			file: await written(JSON.stringify({ current: "young", keys: { young } })),
		});
		expect(await faultOf(only.open(sealed, "c"))).toMatchObject({ reason: "unknown-key" });
	});
});

describe("sealed text", () => {
	test("that was changed anywhere, or belongs to another context, is damaged", async () => {
		const keyring = createFileKeyring({ file: await keyFile() });
		const sealed = await keyring.seal(LINK, "stream-a");
		expect(await faultOf(keyring.open(sealed, "stream-b"))).toMatchObject({ reason: "damaged" });
		const start = sealed.lastIndexOf(".") + 1;
		for (let at = start; at < sealed.length; at += 1) {
			const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
			expect(await faultOf(keyring.open(changed, "stream-a"))).toMatchObject({ reason: "damaged" });
		}
		for (const text of [
			"",
			"v1",
			"v1..",
			"v2.a.b",
			sealed.slice(0, start),
			sealed.slice(0, -4),
			`${sealed}=`,
		]) {
			expect(await faultOf(keyring.open(text, "stream-a"))).toMatchObject({ reason: "damaged" });
		}
	});

	test("shows nothing of the text, and is another one each time", async () => {
		const keyring = createFileKeyring({ file: await keyFile() });
		const sealed = await Promise.all(Array.from({ length: 100 }, () => keyring.seal(LINK, "c")));
		expect(new Set(sealed).size).toBe(100);
		expect(sealed.join()).not.toContain("example");
	});

	test("opens to what was sealed", async () => {
		const keyring = createFileKeyring({ file: await keyFile() });
		await fc.assert(
			fc.asyncProperty(
				fc.string({ unit: "grapheme" }),
				fc.string({ unit: "grapheme" }),
				async (text, context) => {
					const sealed = await keyring.seal(text, context);
					expect(sealed).toMatch(/^v1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);
					expect(await keyring.open(sealed, context)).toBe(text);
				},
			),
		);
	});
});

test("the keys are nowhere but in the file", async () => {
	const file = await keyFile();
	const keyring = createFileKeyring({ file });
	const sealed = await keyring.seal(LINK, "c");
	const { current, keys } = JSON.parse(await readFile(file, "utf8"));
	expect(sealed).toContain(`.${current}.`);
	expect(JSON.stringify(keyring)).not.toContain(keys[current]);
});
