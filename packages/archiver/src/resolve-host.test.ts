import { afterEach, describe, expect, it, vi } from "vitest";
import { type ResolveHost, resolveHost } from "./resolve-host.js";

const HOST = new URL("http://a.example/v");
const TIMEOUT_MS = 60_000;

afterEach(() => {
	vi.useRealTimers();
});

function resolveBy(resolve: ResolveHost, signal = new AbortController().signal) {
	vi.useFakeTimers();
	return resolveHost(HOST, { resolve, timeoutMs: TIMEOUT_MS, signal });
}

const unresolved = { _tag: "Unresolved", message: "a.example cannot be resolved" };

describe("a resolver of somebody else's", () => {
	it.each<[string, ResolveHost]>([
		[
			"that throws at once",
			() => {
				throw new Error("no resolver");
			},
		],
		["that rejects", () => Promise.reject(new Error("ENOTFOUND"))],
		["that finds nothing", async () => []],
	])("%s, is one that does not know the name, and leaves no timer behind", async (_, resolve) => {
		expect(await resolveBy(resolve)).toEqual(unresolved);
		expect(vi.getTimerCount()).toBe(0);
	});

	it("that throws at once leaves no listener behind", async () => {
		const { signal } = new AbortController();
		const added = vi.spyOn(signal, "addEventListener");
		const removed = vi.spyOn(signal, "removeEventListener");
		await resolveBy(() => {
			throw new Error("no resolver");
		}, signal);
		expect(removed.mock.calls.length).toBe(added.mock.calls.length);
	});

	it("that never answers is waited for no longer than it may take", async () => {
		const resolved = resolveBy(() => new Promise(() => undefined));
		await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
		expect(await resolved).toEqual(unresolved);
	});
});

it("asks no resolver for an address", async () => {
	const resolve = vi.fn<ResolveHost>();
	const options = { resolve, timeoutMs: TIMEOUT_MS, signal: new AbortController().signal };
	expect(await resolveHost(new URL("http://[2001:db8::1]/v"), options)).toEqual({
		_tag: "Resolved",
		addresses: ["2001:db8::1"],
	});
	expect(resolve).not.toHaveBeenCalled();
});
