// The signature has no delimiters: whatever text is moved across a boundary, the sign stays valid. None of it may
// reach `receive` as another callback, where it would be recorded or quarantined.

import type { Report } from "@reelkeep/core/ports";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { signTop } from "@reelkeep/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handlerOptions, NOW_MS, recordingReceive } from "../test/harness.js";
import { createTopHandler } from "./handle.js";

type Pair = readonly [name: string, value: string];

const recorded = recordingReceive();
const handle = createTopHandler({ ...handlerOptions(recorded.receive) });

const requestParams = fc.oneof(
	fc.constantFrom(
		'{"game_id":"session","track_info":"sign_methodmd5timestamp1795363491128v2.0"}',
		'{"request_param":"{}","session":"session-0001"}',
		"{'python': 'text'}",
		"not json",
		"}screen_recording{",
	),
	fc.json(),
);

/** Parameters that the method does not have, as some gateways and proxies add them. */
const OTHERS = {
	customerId: fc.constantFrom(undefined, undefined, "stub", "{}"),
	sb: fc.constantFrom(undefined, undefined, "1", ""),
};

const signedArbitrary: fc.Arbitrary<readonly Pair[]> = fc
	.record({
		app_key: fc.constant(TEST_APP_KEY),
		format: fc.constantFrom(undefined, "json", "xml", ""),
		method: fc.constant("alibaba.cgame.avatar.video.record.report"),
		partner_id: fc.constantFrom(undefined, "top-sdk-java-20170428", ""),
		request_param: requestParams,
		session: fc.constantFrom(undefined, "session-0001", "6100e12", ""),
		sign_method: fc.constantFrom("md5", "hmac"),
		simplify: fc.constantFrom(undefined, "true", "false", ""),
		target_app_key: fc.constantFrom(undefined, "87654321", ""),
		timestamp: fc.constantFrom("2026-11-23 12:00:00", String(NOW_MS), String(NOW_MS / 1000)),
		v: fc.constant("2.0"),
		...OTHERS,
	})
	.map((record) =>
		Object.entries(record)
			.filter((entry): entry is [string, string] => entry[1] !== undefined)
			.sort(([a], [b]) => (a < b ? -1 : 1)),
	);

const plain = (requestParam: string, session?: string): readonly Pair[] => [
	["app_key", TEST_APP_KEY],
	["method", "alibaba.cgame.avatar.video.record.report"],
	["request_param", requestParam],
	...(session === undefined ? [] : [["session", session] as const]),
	["sign_method", "md5"],
	["timestamp", String(NOW_MS)],
	["v", "2.0"],
];
/** Tried in every run: a session to cut out of the text, and one for the text to swallow. */
const EXAMPLES: [readonly Pair[]][] = [
	[plain('{"a":"session","b":"simplify"}')],
	[plain("{}", "session-0001")],
];

async function send(pairs: readonly Pair[], sign: string): Promise<readonly Report[]> {
	recorded.reports.length = 0;
	const body = [...pairs, ["sign", sign] as const]
		.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
		.join("&");
	const headers = new Map([["content-type", "application/x-www-form-urlencoded"]]);
	await handle({ method: "POST", target: "/router/rest", headers, body: Buffer.from(body) });
	return [...recorded.reports];
}

/** What a report means, besides whose it is. */
const meaningOf = ({ requestParam, metadata }: Report) => [requestParam, metadata.verification?.clockSkewMs];
const hasOthers = (pairs: readonly Pair[]): boolean => pairs.some(([name]) => Object.hasOwn(OTHERS, name));

const textOf = (pairs: readonly Pair[]): string => pairs.map(([name, value]) => name + value).join("");
const isAscending = (pairs: readonly Pair[]): boolean =>
	pairs.every(([name], index) => index === 0 || (pairs[index - 1]?.[0] ?? "") < name);

