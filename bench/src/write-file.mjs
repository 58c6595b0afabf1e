import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Makes the folder too. */
export function writeFile(file, text) {
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, text);
}

export function writeJson(file, value) {
	writeFile(file, `${JSON.stringify(value, null, "\t")}\n`);
}
