// For the test of the checkpoint store's suite only: stores that save wrongly.

import {
	type CheckpointStore,
	checkCheckpointMove,
	checkCheckpointName,
	isPosition,
	type Position,
	toPosition,
} from "../ports/index.js";
import { pause } from "./pause.js";
import {
	brokenCheckpoints,
	type CheckpointFlaw,
	isBackward,
	moveOn,
	renamed,
} from "./test-flawed-checkpoints.js";
import { fnv1a } from "./test-flawed-stores.js";

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const checkpointFlaws: Record<string, CheckpointFlaw> = {
	"a name that was never saved stands at 0": {
		breaks: ["never-saved", "no-way-back", "arguments", "distinct-names", "reopened"],
		make: brokenCheckpoints((store) => ({
			load: async (name) => (await store.load(name)) ?? toPosition(0),
		})),
	},
	"names are looked up in an object": {
		breaks: ["never-saved", "distinct-names"],
		make: brokenCheckpoints((store, { disk }) => ({
			load: async (name) =>
				name === "__proto__" && !disk.has(name) ? ("[object Object]" as Position) : store.load(name),
		})),
	},
	"a refused first save leaves where it was to begin": {
		breaks: ["never-saved"],
		make: brokenCheckpoints((store, { disk }) => ({
			async save(name, position, expected) {
				const result = await store.save(name, position, expected);
				// The row that an upsert makes before it compares.
				if (result._tag !== "Saved" && expected !== undefined && expected !== "0" && !disk.has(name))
					disk.set(name, expected);
				return result;
			},
		})),
	},
	"a load comes from what was read two saves ago": {
		breaks: ["save-and-load"],
		make: brokenCheckpoints((store) => {
			const history: string[] = [];
			return {
				async load(name) {
					const position = await store.load(name);
					if (position !== undefined) history.push(position);
					const isStale = history.join() === "1,3" && name === "billing";
					return isStale ? toPosition(1) : position;
				},
			};
		}),
	},
	"the expected position is ignored": {
		breaks: [
			"never-saved",
			"expected",
			"position-zero",
			"large-positions",
			"concurrent-first",
			"concurrent-move",
			"reopened",
		],
		make: brokenCheckpoints((_, { disk }) => ({
			async save(name, position, expected) {
				checkCheckpointName(name);
				checkCheckpointMove(position, expected);
				return moveOn(disk, name, position, disk.get(name));
			},
		})),
	},
	"a later expected position is accepted": {
		breaks: ["expected"],
		make: brokenCheckpoints((store, { disk }) => ({
			async save(name, position, expected) {
				const actual = disk.get(name);
				const isAhead = expected !== undefined && actual !== undefined && isBackward(actual, expected);
				return store.save(name, position, isAhead && !isBackward(position, expected) ? actual : expected);
			},
		})),
	},
	"a refused save does not say where the name stands": {
		breaks: ["expected", "position-zero", "concurrent-first", "concurrent-move"],
		make: brokenCheckpoints((store) => ({
			async save(...args) {
				const result = await store.save(...args);
				return result._tag === "Saved" ? result : { _tag: "WrongCheckpoint", actual: undefined };
			},
		})),
	},
	"0 stands for none": {
		breaks: ["position-zero"],
		make: brokenCheckpoints((store) => ({
			load: async (name) => {
				const position = await store.load(name);
				return position === "0" ? undefined : position;
			},
		})),
	},
	"a name that stands there already is moved by nobody": {
		breaks: ["same-position"],
		make: brokenCheckpoints((store) => ({
			async save(name, position, expected) {
				if (position !== expected) return store.save(name, position, expected);
				checkCheckpointName(name);
				checkCheckpointMove(position, expected);
				return { _tag: "WrongCheckpoint", actual: await store.load(name) };
			},
		})),
	},
	"a checkpoint moves backward": {
		breaks: ["no-way-back", "number-order", "large-positions"],
		make: movingBack(() => true),
	},
	"a checkpoint moves backward by less than 2": {
		breaks: ["no-way-back"],
		make: movingBack((position, expected) => expected.length < 3 && BigInt(expected) - BigInt(position) < 2n),
	},
	"positions are compared as text": {
		breaks: ["number-order", "large-positions"],
		make: comparingAsText(40),
	},
	"positions of few digits are compared as text": { breaks: ["number-order"], make: comparingAsText(4) },
	"positions are kept as floating-point numbers": {
		breaks: ["large-positions"],
		make: brokenCheckpoints((store) => ({
			load: async (name) => rounded(await store.load(name)),
		})),
	},
	"positions are compared as floating-point numbers": {
		breaks: ["large-positions"],
		make: movingBack((position, expected) => Number(position) === Number(expected)),
	},
	"positions end at 64 bits": {
		breaks: ["large-positions"],
		make: brokenCheckpoints((store) => ({
			async load(name) {
				const position = await store.load(name);
				return position === undefined ? undefined : toPosition(BigInt.asUintN(64, BigInt(position)));
			},
		})),
	},
	"arguments are not checked": {
		breaks: ["arguments"],
		make: brokenCheckpoints((_, { disk }) => ({
			load: async (name) => disk.get(name),
			async save(name, position, expected) {
				if (isBackward(position, expected) && isPosition(position) && isPosition(expected))
					throw new RangeError("a checkpoint never moves backward");
				return moveOn(disk, name, position, expected);
			},
		})),
	},
	"the longest names are refused": {
		breaks: ["arguments", "distinct-names", "reopened"],
		make: brokenCheckpoints((store) => ({
			async save(name, position, expected) {
				if (name.length === 256) throw new RangeError("a name has 1 to 255 characters");
				return store.save(name, position, expected);
			},
		})),
	},
	"names are case-blind": renamed((name) => name.toLowerCase()),
	"names are trimmed": renamed((name) => name.trimEnd() || name),
	"names are cut": renamed((name) => name.slice(0, 255)),
	"names end with a zero character": renamed((name) => name.replace(/(?<=.)\0.*$/s, "")),
	"names are composed": renamed((name) => name.normalize("NFC")),
	"names are kept as UTF-8": renamed((name) => new TextDecoder().decode(new TextEncoder().encode(name))),
	"names are paths": renamed((name) => new URL(name.replaceAll("%", "%25"), "file:///").pathname.slice(1)),
	"a hash stands for a name": renamed((name) => (/^[\0-\x7f]*$/.test(name) ? String(fnv1a(name)) : name)),
	"names that differ in their last character only are mixed up": {
		breaks: ["distinct-names"],
		make: brokenCheckpoints((store, { after }) => ({
			load: (name) => store.load(after === undefined && name === "stream-a\n" ? "stream-a " : name),
		})),
	},
	"all names are written at once, as they were read": {
		breaks: ["names-at-once"],
		make: brokenCheckpoints((store, { disk }) => lastWriterWins(store, disk)),
	},
	"the check of a first save is outside the transaction": {
		breaks: ["concurrent-first"],
		make: brokenCheckpoints((store, { disk }) =>
			checkedTooEarly(store, disk, (expected) => expected === undefined),
		),
	},
	"the check of a later save is outside the transaction": {
		breaks: ["concurrent-move"],
		make: brokenCheckpoints((store, { disk }) =>
			checkedTooEarly(store, disk, (expected) => expected !== undefined),
		),
	},
	"it forgets with its process": {
		breaks: ["reopened", "crash"],
		make: brokenCheckpoints((_, { disk, after }) => {
			if (after !== undefined) disk.clear();
			return {};
		}),
	},
	"a later process does not find names that are no file names": {
		breaks: ["reopened"],
		make: brokenCheckpoints((_, { disk, after }) => {
			if (after === "reopen") for (const name of disk.keys()) if (name.includes("/")) disk.delete(name);
			return {};
		}),
	},
	"a save is durable only after the next one": {
		breaks: ["crash"],
		make: async () => {
			const undo: (() => void)[] = [];
			return brokenCheckpoints((store, { disk, after }) => {
				if (after === "crash") undo.at(-1)?.();
				return {
					async save(name, position, expected) {
						const before = disk.get(name);
						undo.push(() => (before === undefined ? disk.delete(name) : disk.set(name, before)));
						return store.save(name, position, expected);
					},
				};
			})();
		},
	},
};

