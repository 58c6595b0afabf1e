// The code of docs/write-a-plugin.md is the examples' code, or the ports' without their comments; what it links to is there.

import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const docs = new URL("../../../docs/", import.meta.url);
const guide = readFileSync(new URL("write-a-plugin.md", docs), "utf8");

const withoutIndents = (code: string): string =>
	code
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "")
		.join("\n");

const withoutComments = (code: string): string => code.replace(/^\s*(?:\/\*\*|\*|\/\/).*$/gm, "");

test("every block of code in the guide stands in the example, or the port, that it names", () => {
	const blocks = [...guide.matchAll(/```ts\n([\s\S]+?)```/g)].map(([, code = ""]) => code);
	expect(blocks.length).toBeGreaterThan(8);
	for (const block of blocks) {
		const [, path = ""] = /^\/\/ ((?:examples|packages\/core\/src\/ports)\/\S+\.ts)\n/.exec(block) ?? [];
		const source = readFileSync(new URL(`../${path}`, docs), "utf8");
		const code = block.slice(block.indexOf("\n") + 1);
		const stands = path.startsWith("packages") ? withoutComments(source) : source;
		expect(withoutIndents(stands), `${path}, as in the guide`).toContain(withoutIndents(code));
	}
});

test("the guide's links lead somewhere, within it and to other files", () => {
	const targets = [...guide.matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);
	const headings = [...guide.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
		heading
			.toLowerCase()
			.replace(/[^a-z0-9 -]/g, "")
			.replaceAll(" ", "-"),
	);
	expect(targets.length).toBeGreaterThan(10);
	for (const target of targets) {
		const isThere = target.startsWith("#")
			? headings.includes(target.slice(1))
			: existsSync(new URL(target, docs));
		expect(isThere, target).toBe(true);
	}
});
