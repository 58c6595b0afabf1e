import "reflect-metadata/lite";
import { describe, expect, test } from "vitest";
import { createMemoryKeyring } from "../memory/keyring.js";
import { memoryStorage } from "../memory/plugin.js";
import type { Keyring, Plugin } from "../ports/index.js";
import { isKeyringFault, pickPorts } from "../ports/index.js";
import * as tokens from "../ports/tokens.js";
import { createReelkeep } from "./reelkeep.js";
import { compose } from "./test-reelkeep.js";

const OLD = new Uint8Array(32).fill(1);
const NEXT = new Uint8Array(32).fill(2);

/** What processes share, in memory. */
function sharedStores(): Plugin {
	const storage = memoryStorage();
	const made = new Map<symbol, unknown>();
	const { KEYRING, VIDEO_STORE, ...rest } = tokens;
	const shared = pickPorts(
		storage,
		storage.provides.filter((token) => Object.values(rest).some((other) => other === token)),
	);
	return {
		...shared,
		register: (registry) =>
			shared.register?.({
				provide: (token, factory) =>
					registry.provide(token, (get) => {
						if (!made.has(token)) made.set(token, factory(get));
						return made.get(token) as ReturnType<typeof factory>;
					}),
			}),
	};
}

function keys(keyring: Keyring): Plugin {
	return {
		name: "keys",
		provides: [tokens.KEYRING],
		needs: [],
		register: (registry) => registry.provide(tokens.KEYRING, () => keyring),
	};
}

const keyring = (current: string, held: Readonly<Record<string, Uint8Array>>) =>
	keys(createMemoryKeyring({ current, keys: held }));
const process = (shared: Plugin, its: Plugin) => compose({ plugins: [shared, its] });

describe("processes that share their stores", () => {
	test("start with the same keys, one after the other and at once", async () => {
		const shared = sharedStores();
		const start = () => process(shared, keyring("a", { a: OLD })).start();
		await start();
		await Promise.all([start(), start(), start()]);
	});

	test("do not start with other keys, whether they have another name or not", async () => {
		const shared = sharedStores();
		await process(shared, keyring("a", { a: OLD })).start();
		for (const other of [keyring("b", { b: NEXT }), keyring("a", { a: NEXT })]) {
			const failure = await process(shared, other)
				.start()
				.catch((error: unknown) => error);
			expect(isKeyringFault(failure)).toBe(true);
			expect(String(failure)).toContain("give the same key file to all of them");
		}
	});

	test("of two with other keys that start at once on empty stores, one starts", async () => {
		const shared = sharedStores();
		const starts = await Promise.allSettled(
			[keyring("a", { a: OLD }), keyring("a", { a: NEXT })].map((its) => process(shared, its).start()),
		);
		expect(starts.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
	});

	test("change their key: the old one can be given up once one has started with the next", async () => {
		const shared = sharedStores();
		const start = (its: Plugin) => process(shared, its).start();
		await start(keyring("old", { old: OLD }));
		await start(keyring("old", { old: OLD, next: NEXT }));
		await start(keyring("next", { old: OLD, next: NEXT }));
		await start(keyring("next", { next: NEXT }));
		await expect(start(keyring("old", { old: OLD }))).rejects.toThrow("other keys");
	});
});

test("a keyring that cannot be read is told as what it is", async () => {
	const closed = async (): Promise<never> => {
		throw new Error("no such file");
	};
	const broken = keys({ seal: closed, open: closed });
	await expect(process(sharedStores(), broken).start()).rejects.toThrow("no such file");
});

test("a process that stopped halfway keeps the next waiting, and not for ever", async () => {
	const shared = sharedStores();
	const first = createReelkeep({ plugins: [shared, keyring("a", { a: OLD })] });
	const leases = first.get(tokens.LEASE_STORE);
	await leases.acquire("reelkeep.keys", "a process that is gone", 300);
	await process(shared, keyring("a", { a: OLD })).start();
});
