// What the server's answer to a batch means, without a server.

import { toPosition } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeAppend, PLACE_BITS, readOutcomes } from "./append-statement.js";
import { EndedTransactions } from "./ended-transactions.js";

const SERVER = "1795780000.5";
const OFFSET = 1_000n;
const positionIn = (transaction: bigint, place: number): bigint =>
	((transaction + OFFSET) << BigInt(PLACE_BITS)) + BigInt(place);
const event = (id: string) => ({ id, type: "T", schemaVersion: 1, data: {}, metadata: {} });
const append = (stream: string, count: number, expected: number | "any" | "no-stream" = "any") =>
	encodeAppend(
		stream,
		Array.from({ length: count }, (_, index) => event(`${stream}-${index}`)),
		expected,
		0,
	);

interface Answer {
	readonly transaction?: bigint;
	readonly taken?: number;
	readonly began?: string;
	readonly befores?: string;
	readonly actuals?: string;
	readonly stands?: string;
}

/** As `append_events` returns it. `taken`: places that the transaction had used before. */
function answer({ transaction = 50n, taken = 0, began = "", befores = "0", ...others }: Answer) {
	const { actuals = "", stands = "" } = others;
	const [first, free] = [positionIn(transaction, 0), positionIn(transaction, taken)];
	return [{ outcomes: [SERVER, first, free, transaction, began, befores, actuals, stands].join(" ") }];
}

const endedAre = (...ids: readonly bigint[]): EndedTransactions => {
	const ended = new EndedTransactions();
	for (const id of ids) ended.add(SERVER, id);
	return ended;
};

describe("each append of a batch", () => {
	test("is told the version and the position of its last event", () => {
		const batch = [append("a", 1), append("b", 3), append("c", 2)];
		const { decided, ...others } = readOutcomes(
			batch,
			answer({ befores: "0,7,0", taken: 5, actuals: ",7,", stands: `,${positionIn(9n, 1)},` }),
			endedAre(),
		);
		expect(decided).toEqual([
			{ _tag: "Appended", version: 1, position: toPosition(String(positionIn(50n, 5))) },
			{ _tag: "Appended", version: 10, position: toPosition(String(positionIn(50n, 8))) },
			{ _tag: "Appended", version: 2, position: toPosition(String(positionIn(50n, 10))) },
		]);
		expect(others).toEqual({ behind: undefined, server: SERVER, transaction: 50n, hasAppended: true });
	});

	test("is told apart by what it found", () => {
		const batch = [
			append("conflict", 1, 2),
			append("made right now", 1, "no-stream"),
			append("missing", 1, 4),
			append("overtaken", 1, "any"),
			append("overtaken", 1, 3),
			append("younger", 1, 2),
		];
		const younger = String(positionIn(60n, 0));
		const { decided, behind } = readOutcomes(
			batch,
			answer({
				befores: ",,,,,",
				actuals: "5,,,1,3,3",
				stands: [String(positionIn(9n, 0)), "", "", younger, younger, younger].join(","),
			}),
			endedAre(),
		);
		expect(decided).toEqual([
			{ _tag: "WrongExpectedVersion", actualVersion: 5, transaction: 9n + OFFSET },
			{ _tag: "Overtaken" },
			{ _tag: "WrongExpectedVersion", actualVersion: 0, transaction: 0n },
			{ _tag: "Overtaken" },
			{ _tag: "Overtaken" },
			{ _tag: "WrongExpectedVersion", actualVersion: 3, transaction: 60n + OFFSET },
		]);
		// What it was told of is of a later transaction, whatever else has ended.
		expect(behind).toBe(60n + OFFSET);
	});
});

describe("whether earlier transactions have ended", () => {
	test.each([
		["", [], true],
		["48:51:48", [], false],
		["48:51:48", [48], true],
		["48:51:48,49", [48], false],
		["48:51:48,49", [49, 48], true],
		// From the second number on: not ended, whether listed or not.
		["48:48:", [48], false],
		["48:48:", [48, 49], true],
		["48:49:48", [48], false],
		// Those behind its own do not hold it back.
		["50:60:51,52", [], true],
	] as const)("in %j, where %j are known to have: %j", (began, known, isSeen) => {
		const { behind } = readOutcomes([append("a", 1)], answer({ began }), endedAre(...known.map(BigInt)));
		expect(behind).toBe(isSeen ? undefined : 50n + OFFSET);
	});

	test("is never taken for granted, whatever was open", () => {
		const id = fc.bigInt({ min: 40n, max: 60n });
		fc.assert(
			fc.property(fc.uniqueArray(id), fc.uniqueArray(id), id, (open, known, completed) => {
				// A server's snapshot: `open` run, the others up to `completed` have ended, nothing behind that has.
				const ids = Array.from({ length: 50 - 40 }, (_, index) => BigInt(40 + index));
				const next = completed + 1n;
				const running = ids.filter((one) => open.includes(one) || one >= next);
				const listed = open.filter((one) => one < next).toSorted();
				const least = [...running, next, 50n].reduce((one, other) => (one < other ? one : other));
				const began = least < 50n ? `${least}:${next}:${listed.join(",")}` : "";
				const { behind } = readOutcomes([append("a", 1)], answer({ began }), endedAre(...known));
				expect(behind === undefined).toBe(running.every((one) => known.includes(one)));
			}),
		);
	});
});

describe("a batch that appends nothing", () => {
	test("is behind the transactions whose versions it tells of, not behind its own", () => {
		const stands = `${positionIn(9n, 0)},${positionIn(20n, 0)}`;
		const told = { befores: ",", actuals: "5,6", stands };
		const behindOf = (began: string) =>
			readOutcomes([append("a", 1, 2), append("b", 1, 2)], answer({ ...told, began }), endedAre());
		expect(behindOf("15:60:15")).toMatchObject({ behind: 20n + OFFSET, hasAppended: false });
		expect(behindOf("30:60:30")).toMatchObject({ behind: undefined, hasAppended: false });
	});

	test("is behind nothing when it tells of no event", () => {
		const batch = [append("made right now", 1, "no-stream"), append("missing", 1, 4)];
		const { decided, behind } = readOutcomes(batch, answer({ befores: ",", began: "15:60:15" }), endedAre());
		expect(decided.map(({ _tag }) => _tag)).toEqual(["Overtaken", "WrongExpectedVersion"]);
		expect(behind).toBeUndefined();
	});
});

describe("transactions that ended", () => {
	test("are forgotten one by one, the oldest first", () => {
		const ended = endedAre(...Array.from({ length: 257 }, (_, index) => BigInt(index)));
		expect([0n, 1n, 256n].map((id) => ended.has(SERVER, id))).toEqual([false, true, true]);
	});

	test("are those of one server, since it was started", () => {
		const ended = endedAre(1n);
		expect(ended.has("another", 1n)).toBe(false);
		ended.add("another", 2n);
		expect([ended.has("another", 2n), ended.has("another", 1n), ended.has(SERVER, 1n)]).toEqual([
			true,
			false,
			false,
		]);
	});
});