/** Every request that differs in one boundary: moved between key and value or between neighbours, removed, added. */
function* shifts(pairs: readonly Pair[]): Generator<readonly Pair[]> {
	for (const [index, [name, value]] of pairs.entries()) {
		const before = pairs.slice(0, index);
		const after = pairs.slice(index + 1);
		const own = name + value;
		for (let cut = 1; cut <= own.length; cut++)
			yield [...before, [own.slice(0, cut), own.slice(cut)], ...after];
		const [next] = after;
		if (next !== undefined) {
			const rest = after.slice(1);
			yield [...before, [name, value + next[0] + next[1]], ...rest];
			for (let cut = 1; cut <= value.length; cut++) {
				const moved = value.slice(-cut) + next[0];
				yield [...before, [name, value.slice(0, -cut)], [moved, next[1]], ...rest];
			}
			for (let cut = 1; cut <= next[0].length; cut++) {
				yield [...before, [name, value + next[0].slice(0, cut)], [next[0].slice(cut), next[1]], ...rest];
			}
		}
		for (let from = 0; from < value.length; from++) {
			for (const length of new Set([1, 7, 11, 13, value.length - from])) {
				const added: Pair = [value.slice(from, from + length), value.slice(from + length)];
				yield [...before, [name, value.slice(0, from)], added, ...after];
			}
		}
	}
}

describe("a boundary that is moved under the same sign", () => {
	it("never reaches receive with another meaning, wherever one is moved, removed or added", async () => {
		let refused = 0;
		await fc.assert(
			fc.asyncProperty(signedArbitrary, async (pairs) => {
				const sign = signTop(
					pairs,
					TEST_SECRET,
					new Map(pairs).get("sign_method") === "hmac" ? "hmac" : "md5",
				);
				const [original] = await send(pairs, sign);
				// With other parameters, only a JSON object is taken.
				if (original === undefined) {
					expect(hasOthers(pairs)).toBe(true);
					return;
				}
				const text = JSON.stringify(pairs);
				for (const shifted of shifts(pairs)) {
					if (JSON.stringify(shifted) === text || !isAscending(shifted)) continue;
					expect(textOf(shifted)).toBe(textOf(pairs));
					const [report] = await send(shifted, sign);
					if (report === undefined) refused += 1;
					else expect(meaningOf(report), JSON.stringify(shifted)).toEqual(meaningOf(original));
				}
			}),
			{ numRuns: 25, examples: EXAMPLES },
		);
		expect(refused).toBeGreaterThan(1000);
	}, 60_000);

	it("never reaches receive as another callback, however many are moved", async () => {
		await fc.assert(
			fc.asyncProperty(signedArbitrary, fc.infiniteStream(fc.nat()), async (pairs, random) => {
				const sign = signTop(
					pairs,
					TEST_SECRET,
					new Map(pairs).get("sign_method") === "hmac" ? "hmac" : "md5",
				);
				const [original] = await send(pairs, sign);
				const text = textOf(pairs);
				const draw = (): number => random.next().value ?? 0;
				const names = pairs.map(([name]) => name);
				for (let round = 0; round < 40; round++) {
					const shifted = cutAtNames(text, names, draw);
					const [report] = await send(shifted, sign);
					if (report !== undefined && original !== undefined) {
						expect(meaningOf(report)).toEqual(meaningOf(original));
					}
				}
			}),
			{ numRuns: 40 },
		);
	}, 60_000);

	it("may add or drop an empty value, which means the same as none", async () => {
		const pairs = plain("{}");
		const sign = signTop(pairs, TEST_SECRET, "md5");
		const [report] = await send([...pairs, ["session", ""]], sign);
		expect(report?.requestParam).toBe("{}");
		const [same] = await send([...pairs, ["unknown", ""]], sign);
		expect(same?.requestParam).toBe("{}");
	});
});

/** Cuts the whole signed text anew, at places where a known name stands. */
function cutAtNames(text: string, names: readonly string[], draw: () => number): readonly Pair[] {
	const pairs: Pair[] = [];
	let rest = text;
	for (const [index, name] of names.entries()) {
		if (!rest.startsWith(name)) continue;
		const following = names.slice(index + 1);
		const ends = [...rest.matchAll(new RegExp(following.join("|") || "$", "g"))].map((match) => match.index);
		const usable = ends.filter((end) => end >= name.length);
		const end =
			following.length === 0 || usable.length === 0 ? rest.length : (usable[draw() % usable.length] ?? 0);
		pairs.push([name, rest.slice(name.length, end)]);
		rest = rest.slice(end);
	}
	return pairs;
}
