import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readFsKeyCopy } from "./copy-keys.js";
import { createFileKeyring } from "./keyring.js";
import { temporaryDirectory } from "./test-disk.js";

async function keyFile(): Promise<string> {
	const file = join(await temporaryDirectory(), "keys.json");
	await createFileKeyring({ file }).load({ createIfMissing: true });
	return file;
}

describe("the keys of a store that is moved", () => {
	test("never take the place of others", async () => {
		const [from, to] = [await keyFile(), await keyFile()];
		const before = await readFile(to, "utf8");
		await expect(readFsKeyCopy({ from, to })).rejects.toMatchObject({
			_tag: "KeyringFault",
			message: expect.stringContaining("nothing is written over it"),
		});
		expect(await readFile(to, "utf8")).toBe(before);
	});

	test("never take the place of others that came meanwhile", async () => {
		const [from, other] = [await keyFile(), await keyFile()];
		const to = join(await temporaryDirectory(), "keys.json");
		const copy = await readFsKeyCopy({ from, to });
		await writeFile(to, await readFile(other), { mode: 0o600 });
		await expect(copy.write()).rejects.toMatchObject({ _tag: "KeyringFault" });
		expect(await readFile(to, "utf8")).toBe(await readFile(other, "utf8"));
	});

	test("are refused when there are none, or others may read them", async () => {
		const to = join(await temporaryDirectory(), "keys.json");
		const missing = readFsKeyCopy({ from: join(await temporaryDirectory(), "none"), to });
		await expect(missing).rejects.toMatchObject({ _tag: "KeyringFault" });
		const open = await keyFile();
		await chmod(open, 0o644);
		await expect(readFsKeyCopy({ from: open, to })).rejects.toThrow("others may read it");
		await expect(stat(to)).rejects.toThrow("ENOENT");
	});

	test("are written once, for their owner alone", async () => {
		const from = await keyFile();
		const to = join(await temporaryDirectory(), "new", "keys.json");
		const copy = await readFsKeyCopy({ from, to });
		expect(copy.isThere).toBe(false);
		await expect(stat(to)).rejects.toThrow("ENOENT");
		await copy.write();
		expect(await readFile(to, "utf8")).toBe(await readFile(from, "utf8"));
		expect((await stat(to)).mode & 0o777).toBe(0o600);
		const again = await readFsKeyCopy({ from, to });
		expect(again.isThere).toBe(true);
		await again.write();
	});
});
