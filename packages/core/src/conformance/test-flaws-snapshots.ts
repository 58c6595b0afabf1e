// For the test of the snapshot store's suite only: stores that load wrongly, or save the wrong thing.

import { comparePositions, type Snapshot, storeFault, toPosition } from "../ports/index.js";
import { pause } from "./pause.js";
import {
	brokenSnapshots,
	loadedAs,
	MAX_SNAPSHOT_BYTES,
	parsed,
	refusalOf,
	renamedSnapshots,
	type SnapshotFlaw,
} from "./test-flawed-snapshots.js";
import { fnv1a } from "./test-flawed-stores.js";

const NOTHING: Snapshot = { version: 0, position: toPosition(0), eventId: "", state: null };

const isName = (name: unknown): boolean => typeof name === "string" && name !== "" && name.length <= 256;

/** Each flaw and the clauses that it breaks: no other may fail, so that a failure points at its cause. */
export const snapshotFlaws: Record<string, SnapshotFlaw> = {
	"a load of nothing leaves an empty snapshot": {
		breaks: ["never-saved"],
		make: brokenSnapshots((store, { disk }) => ({
			async load(name) {
				const snapshot = await store.load(name);
				if (snapshot === undefined) disk.set(name, JSON.stringify(NOTHING));
				return snapshot;
			},
		})),
	},
	"names are looked up in an object": {
		breaks: ["never-saved", "distinct-names"],
		make: brokenSnapshots((store, { disk }) => ({
			load: async (name) => (name === "__proto__" && !disk.has(name) ? ({} as Snapshot) : store.load(name)),
		})),
	},
	"version 0 stands for the first one": {
		breaks: ["save-and-load"],
		make: loadedAs((snapshot) => ({ ...snapshot, version: snapshot.version || 1 })),
	},
	"the event before the last is forgotten": {
		breaks: [
			...["save-and-load", "states", "large-positions", "distinct-names", "replaced", "taken-at-call"],
			...["last-save", "whole-meanwhile", "names-at-once", "arguments", "too-large"],
			...["reopened", "crash", "crash-save", "damaged"],
		],
		make: loadedAs(({ previous: _, ...snapshot }) => snapshot),
	},
	"null is no state": {
		breaks: ["states"],
		make: loadedAs((snapshot) => (snapshot.state === null ? undefined : snapshot)),
	},
	"states are kept as UTF-8": {
		breaks: ["states"],
		make: loadedAs((snapshot) =>
			typeof snapshot.state === "string"
				? { ...snapshot, state: new TextDecoder().decode(new TextEncoder().encode(snapshot.state)) }
				: snapshot,
		),
	},
	"positions are kept as floating-point numbers": {
		breaks: ["large-positions"],
		make: loadedAs((snapshot) => ({
			...snapshot,
			position: toPosition(BigInt(Number(snapshot.position))),
		})),
	},
	"positions end at 64 bits": {
		breaks: ["large-positions"],
		make: loadedAs((snapshot) => ({
			...snapshot,
			position: toPosition(BigInt.asUintN(64, BigInt(snapshot.position))),
		})),
	},
	"what is loaded is what is kept": {
		breaks: ["loads-apart"],
		make: brokenSnapshots((store, { disk }) => {
			const kept = new Map<string | undefined, Snapshot | undefined>();
			return {
				async load(name) {
					const text = disk.get(name);
					if (!kept.has(text)) kept.set(text, await store.load(name));
					return kept.get(text);
				},
			};
		}),
	},
	"what was saved is remembered by its name in lower case": {
		breaks: ["distinct-names"],
		make: brokenSnapshots((store) => {
			const saved = new Map<string, string>();
			return {
				async load(name) {
					const snapshot = await store.load(name);
					return parsed(saved.get(name.toLowerCase())) ?? snapshot;
				},
				async save(name, snapshot) {
					const text = JSON.stringify(snapshot);
					const result = await store.save(name, snapshot);
					if (result._tag === "Saved") saved.set(name.toLowerCase(), text);
					return result;
				},
			};
		}),
	},
	"names are case-blind": renamedSnapshots((name) => name.toLowerCase()),
	"names are trimmed": renamedSnapshots((name) => name.trimEnd() || name),
	"names are cut": renamedSnapshots((name) => name.slice(0, 255)),
	"names end with a zero character": renamedSnapshots((name) => name.replace(/(?<=.)\0.*$/s, "")),
	"names are composed": renamedSnapshots((name) => name.normalize("NFC")),
	"names are kept as UTF-8": renamedSnapshots((name) =>
		new TextDecoder().decode(new TextEncoder().encode(name)),
	),
	"names are paths": renamedSnapshots((name) =>
		new URL(name.replaceAll("%", "%25"), "file:///").pathname.slice(1),
	),
	"a hash stands for a name": renamedSnapshots((name) =>
		/^[\0-\x7f]*$/.test(name) ? String(fnv1a(name)) : name,
	),
	"a snapshot at the same position is not saved again": {
		breaks: ["replaced"],
		make: brokenSnapshots((store, { disk }) => ({
			async save(name, snapshot) {
				const there = parsed(disk.get(name));
				return there?.position === snapshot.position ? { _tag: "Saved" } : store.save(name, snapshot);
			},
		})),
	},
	"members that a state no longer has are kept": {
		breaks: ["states", "replaced"],
		make: brokenSnapshots((store, { disk }) => ({
			async save(name, snapshot) {
				const [before, state] = [parsed(disk.get(name))?.state, snapshot.state];
				const areObjects = [before, state].every(
					(each) => typeof each === "object" && each !== null && !Array.isArray(each),
				);
				if (!areObjects) return store.save(name, snapshot);
				return store.save(name, { ...snapshot, state: Object.assign({}, before, state) });
			},
		})),
	},
	"a snapshot that lies before what is there is not saved": {
		breaks: ["replaced", "last-save"],
		make: brokenSnapshots((store, { disk }) => {
			// Its own turns, so that it looks at what was saved right before.
			let last: Promise<unknown> = Promise.resolve();
			return {
				save(name, snapshot) {
					const passed = structuredClone(snapshot);
					const turn = last.then(async () => {
						const there = parsed(disk.get(name));
						const isBehind = there !== undefined && comparePositions(passed.position, there.position) < 0;
						return isBehind ? ({ _tag: "Saved" } as const) : store.save(name, passed);
					});
					last = turn.catch(() => undefined);
					return turn;
				},
			};
		}),
	},
	"a state is made text of when its turn comes": {
		breaks: ["taken-at-call"],
		make: brokenSnapshots((store) => ({
			async save(name, snapshot) {
				await pause();
				return store.save(name, snapshot);
			},
		})),
	},
	"small snapshots overtake large ones": {
		breaks: ["last-save"],
		make: brokenSnapshots((store) => ({
			async save(name, snapshot) {
				const passed = structuredClone(snapshot);
				await pause(JSON.stringify(passed).length / 10_000);
				return store.save(name, passed);
			},
		})),
	},
	"arguments are not checked": {
		breaks: ["arguments"],
		make: brokenSnapshots((store, { disk }) => ({
			load: async (name) => (isName(name) ? store.load(name) : parsed(disk.get(name))),
			async save(name, snapshot) {
				if (isName(name)) return store.save(name, snapshot);
				disk.set(name, JSON.stringify(snapshot));
				return { _tag: "Saved" };
			},
		})),
	},
	"the longest names are refused": {
		breaks: ["distinct-names", "arguments", "reopened"],
		make: brokenSnapshots((store) => ({
			async save(name, snapshot) {
				if (name.length === 256) throw new RangeError("a name has 1 to 255 characters");
				return store.save(name, snapshot);
			},
		})),
	},
	"a snapshot that is too large is an error": {
		breaks: ["too-large"],
		make: brokenSnapshots((store) => ({
			async save(name, snapshot) {
				const result = await store.save(name, snapshot);
				if (result._tag === "TooLarge") throw storeFault("io", "too large", { retryable: false });
				return result;
			},
		})),
	},
	"a snapshot is measured in characters": {
		breaks: ["too-large"],
		make: brokenSnapshots((store, { disk }) => ({
			async save(name, snapshot) {
				const text = JSON.stringify(snapshot);
				if (text.length > MAX_SNAPSHOT_BYTES || refusalOf(text) === undefined)
					return store.save(name, snapshot);
				disk.set(name, text);
				return { _tag: "Saved" };
			},
		})),
	},
	"a snapshot that is too large takes away the one before": {
		breaks: ["too-large"],
		make: brokenSnapshots((store, { disk }) => ({
			async save(name, snapshot) {
				const result = await store.save(name, snapshot);
				if (result._tag === "TooLarge") disk.delete(name);
				return result;
			},
		})),
	},
};
