// One authentic request, of whatever kind, cut anew into a request of any kind: into parameters and a raw body, in each
// direction. Whatever the verifiers accept of it must mean what the original meant.

import { createHash } from "node:crypto";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { APPS, NOW_MS, standingClock } from "../test/harness.js";
import { drawing, SIGNED_NAMES } from "../test/recutting.js";
import { REPORT_METHOD } from "./public-parameters.js";
import { createSpiVerifier } from "./spi-verifier.js";
import { createTopVerifier } from "./verifier.js";

const SECONDS = String(NOW_MS / 1000);
const TIME = "2026-11-23 12:00:00";
const options = { apps: APPS, clock: standingClock() };
const VERIFIERS = { gateway: createTopVerifier(options), spi: createSpiVerifier(options) } as const;

type Direction = keyof typeof VERIFIERS;
interface SignedParts {
	readonly parameters: ReadonlyMap<string, string>;
	readonly body: string;
}

const CALL = `method=${REPORT_METHOD}&request_param=%7B%22forged%22%3A1%7D&x=`;
/** What a user of the service could bring into a callback, if he knew how it is signed. */
const INSIDE: readonly string[] = [
	`sign_methodmd5timestamp${SECONDS}v2.0${CALL}`,
	`timestamp${SECONDS}v2.0`,
	`partner_idsign_methodmd5timestamp${SECONDS}v2.0`,
	"sign_methodmd5",
	"simplifytrue",
	"target_app_key1",
	"session1",
	`?a=1&${CALL}`,
	'{"request_param":',
	"request_param",
	"{",
	"}",
	" ",
	"x",
];
const inside = fc.array(fc.constantFrom(...INSIDE), { maxLength: 3 }).map((pieces) => pieces.join(""));
const texts = fc.oneof(
	inside.map((text) => JSON.stringify({ game_id: text, z: text })),
	inside.map((text) => ` ${JSON.stringify({ game_id: text })}`),
	inside,
);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
	fc.option(value, { nil: undefined, freq: 2 });
const optional = fc.record({
	format: maybe(fc.constantFrom("json", "")),
	partner_id: maybe(fc.constantFrom("top-sdk-java", "", `sign_methodmd5timestamp${SECONDS}v2.0`)),
	session: maybe(fc.constantFrom("s-1", "")),
	simplify: maybe(fc.constant("true")),
	target_app_key: maybe(fc.constant("87654321")),
	customerId: maybe(inside),
	zz: maybe(inside),
});
const versioned = { sign_method: "md5", v: "2.0" };

/** Parameters that are `undefined` are left out. */
type Parts = readonly [Direction, Readonly<Record<string, string | undefined>>, string];

/** The four kinds, each with the direction that it is authentic in. */
const originals: fc.Arbitrary<Parts> = fc
	.record({
		kind: fc.constantFrom("call", "batch", "spi form", "spi document"),
		optional,
		text: texts,
		timestamp: fc.constantFrom(TIME, SECONDS, String(NOW_MS)),
		isVersioned: fc.boolean(),
	})
	.map(({ kind, text, isVersioned, ...given }): Parts => {
		const all = { app_key: TEST_APP_KEY, ...given.optional, timestamp: given.timestamp };
		const method = REPORT_METHOD;
		const version = isVersioned ? versioned : {};
		const call = `request_param=${encodeURIComponent(text)}`;
		switch (kind) {
			case "call":
				return ["gateway", { ...all, ...versioned, method, request_param: text }, ""];
			case "batch":
				return ["gateway", { ...all, ...versioned }, `${call}\r\n-S-\r\n${call}`];
			case "spi form":
				return ["spi", { ...all, ...version, method, request_param: text }, ""];
			default:
				return ["spi", { ...all, ...version, method }, text];
		}
	});

const textOf = (parameters: ReadonlyMap<string, string>): string =>
	[...parameters.entries()]
		.sort(([one], [other]) => (one < other ? -1 : 1))
		.flat()
		.join("");

const OTHER_NAME = /^[A-Za-z_][0-9A-Za-z._-]*/;

/** Cuts `text` into ascending names and their values: names that we know, and others of any length; `undefined`: stuck. */
function cut(text: string, draw: () => number): ReadonlyMap<string, string> | undefined {
	const parameters = new Map<string, string>();
	let rest = text;
	let last = "";
	while (rest !== "") {
		const name = pickName(rest, last, draw);
		if (name === undefined) return undefined;
		rest = rest.slice(name.length);
		const end = pickEnd(rest, name, draw);
		parameters.set(name, rest.slice(0, end));
		rest = rest.slice(end);
		last = name;
	}
	return parameters;
}

