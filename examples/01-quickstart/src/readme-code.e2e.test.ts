// The code of every README: checked by TypeScript, and run by plain Node against the built packages.

import { execFile } from "node:child_process";
import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { postgresMissing, startPostgres, type TestPostgres } from "@reelkeep/harness/postgres";
import { transcribe } from "@reelkeep/harness/transcript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
// Inside the example, where every package resolves as it does for a user.
const folder = join(root, "examples/01-quickstart/dist/readme-code");
const data = mkdtempSync(join(tmpdir(), "reelkeep-readme-"));

const readmes = [
	"README.md",
	...readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`),
];
const blocks = readmes.flatMap((file) => {
	const found = readFileSync(join(root, file), "utf8").matchAll(/```ts\n([\s\S]+?)```/g);
	return [...found].map(([, code = ""], index) => ({ name: `${file} ${index + 1}`, code }));
});
const nameOf = (index: number, extension: string): string => join(folder, `block-${index}.${extension}`);
let complaints: string | undefined;
let postgres: TestPostgres | undefined;
const NAMED_SERVER = /"postgres:\/\/[^"]*"/g;

beforeAll(async () => {
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	// The frameworks are those that adapter-http is tested with.
	symlinkSync(join(root, "packages/adapter-http/node_modules"), join(folder, "node_modules"), "dir");
	if (postgresMissing() === undefined) postgres = await startPostgres();
	for (const [index, { code }] of blocks.entries()) {
		const local = code
			.replaceAll(NAMED_SERVER, JSON.stringify(postgres?.connectionString ?? "postgres://none"))
			.replaceAll(/8080|50051/g, "0")
			.replaceAll('"/var/lib/reelkeep"', JSON.stringify(join(data, "store")))
			.replaceAll('"./data"', JSON.stringify(join(data, "other")));
		// A receiver would run on; what it does then is tested elsewhere.
		writeFileSync(nameOf(index, "ts"), `${local}\nsetTimeout(() => process.exit(), 300);\n`);
	}
	const output = { composite: false, declaration: false, declarationMap: false, sourceMap: false };
	// Of the frameworks' own types some need those of browsers.
	const compilerOptions = { ...output, skipLibCheck: true };
	const base = join(root, "tsconfig.base.json");
	writeFileSync(
		join(folder, "tsconfig.json"),
		JSON.stringify({ extends: base, compilerOptions, include: ["*.ts"] }),
	);
	const tsc = join(root, "node_modules/.bin/tsc");
	complaints = await run(tsc, ["-p", join(folder, "tsconfig.json")]).then(
		({ stdout }) => stdout,
		(error) => error.stdout,
	);
});
afterAll(async () => {
	await postgres?.stop();
	rmSync(data, { recursive: true, force: true });
});

test("the code of all READMEs passes TypeScript's strict checks", () => {
	expect(complaints).toBe("");
	expect(blocks.length).toBeGreaterThan(8);
});

describe("the code runs", () => {
	for (const [index, { name, code }] of blocks.entries()) {
		test(name, async ({ skip }) => {
			if (code.search(NAMED_SERVER) !== -1 && postgres === undefined) skip(postgresMissing());
			const app = { APP_KEY: "1234", APP_SECRET: "a-secret-of-an-app" };
			const callers = {
				RELAY_TOKEN: "a-token-of-the-relay-0123",
				BILLING_TOKEN: "a-token-of-the-billing-0123",
			};
			const environment = { ...process.env, ...app, ...callers };
			const { stdout, stderr } = await run(process.execPath, [nameOf(index, "js")], { env: environment });
			transcribe("cli", stdout + stderr);
			expect(stderr).not.toMatch(/Error/);
		});
	}
});