/** Goes backward where `may` says so. */
function movingBack(may: (position: Position, expected: Position) => boolean): CheckpointFlaw["make"] {
	return brokenCheckpoints((store, { disk }) => ({
		async save(name, position, expected) {
			checkCheckpointName(name);
			const isMove = isPosition(position) && expected !== undefined && isPosition(expected);
			if (isMove && isBackward(position, expected) && may(position, expected))
				return moveOn(disk, name, position, expected);
			return store.save(name, position, expected);
		},
	}));
}

function comparingAsText(maxDigits: number): CheckpointFlaw["make"] {
	return brokenCheckpoints((store, { disk }) => ({
		async save(name, position, expected) {
			const stands = disk.get(name);
			if (stands !== undefined && stands === expected && position < stands && position.length <= maxDigits)
				throw new RangeError("a checkpoint never moves backward");
			return store.save(name, position, expected);
		},
	}));
}

function checkedTooEarly(
	store: CheckpointStore,
	disk: Map<string, Position>,
	isEarly: (expected: Position | undefined) => boolean,
): Partial<CheckpointStore> {
	return {
		async save(name, position, expected) {
			if (!isEarly(expected)) return store.save(name, position, expected);
			checkCheckpointName(name);
			checkCheckpointMove(position, expected);
			const actual = disk.get(name);
			if (actual !== expected) return { _tag: "WrongCheckpoint", actual };
			await pause();
			disk.set(name, position);
			return { _tag: "Saved" };
		},
	};
}

/** One file holds all names: it is read, changed and written whole, one name at a time but several names at once. */
function lastWriterWins(store: CheckpointStore, disk: Map<string, Position>): Partial<CheckpointStore> {
	const busy = new Map<string, Promise<unknown>>();
	return {
		save(name, position, expected) {
			const turn = (busy.get(name) ?? Promise.resolve()).then(async () => {
				const before = new Map(disk);
				const result = await store.save(name, position, expected);
				if (result._tag !== "Saved") return result;
				await Promise.resolve();
				for (const other of disk.keys()) if (other !== name && !before.has(other)) disk.delete(other);
				return result;
			});
			busy.set(
				name,
				turn.catch(() => undefined),
			);
			return turn;
		},
	};
}

function rounded(position: Position | undefined): Position | undefined {
	return position === undefined ? undefined : toPosition(BigInt(Number(position)));
}
