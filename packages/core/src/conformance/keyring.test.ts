import { expect, test } from "vitest";
import { createMemoryKeyring } from "../memory/keyring.js";
import { keyringSuite } from "./keyring.js";
import { brokenKeyring, keyringFlaws, type MakeKeyring } from "./test-flaws-keyring.js";
import { failingOf, testFlaws } from "./test-suite-flaws.js";
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

const failing = (make: MakeKeyring) => failingOf(keyringSuite(make));

testFlaws("keyring", keyringSuite, keyringFlaws);

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
