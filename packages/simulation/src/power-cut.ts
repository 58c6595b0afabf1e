// What a power cut leaves of a file: everything that was synced, and anything of the rest.

import { Content } from "./content.js";
import type { Random } from "./random.js";
import { applyChange, type FileChange, type SimulatedFile } from "./simulated-file.js";

/** What a disk writes whole. */
const SECTOR_BYTES = 512;

/** How a power cut is decided. */
export interface Dice {
	readonly random: Random;
	readonly count: (name: string) => void;
}

const MANNERS = ["lost", "kept", "torn-end", "mixed", "mixed", "mixed"] as const;

/** The bytes that are there when the power is back. Changes nothing in `file`. */
export function contentAfterPowerCut(file: SimulatedFile, dice: Dice): Buffer {
	const content = new Content(file.platter.bytes());
	if (file.changes.length === 0) return content.bytes();
	const { random, count } = dice;
	const manner = random.pick(MANNERS);
	count(`cut.file.${manner}`);
	const unsynced = file.changes.filter(({ state }) => state !== "synced").length;
	const kept = manner === "kept" ? unsynced : manner === "lost" ? 0 : random.below(unsynced);
	const rest = manner === "torn-end" ? "torn" : "lost";
	let seen = 0;
	for (const change of manner === "mixed" ? reorder(file.changes, dice) : file.changes) {
		if (change.state === "synced") {
			applyChange(content, change);
			continue;
		}
		const fate =
			manner === "mixed"
				? random.pick(["lost", "kept", "torn"] as const)
				: seen < kept
					? "kept"
					: seen === kept
						? rest
						: "lost";
		seen += 1;
		suffer(content, change, fate, dice);
	}
	shiftEnd(content, file, dice);
	return content.bytes();
}

function suffer(content: Content, change: FileChange, fate: "lost" | "kept" | "torn", dice: Dice): void {
	const { count } = dice;
	if (fate === "kept") {
		count("cut.change.kept");
		applyChange(content, change);
	} else if (fate === "torn" && change.kind === "write" && change.bytes.byteLength > 1) {
		tear(content, change, dice);
	} else {
		count(change.state === "clean" ? "cut.change.clean-lost" : "cut.change.lost");
	}
}

/** Only the changes behind the last synced one are free: what is older was in its place by then. */
function reorder(changes: readonly FileChange[], { random, count }: Dice): readonly FileChange[] {
	const free = changes.length - 1 - changes.findLastIndex(({ state }) => state === "synced");
	if (free < 2 || random.chance(0.5)) return changes;
	count("cut.change.reordered");
	return [...changes.slice(0, -free), ...random.shuffle(changes.slice(-free))];
}

function tear(
	content: Content,
	{ offset, bytes }: { readonly offset: number; readonly bytes: Buffer },
	{ random, count }: Dice,
): void {
	const length = bytes.byteLength;
	if (random.chance(0.5)) {
		count("cut.change.torn-at-a-byte");
		const at = random.between(1, length - 1);
		if (random.chance(0.7)) content.write(bytes.subarray(0, at), offset);
		else content.write(bytes.subarray(at), offset + at);
		return;
	}
	count("cut.change.torn-at-sectors");
	for (let from = 0; from < length; ) {
		const to = Math.min(length, from + SECTOR_BYTES - ((offset + from) % SECTOR_BYTES));
		if (random.chance(0.5)) content.write(bytes.subarray(from, to), offset + from);
		from = to;
	}
}

/** The length is written apart from the bytes: behind what was synced, the file may end early, or late in zeros. */
function shiftEnd(content: Content, file: SimulatedFile, { random, count }: Dice): void {
	const synced = new Content(file.platter.bytes());
	for (const change of file.changes) if (change.state === "synced") applyChange(synced, change);
	const shortest = Math.min(synced.length, content.length);
	const longest = Math.max(file.length, content.length);
	if (longest === shortest || random.chance(0.6)) return;
	const length = random.between(shortest, longest);
	if (length === content.length) return;
	count(length < content.length ? "cut.length.shortened" : "cut.length.extended");
	content.truncate(length);
}