function pickName(rest: string, last: string, draw: () => number): string | undefined {
	const known = SIGNED_NAMES.filter((name) => name > last && rest.startsWith(name));
	if (known.length > 0 && draw() % 7 !== 0) return known[draw() % known.length];
	const [longest = ""] = OTHER_NAME.exec(rest) ?? [];
	const most = Math.min(longest.length, [2, 8, 40][draw() % 3] ?? 1);
	const name = longest.slice(0, 1 + (draw() % Math.max(most, 1)));
	return name > last ? name : undefined;
}

/** Mostly where a later name stands, else anywhere or at the end. */
function pickEnd(rest: string, name: string, draw: () => number): number {
	const later = SIGNED_NAMES.filter((known) => known > name);
	const ends = later.flatMap((known) => [...rest.matchAll(new RegExp(known, "g"))].map(({ index }) => index));
	ends.sort((one, other) => one - other);
	const way = draw() % 10;
	if (ends.length === 0) return way < 8 ? rest.length : draw() % (rest.length + 1);
	if (way < 4) return ends[0] ?? 0;
	if (way < 8) return ends[draw() % ends.length] ?? 0;
	return way === 8 ? draw() % (rest.length + 1) : (ends.at(-1) ?? 0);
}

/** Where a raw body could begin, and anywhere. */
function bodyStart(text: string, draw: () => number): number {
	if (draw() % 4 === 0) return text.length;
	const marks = [...text.matchAll(/v2\.0|(?=\{)|$/g)].map(({ 0: mark, index }) => index + mark.length);
	return draw() % 4 === 0 ? draw() % text.length : (marks[draw() % marks.length] ?? text.length);
}

/** Without a callback nothing is reported. */
function isReport({ parameters, body }: SignedParts): boolean {
	if (body === "") return (parameters.get("request_param") ?? "").trim() !== "";
	return body.includes("{") || body.includes("request_param");
}

/** The time, and the raw bytes or the parameter that hold the callback: a form means the same in both directions. */
function meaningOf(direction: Direction, { parameters, body }: SignedParts): string {
	const callback = body === "" ? parameters.get("request_param") : `${direction} ${body.trimEnd()}`;
	return `${parameters.get("timestamp")} ${callback}`;
}

async function accepted(
	direction: Direction,
	{ parameters, body }: SignedParts,
	sign: string,
): Promise<boolean> {
	const request = {
		parameters: new Map([...parameters, ["sign", sign]]),
		headers: new Map<string, string>(),
	};
	const verification = await VERIFIERS[direction].verify({ ...request, body: Buffer.from(body) });
	return verification._tag === "Authentic";
}

describe("the signed text of one request", () => {
	it("is accepted as no other request, of whatever kind and direction", async () => {
		let authentic = 0;
		let tried = 0;
		await fc.assert(
			fc.asyncProperty(originals, fc.nat(), async ([direction, sent, body], seed) => {
				const present = Object.entries(sent).filter(
					(pair): pair is [string, string] => pair[1] !== undefined,
				);
				const original: SignedParts = { parameters: new Map(present), body };
				const text = textOf(original.parameters) + body;
				const sign = createHash("md5")
					.update(TEST_SECRET + text + TEST_SECRET)
					.digest("hex")
					.toUpperCase();
				if (!(await accepted(direction, original, sign))) return;
				authentic += 1;
				const draw = drawing(seed);
				for (let round = 0; round < 150; round++) {
					const at = bodyStart(text, draw);
					const parameters = cut(text.slice(0, at), draw);
					if (parameters === undefined) continue;
					const other: SignedParts = { parameters, body: text.slice(at) };
					if (textOf(other.parameters) + other.body !== text) continue;
					tried += 1;
					for (const one of ["gateway", "spi"] as const) {
						if (!(await accepted(one, other, sign))) continue;
						if (!isReport(other)) continue;
						const how = JSON.stringify([one, [...other.parameters], other.body]);
						expect(meaningOf(one, other), how).toBe(meaningOf(direction, original));
					}
				}
			}),
			{ numRuns: 2500 },
		);
		expect(authentic).toBeGreaterThan(150);
		expect(tried).toBeGreaterThan(2000);
	}, 60_000);
});
