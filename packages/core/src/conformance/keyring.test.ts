import { describe, expect, test } from "vitest";
import { createMemoryKeyring } from "../memory/keyring.js";
import { keyringSuite } from "./keyring.js";
import { brokenKeyring, keyringFlaws, type MakeKeyring } from "./test-flaws-keyring.js";
import { describeConformance } from "./vitest.js";

describeConformance("the memory keyring of given keys", keyringSuite(brokenKeyring()), { skips: [] });

const memory: MakeKeyring = async () => ({
	open: async () => createMemoryKeyring(),
	openOther: async () => createMemoryKeyring({ current: "other", keys: { other: new Uint8Array(32) } }),
	dispose: async () => undefined,
});

describeConformance("the memory keyring that dies with its process", keyringSuite(memory), {
	skips: ["reopened", "rotated"],
});

/** The clauses that fail. */
async function failing(make: MakeKeyring): Promise<readonly string[]> {
	const failed: string[] = [];
	for (const { clause, run } of keyringSuite(make)) await run().catch(() => failed.push(clause));
	return failed;
}

describe("a broken keyring fails exactly its clauses", () => {
	for (const [flaw, { breaks, make }] of Object.entries(keyringFlaws)) {
		test(`when ${flaw}`, async () => {
			expect(await failing(make)).toEqual(breaks);
		});
	}
});

test("every clause has a flaw that breaks it and no other", () => {
	const alone = Object.values(keyringFlaws).flatMap(({ breaks }) => (breaks.length === 1 ? breaks : []));
	const clauses = keyringSuite(memory).map(({ clause }) => clause);
	expect(clauses.filter((clause) => !alone.includes(clause))).toEqual([]);
});

test("a keyring that seals nothing passes no clause", async () => {
	const open = async () => ({ seal: async () => "", open: async () => "" });
	const failed = await failing(async () => ({
		open,
		openOther: open,
		reopen: open,
		rotate: open,
		dispose: async () => undefined,
	}));
	expect(failed).toEqual(keyringSuite(memory).map(({ clause }) => clause));
});
