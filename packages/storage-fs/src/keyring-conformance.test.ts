import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keyringSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { createFileKeyring } from "./keyring.js";
import { temporaryDirectory } from "./test-disk.js";

const cases = keyringSuite(async () => {
	const file = join(await temporaryDirectory(), "keys.json");
	const open = async () => createFileKeyring({ file });
	return {
		open,
		openOther: async () => createFileKeyring({ file: join(await temporaryDirectory(), "keys.json") }),
		reopen: open,
		async rotate() {
			const { keys } = JSON.parse(await readFile(file, "utf8"));
			const rotated = { current: "young", keys: { ...keys, young: randomBytes(32).toString("base64") } };
			await writeFile(file, JSON.stringify(rotated));
			return open();
		},
		dispose: async () => {},
	};
});

describeConformance("the keyring of a file", cases, { skips: [] });
